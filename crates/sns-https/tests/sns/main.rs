//! Messages signed under certificate chains of our own, served on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod authority;
mod certificates;
mod confirmation;
mod messages;
mod server;
