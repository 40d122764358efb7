#![doc = include_str!("../README.md")]

pub mod aws;
pub mod batch;
pub mod budget;
pub mod config;
pub mod contract;
pub mod extract;
pub mod failure;
#[cfg(feature = "fakes")]
pub mod fakes;
pub mod logs;
pub mod metrics;
pub mod money;
pub mod notices;
pub mod number;
pub mod problem;
pub mod secrets;
pub mod session;
pub mod signature;
mod start;
pub mod usage;

pub use start::start;
