#![doc = include_str!("../README.md")]

mod clock;
#[cfg(feature = "contracts")]
pub mod contracts;
mod error;
mod listing;
pub mod ports;

pub use clock::Clock;
pub use error::{BoxError, Error};
pub use listing::{Context, Listing};
