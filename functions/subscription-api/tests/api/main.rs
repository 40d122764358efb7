//! The API over fakes: what each route answers, and to whom.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod api_gateway;
mod entitlements;
mod idempotency;
mod operations;
mod parked;
mod people;
mod roles;
mod subscriptions;
mod support;
mod usage;
mod wire;
