#![doc = include_str!("../README.md")]

mod about;
pub mod billing;
mod change;
mod clock;
pub mod conservation;
#[cfg(feature = "contracts")]
pub mod contracts;
pub mod entitlements;
mod error;
mod links;
mod listing;
mod memo;
pub mod notices;
pub mod outbox;
pub mod parked;
pub mod ports;
pub mod reconcile;
pub mod registration;
pub mod risk;
pub mod settlement;
pub mod subscriptions;
pub mod usage;
pub mod webhooks;

pub use about::about;
pub use clock::Clock;
pub use error::{BoxError, Chain, Error};
pub use listing::{Context, Listing};
