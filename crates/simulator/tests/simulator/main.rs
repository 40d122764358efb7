//! The simulator over its real wire: every call goes through HTTP on a free port.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test, also in the functions that tests share"
)]

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
