//! The bugs on purpose, and how many seeds it takes to notice each.

use crate::bug::Bug;
use crate::core::Broken;
use crate::run::{Many, Trouble, many};

/// How a bug was noticed.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The bug.
    pub bug: Bug,
    /// The first seed whose world notices it, counted from one.
    pub seeds: u64,
    /// The law that it breaks.
    pub broken: Broken,
}

/// Puts a bug in and lives through seeds until a law breaks; at most `most` of them.
///
/// # Errors
/// When the bug is not noticed, or a world cannot be made.
pub fn caught(bug: Bug, steps: usize, most: u64) -> Result<Caught, Trouble> {
    let from = 1;
    let found = many(Many { from, seeds: most, steps, bug: Some(bug), all: false })?;
    let first = found.broken.into_iter().next();
    let (seeds, broken) = first.ok_or_else(|| format!("{bug} is not noticed by {most} seeds"))?;
    Ok(Caught { bug, seeds, broken })
}
