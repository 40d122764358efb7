#![doc = include_str!("../README.md")]

mod aws;
pub mod bus;
pub mod client;
mod data_dir;
mod database;
mod functions;
pub mod guide;
mod http;
pub mod journey;
mod mail;
mod platform;
mod product;
mod reconciliation;
pub mod runtime_api;
mod secrets;
mod sns;
mod system;
mod tables;
mod webhooks;

pub use data_dir::{DataDir, DataDirError};
pub use database::{Database, DatabaseError, RoundTrips};
pub use functions::ComposeError;
pub use mail::Mail;
pub use reconciliation::{Reconciled, reconcile};
pub use secrets::Secrets;
pub use system::{ClockChoice, DriveError, Handle, StartError, System, SystemOptions};
pub use tables::{Tables, TablesError, create_tables};
pub use webhooks::Received;
