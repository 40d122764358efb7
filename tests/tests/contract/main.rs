//! The HTTP contract: what is documented is what is served, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod codes;
mod document;
mod roles;
mod served;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Whether committed files are to be written anew in place of being compared.
fn refreshing() -> bool {
    std::env::var_os("REFRESH").is_some()
}

/// Compares a committed file with what it must be, or writes it.
fn compare(path: &str, wanted: &str) {
    if refreshing() {
        std::fs::write(at(path), wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(at(path)).unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    assert!(
        found == wanted,
        "{path} is not what the code says, first in line {}. If the change is meant, write it with\n\
         REFRESH=1 cargo test -p journeys --test contract",
        first.map_or(found.lines().count().min(wanted.lines().count()), |line| line) + 1
    );
}
