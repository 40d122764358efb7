//! Journeys: stories of buyers and sellers over the whole system, over its real wires.
//!
//! Every story ends with [`story::Story::end`], which demands what holds of all of them: the invoice equals what is due
//! for the usage that was accepted, nothing is queued or unpublished, and every audit chain verifies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::large_futures,
    reason = "a test may panic"
)]

mod alarms;
mod bad_input;
mod budgets;
mod chain;
mod faults;
mod metering;
mod operations;
mod pricing;
mod reconcile;
mod registration;
mod sns_https;
mod story;
mod switches;
mod tags;
mod webhooks;
