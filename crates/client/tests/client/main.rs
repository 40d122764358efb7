//! The client against an API that misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and a child speaks to its parent"
)]

mod api;
mod delivery;
mod killed;

use std::path::Path;
use std::time::Duration;

use client::{Client, Event, Options};

pub(crate) fn event(key: &str) -> Event {
    let at = "2026-11-24T07:10:00Z".parse().unwrap();
    Event::of_metric("sub_1", key, "totalScans", "1.5", at)
}

pub(crate) fn open(url: &str, spool: &Path) -> Client {
    let mut options = Options::new(url, || "token".to_owned(), spool);
    options.first_pause = Duration::from_millis(1);
    options.longest_pause = Duration::from_millis(5);
    options.timeout = Duration::from_secs(5);
    Client::open(options, reqwest::Client::new()).unwrap()
}
