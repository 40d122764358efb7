//! Settling: what each answer does to meter, ledger and report.

mod answers;
mod calls;
mod end;
mod heartbeat;
mod window;
