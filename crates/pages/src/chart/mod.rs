//! Charts as inline SVG, each with its numbers as text.

mod columns;
mod meter;

pub use columns::{Bucket, Columns};
pub use meter::meter;
