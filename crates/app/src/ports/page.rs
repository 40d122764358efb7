//! Pages of long answers.

use serde::{Deserialize, Serialize};

/// Where the next page begins; opaque to everyone but the store that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it; may be empty although more follows.
    pub items: Vec<T>,
    /// Where the next one begins; absent on the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page with nothing on it and nothing after it.
    pub fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }
}
