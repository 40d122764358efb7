#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod event;
mod options;
mod pause;
mod spool;

pub use answer::Trouble;
pub use client::{Client, Round};
pub use event::{Event, Refused};
pub use options::Options;
pub use spool::SpoolError;
