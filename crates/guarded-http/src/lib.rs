#![doc = include_str!("../README.md")]

pub mod address;
mod client;
mod resolve;

pub use client::{Answer, Client, Limits, NoTls, RequestError};
pub use resolve::Networks;
