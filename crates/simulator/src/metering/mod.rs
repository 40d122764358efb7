//! `BatchMeterUsage` (F§3).
//!
//! A request goes through three gates, and only what passes all three is billed:
//!
//! 1. [`request`]: every record is of the documented form, or the whole request fails.
//! 2. [`admit`]: every record names a product, customer, dimension and time that can be metered,
//!    or the whole request fails.
//! 3. [`settle`]: each record by itself is billed, a duplicate, or not subscribed.

mod admit;
mod allocations;
mod quantity;
mod request;
mod settle;
mod window;
