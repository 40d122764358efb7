//! When a write may go on, and what makes a request no request.

use app::Error;

/// Most actions of one transaction.
const LARGEST: usize = 100;

/// Whether a row is as it was read: absent, or with the revision that was read.
pub(crate) fn holds(expected: Option<u64>, found: Option<u64>) -> bool {
    expected == found
}

/// Refuses what no transaction may be: too many actions, or two on one item.
pub(crate) fn is_a_transaction<T: Ord>(actions: usize, mut places: Vec<T>) -> Result<(), Error> {
    let refused =
        |why: &'static str| Err(Error::Refused { dependency: "the store", source: why.into() });
    if actions > LARGEST {
        return refused("a transaction holds at most 100 actions");
    }
    let all = places.len();
    places.sort();
    places.dedup();
    if places.len() < all {
        return refused("a transaction cannot act on one item twice");
    }
    Ok(())
}
