//! The simulator over its real wire: every call goes through HTTP on a free port.

mod agreements;
mod alone;
mod control;
mod entitlements;
mod faults;
mod harness;
mod lifecycle;
mod metering;
mod persistence;
mod registration;
mod resends;
mod window;
mod wire;
