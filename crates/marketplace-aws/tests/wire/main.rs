//! What goes over the wire, byte for byte where it matters, and how each answer of AWS's is read.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation fails the test, also in the functions that tests share"
)]

mod agreements;
mod entitlements;
mod failures;
mod harness;
mod messages;
mod metering;
mod registration;
