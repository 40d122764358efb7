//! A stand-in for the Lambda service: it starts a function's binary as Lambda would, feeds it events over the Runtime
//! API, and tells what it answered. One function, one invocation at a time, as Lambda does it.
//!
//! The paths are those of AWS's Runtime API, version 2018-06-01.

mod function;
mod server;

pub use function::{Function, StartFunctionError};
pub use server::{Failure, InvokeError, RuntimeApi};
