#![doc = include_str!("../README.md")]

pub mod bus;
mod data_dir;
mod database;
pub mod runtime_api;
mod secrets;

pub use data_dir::{DataDir, DataDirError};
pub use database::{Database, DatabaseError, RoundTrips};
pub use secrets::Secrets;
