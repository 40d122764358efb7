//! The ports for the functions' own tests: a store in memory that keeps every promise of a store, and just enough of AWS
//! to see what a handler does with what it answers.

mod aws;

use app::{Clock, Context, Error, Listing};

pub use aws::FakeAws;
pub use store_memory::MemoryStore as FakeStore;

use crate::config::{Configuration, ListingConfig, Vars};

/// The product code of [`context`].
pub const PRODUCT: &str = "abcd1234efgh5678ijkl9012m";

/// A context of the built-in catalog over fakes that start empty.
///
/// # Panics
/// Never: the built-in catalog is sound.
#[expect(clippy::expect_used, reason = "only for tests")]
pub fn context() -> Context<FakeStore, FakeAws> {
    let vars = Vars::of([("MARKETPLACE_PRODUCT_CODE", PRODUCT)]);
    let listing = Listing::from(ListingConfig::from_vars(&vars).expect("a listing"));
    Context { listing, store: FakeStore::default(), aws: FakeAws::default() }
}

/// A clock that stands still.
///
/// # Panics
/// When `now` is not an instant.
#[expect(clippy::expect_used, reason = "only for tests")]
pub fn clock(now: &str) -> Clock {
    let now: jiff::Timestamp = now.parse().expect("an instant");
    Clock::new(move || now)
}

fn down(dependency: &'static str) -> Error {
    Error::Unavailable { dependency, source: "the fake is down".into() }
}
