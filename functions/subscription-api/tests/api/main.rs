//! The API over fakes: what each route answers, and to whom.

mod api_gateway;
mod entitlements;
mod idempotency;
mod operations;
mod roles;
mod subscriptions;
mod support;
mod usage;
mod wire;
