//! Cost allocation: for which of the buyer's tags the units of a record are.
//!
//! A usage event may carry tags, e.g. the cost centre that caused it; events with the same tags form a *bucket*, those
//! without tags another. AWS takes whole units and an allocation of each record's quantity to buckets, whose sum must be
//! that quantity (fact sheet §3.1).
//!
//! - **What a bucket owes** is exact: whatever an event adds to what is due is owed by its bucket. So the included amount
//!   is used up by whoever comes first, a peak's rise is owed by the report that raised it, and buckets' dues add up to
//!   the meter's. Usage that was counted under provisional terms is judged later, in proportion to what each bucket used.
//! - **Whole units** go to whom the most is outstanding, one by one; what a bucket got too much or too little is carried
//!   over exactly to the next record.
//!
//! What holds, whatever the order of events, plan changes and records (`tests/allocations.rs`):
//!
//! 1. The allocations of a record add up to its quantity.
//! 2. No bucket was ever allocated a whole unit more than it owes.
//! 3. When nothing waits, a bucket was allocated less than *n* units too little, *n* being the number of buckets: what is
//!    outstanding adds up to less than a unit, and each of the others is ahead by less than one. A bound of one unit both
//!    ways cannot hold: units that were sent stay sent, while later usage decides who was owed the next.
//! 4. Where every bucket owes whole units, each was allocated exactly what it owes.
//!
//! The bucket without tags is not kept: it is what the others leave of the meter.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::quantity::{PLACES, Quantity};

/// Most tags of one event (fact sheet §3.1).
pub const MOST_TAGS: usize = 5;

/// Most different sets of tags on one meter. AWS takes 2,500, but a meter is one row of at most 400 kB, and at their
/// longest 50 sets take 90 kB, twice while a record is under way.
pub const MOST_TAG_SETS: usize = 50;

/// The tags of one event, by key; may be none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Tags(BTreeMap<String, String>);

/// Why tags are refused. Does not repeat them: they are the buyer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTags {
    /// Too many.
    #[error("an event has at most 5 tags")]
    TooMany,
    /// A key that AWS does not take.
    #[error("a tag's key is 1 to 100 letters, digits, spaces or one of !\"#$%&'()*+,-./:;<=_@")]
    Key,
    /// A value that AWS does not take.
    #[error("a tag's value is 1 to 256 letters, digits, spaces or one of !\"#$%&'()*+,-./:;<=_@")]
    Value,
}

impl Tags {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Key and value of each, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for Tags {
    type Error = InvalidTags;

    fn try_from(tags: BTreeMap<String, String>) -> Result<Self, InvalidTags> {
        if tags.len() > MOST_TAGS {
            Err(InvalidTags::TooMany)
        } else if tags.keys().any(|key| !fits(key, 100)) {
            Err(InvalidTags::Key)
        } else if tags.values().any(|value| !fits(value, 256)) {
            Err(InvalidTags::Value)
        } else {
            Ok(Self(tags))
        }
    }
}

impl From<Tags> for BTreeMap<String, String> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

/// AWS's `^[a-zA-Z0-9+ -=._:\/@]+$`, in which ` -=` is the range from space to `=` (fact sheet §1).
fn fits(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || (b' '..=b'=').contains(&byte) || b"_@".contains(&byte)
        })
}

/// So many units of a record are for these tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// The tags; none for what carries none.
    pub tags: Tags,
    /// Whole units, at least one.
    pub quantity: u64,
}

/// What one set of tags used, owes and was allocated this month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// The tags, at least one.
    pub tags: Tags,
    /// Its part of the aggregate.
    pub used: Quantity,
    /// Its part of what is due.
    pub due: Quantity,
    /// Its units in records so far.
    pub allocated: u64,
}

/// A meter's buckets, by tags, and the allocations of the record under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocations {
    /// The buckets with tags.
    pub buckets: Vec<Bucket>,
    /// How the record under way is allocated; empty when all of it carries no tags. Never changes while it is under way,
    /// except that it is emptied when AWS refuses it: billing comes before allocation.
    pub pending: Vec<Allocation>,
}

impl Allocations {
    /// Whether no event carried tags.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Whether there is room for an event with these tags.
    fn take(&self, tags: &Tags) -> bool {
        tags.is_empty() || self.buckets.len() < MOST_TAG_SETS || self.place(tags).is_ok()
    }

    /// Makes a bucket for an event with these tags, if there is room for it or it is there.
    #[must_use]
    pub fn make_room(&mut self, tags: &Tags) -> bool {
        let room = self.take(tags);
        if room {
            self.add(tags, Quantity::ZERO, Quantity::ZERO);
        }
        room
    }

    fn place(&self, tags: &Tags) -> Result<usize, usize> {
        self.buckets.binary_search_by(|bucket| bucket.tags.cmp(tags))
    }

    /// Adds what an event with these tags added to the meter.
    pub(super) fn add(&mut self, tags: &Tags, used: Quantity, due: Quantity) {
        if tags.is_empty() {
            return;
        }
        let place = self.place(tags).unwrap_or_else(|place| {
            let (used, due) = (Quantity::ZERO, Quantity::ZERO);
            self.buckets.insert(place, Bucket { tags: tags.clone(), used, due, allocated: 0 });
            place
        });
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.used = bucket.used.plus(used);
            bucket.due = bucket.due.plus(due);
        }
    }

    /// Takes back what a released reservation with these tags had added.
    pub(super) fn take_back(&mut self, tags: &Tags, used: Quantity) {
        if let Ok(place) = self.place(tags)
            && let Some(bucket) = self.buckets.get_mut(place)
        {
            bucket.used = bucket.used.minus(used);
        }
    }

    /// Divides what became due at once, when provisional terms became known, in proportion to what each bucket used.
    /// Fractions below the sixth place stay with the bucket without tags if it used anything, else with the first.
    pub(super) fn judge(&mut self, became_due: Quantity, used: Quantity) {
        if became_due.is_zero() || used.is_zero() {
            return;
        }
        let mut left = became_due;
        let mut untagged = used;
        for bucket in &mut self.buckets {
            let part = proportion(became_due, bucket.used, used);
            bucket.due = bucket.due.plus(part);
            left = left.minus(part);
            untagged = untagged.minus(bucket.used);
        }
        if untagged.is_zero()
            && let Some(first) = self.buckets.iter_mut().find(|bucket| !bucket.used.is_zero())
        {
            first.due = first.due.plus(left);
        }
    }

    /// Allocates whole units of a meter that owes `due` and of which `handled` units were allocated before; at most as
    /// many as are outstanding. Answers by bucket, the one without tags last.
    pub(super) fn allocate(&mut self, units: u64, due: Quantity, handled: u64) -> Vec<Allocation> {
        if self.is_empty() || units == 0 {
            return Vec::new();
        }
        let mut shares = self.outstanding(due, handled);
        hand_out(&mut shares, units);
        for (bucket, share) in self.buckets.iter_mut().zip(&shares) {
            bucket.allocated = bucket.allocated.saturating_add(share.given);
        }
        let tags = self.buckets.iter().map(|bucket| bucket.tags.clone());
        let all = tags.chain([Tags::default()]).zip(shares);
        let given: Vec<_> = all
            .map(|(tags, share)| Allocation { tags, quantity: share.given })
            .filter(|allocation| allocation.quantity > 0)
            .collect();
        if given.iter().all(|allocation| allocation.tags.is_empty()) { Vec::new() } else { given }
    }

    /// Takes back what was allocated to units that wait again.
    pub(super) fn give_back(&mut self, allocations: &[Allocation]) {
        for allocation in allocations {
            if let Ok(place) = self.place(&allocation.tags)
                && let Some(bucket) = self.buckets.get_mut(place)
            {
                bucket.allocated = bucket.allocated.saturating_sub(allocation.quantity);
            }
        }
    }

    /// What is outstanding of each bucket; of the one without tags last.
    fn outstanding(&self, due: Quantity, handled: u64) -> Vec<Share> {
        let mut rest = due.as_decimal().saturating_sub(Decimal::from(handled));
        let mut shares = Vec::with_capacity(self.buckets.len().saturating_add(1));
        for bucket in &self.buckets {
            let allocated = Decimal::from(bucket.allocated);
            let outstanding = bucket.due.as_decimal().saturating_sub(allocated);
            rest = rest.saturating_sub(outstanding);
            shares.push(Share { outstanding, given: 0 });
        }
        shares.push(Share { outstanding: rest, given: 0 });
        shares
    }
}

/// What one bucket is still owed in a record, and what it is given of it.
#[derive(Debug, Clone, Copy)]
struct Share {
    outstanding: Decimal,
    given: u64,
}

impl Share {
    fn give(&mut self, units: u64) {
        self.given = self.given.saturating_add(units);
        self.outstanding = self.outstanding.saturating_sub(Decimal::from(units));
    }
}

/// Whole units first, as far as they reach; then one by one to whom the most is outstanding.
fn hand_out(shares: &mut [Share], units: u64) {
    let whole = |share: &Share, less: u64| {
        let floor = share.outstanding.floor().max(Decimal::ZERO);
        u64::try_from(floor.mantissa()).unwrap_or(0).saturating_sub(less)
    };
    let all =
        |less: u64| shares.iter().map(|share| whole(share, less)).fold(0_u64, u64::saturating_add);
    // Buckets that are ahead make the others' whole units more than there are, by less than one for each.
    let less = (0..=u64::MAX).find(|less| all(*less) <= units).unwrap_or(u64::MAX);
    let mut left = units;
    for share in shares.iter_mut() {
        let given = whole(share, less).min(left);
        share.give(given);
        left = left.saturating_sub(given);
    }
    while left > 0 {
        let Some(most) = shares.iter_mut().max_by_key(|share| share.outstanding) else { return };
        most.give(1);
        left = left.saturating_sub(1);
    }
}

/// `whole × part / of`, rounded down to the sixth place.
fn proportion(whole: Quantity, part: Quantity, of: Quantity) -> Quantity {
    let (whole, part, of) = (micros(whole), micros(part.min(of)), micros(of));
    let exact = whole.checked_mul(part).and_then(|product| product.checked_div(of));
    let coarse = || whole.checked_div(of).and_then(|each| each.checked_mul(part));
    let micros = exact.or_else(coarse).unwrap_or(0);
    Decimal::try_from_i128_with_scale(micros, PLACES)
        .ok()
        .and_then(|decimal| Quantity::try_from(decimal).ok())
        .unwrap_or(Quantity::ZERO)
}

fn micros(quantity: Quantity) -> i128 {
    let mut decimal = quantity.as_decimal();
    decimal.rescale(PLACES);
    decimal.mantissa()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Result<Tags, InvalidTags> {
        let pairs: BTreeMap<String, String> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        pairs.try_into()
    }

    fn amount(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn what_became_due_at_once_is_divided_by_what_was_used() {
        let mut allocations = Allocations::default();
        for (name, used) in [("a", "10"), ("b", "20")] {
            allocations.add(&tags(&[("Team", name)]).unwrap(), amount(used), Quantity::ZERO);
        }
        allocations.judge(amount("20"), amount("60"));
        let dues: Vec<_> = allocations.buckets.iter().map(|it| it.due.to_string()).collect();
        assert_eq!(dues, ["3.333333", "6.666666"], "the rest is of those without tags");
        let mut alone = Allocations::default();
        alone.add(&tags(&[("Team", "a")]).unwrap(), amount("3"), Quantity::ZERO);
        alone.add(&tags(&[("Team", "b")]).unwrap(), amount("3"), Quantity::ZERO);
        alone.add(&tags(&[("Team", "c")]).unwrap(), amount("3"), Quantity::ZERO);
        alone.judge(amount("1"), amount("9"));
        let all = alone.buckets.iter().fold(Quantity::ZERO, |sum, it| sum.plus(it.due));
        assert_eq!(all, amount("1"), "nothing is left for those without tags, who used nothing");
    }

    #[test]
    fn a_meter_without_tags_allocates_nothing() {
        assert!(Allocations::default().allocate(7, amount("7"), 0).is_empty());
    }
}
