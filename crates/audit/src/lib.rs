#![doc = include_str!("../README.md")]

mod export;
mod verify;

pub use domain::audit::Line;
pub use export::{ExportError, export};
pub use verify::{Finding, Known, Report, verify};
