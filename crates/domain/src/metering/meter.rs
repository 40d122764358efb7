//! A meter: what was used in one dimension in one month, what of it is due, and what of that AWS has accepted.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Allocation, Allocations, Tags};
use crate::catalog::{Aggregation, Allowance, Overage};
use crate::ids::{Dimension, SubscriptionId};
use crate::quantity::Quantity;
use crate::time::{Hour, Month};

/// Which meter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterKey {
    /// Whose.
    pub subscription: SubscriptionId,
    /// The billing month, UTC.
    pub month: Month,
    /// Of what.
    pub dimension: Dimension,
}

impl fmt::Display for MeterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.subscription, self.month, self.dimension)
    }
}

/// What the plan in force says about a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// What costs nothing extra.
    pub included: Allowance,
    /// What happens beyond it.
    pub overage: Overage,
}

/// A metering record that is fixed and not yet known to be accepted. Once written, hour and quantity never change:
/// however often it is sent, AWS counts it once (fact sheet §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The hour key it is sent under.
    pub hour: Hour,
    /// Whole units.
    pub quantity: u64,
    /// When it was fixed.
    pub frozen_at: Timestamp,
    /// Whether somebody else than the one who fixed it may have sent it. Only before that does it say something that
    /// AWS already holds a record under this hour: it is not ours then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sent_before: bool,
}

impl Pending {
    /// Whether both are the same record, whoever has sent it.
    pub fn is(&self, other: &Self) -> bool {
        (self.hour, self.quantity, self.frozen_at) == (other.hour, other.quantity, other.frozen_at)
    }
}

/// The meter of one dimension of one subscription in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meter {
    /// Which meter.
    pub key: MeterKey,
    /// How reports add up.
    pub aggregation: Aggregation,
    /// Total or peak of all reports.
    pub aggregate: Quantity,
    /// The plan in force.
    pub terms: Terms,
    /// The aggregate when that plan took effect.
    pub base: Quantity,
    /// What was due until then.
    pub due_before: Quantity,
    /// Whole units that AWS accepted.
    pub metered: u64,
    /// Whole units that AWS will never accept, kept for a human.
    pub parked: u64,
    /// Hours of the last day that carried a record; none may carry two.
    pub used_hours: BTreeSet<Hour>,
    /// The record under way, at most one.
    pub pending: Option<Pending>,
    /// The hour since which something due has been waiting to be frozen.
    pub waiting_since: Option<Hour>,
    /// The share of the included amount that the platform was last told about: 0, 80 or 100 percent.
    pub warned: u8,
    /// What the buyer's tags used and owe; empty where no usage carries tags.
    #[serde(default, skip_serializing_if = "Allocations::is_empty")]
    pub allocations: Allocations,
    /// How many writes it has seen; guards every write.
    pub revision: u64,
}

/// Units that are due and will never be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub quantity: u64,
    /// How they were allocated to tags.
    pub allocations: Vec<Allocation>,
}

/// Where every unit of a meter's aggregate is. The parts add up to the aggregate, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Costs nothing extra.
    pub within_plan: Quantity,
    /// Accepted by AWS.
    pub metered: Quantity,
    /// Sent or about to be, not yet known to be accepted.
    pub pending: Quantity,
    /// Due and waiting, the fraction below a whole unit included.
    pub not_yet_metered: Quantity,
    /// Refused by AWS for good, kept for a human.
    pub parked: Quantity,
}

/// A reservation that does not fit into what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{remaining} left")]
pub struct QuotaExceeded {
    /// What is left.
    pub remaining: Quantity,
}

impl Meter {
    /// A meter on which nothing was used yet.
    pub fn new(key: MeterKey, aggregation: Aggregation, terms: Terms) -> Self {
        Self {
            key,
            aggregation,
            aggregate: Quantity::ZERO,
            terms,
            base: Quantity::ZERO,
            due_before: Quantity::ZERO,
            metered: 0,
            parked: 0,
            used_hours: BTreeSet::new(),
            pending: None,
            waiting_since: None,
            warned: 0,
            allocations: Allocations::default(),
            revision: 0,
        }
    }

    /// What the buyer owes for this month so far, in units and fractions of units.
    pub fn due(&self) -> Quantity {
        let stretch = match (self.terms.overage, self.terms.included) {
            (Overage::Blocked, _) | (Overage::Billed, Allowance::Unlimited) => Quantity::ZERO,
            (Overage::Billed, Allowance::Limited(included)) => {
                self.aggregate.minus(included.max(self.base))
            }
        };
        self.due_before.plus(stretch)
    }

    /// Whole units due for which no record exists yet.
    pub fn to_meter(&self) -> u64 {
        self.due().floor().saturating_sub(self.handled())
    }

    /// Whether nothing is due and no record is under way.
    pub fn is_settled(&self) -> bool {
        self.pending.is_none() && self.to_meter() == 0
    }

    /// The oldest hour whose money is not yet known to be accepted; absent when settled.
    pub fn unsettled_since(&self) -> Option<Hour> {
        match (self.pending.map(|pending| pending.hour), self.waiting_since) {
            (Some(pending), Some(waiting)) => Some(pending.min(waiting)),
            (pending, waiting) => pending.or(waiting),
        }
    }

    /// What may still be used without going beyond what is included; `None` is without limit.
    pub fn remaining(&self) -> Option<Quantity> {
        match self.terms.included {
            Allowance::Limited(included) => Some(included.minus(self.aggregate)),
            Allowance::Unlimited => None,
        }
    }

    /// Counts a report. `now` is when it came, which is when money begins to wait.
    pub fn record(&mut self, quantity: Quantity, now: Timestamp) {
        self.record_tagged(quantity, &Tags::default(), now);
    }

    /// Counts a report with tags. Whatever it adds to what is due is owed by its tags.
    pub fn record_tagged(&mut self, quantity: Quantity, tags: &Tags, now: Timestamp) {
        let (used, due) = (self.aggregate, self.due());
        self.aggregate = match self.aggregation {
            Aggregation::Sum => self.aggregate.plus(quantity),
            Aggregation::Peak => self.aggregate.max(quantity),
        };
        self.allocations.add(tags, self.aggregate.minus(used), self.due().minus(due));
        self.note_waiting(now);
    }

    /// The share of the included amount, 80 or 100 percent, that is newly reached; answered once each a month.
    pub fn quota_reached(&mut self) -> Option<u8> {
        let Allowance::Limited(included) = self.terms.included else { return None };
        if included.is_zero() {
            return None;
        }
        let reached = if self.aggregate >= included {
            100
        } else if self.aggregate >= included.percent(80) {
            80
        } else {
            0
        };
        (reached > self.warned).then(|| {
            self.warned = reached;
            reached
        })
    }

    /// Counts a reservation if the dimension bills beyond its limit or the limit still holds it.
    ///
    /// # Errors
    /// Tells what is left when it does not fit; nothing is counted.
    pub fn consume(&mut self, quantity: Quantity, now: Timestamp) -> Result<(), QuotaExceeded> {
        self.consume_tagged(quantity, &Tags::default(), now)
    }

    /// Counts a reservation with tags, as [`Meter::consume`] does.
    ///
    /// # Errors
    /// Tells what is left when it does not fit; nothing is counted.
    pub fn consume_tagged(
        &mut self,
        quantity: Quantity,
        tags: &Tags,
        now: Timestamp,
    ) -> Result<(), QuotaExceeded> {
        let would_be = match self.aggregation {
            Aggregation::Sum => self.aggregate.plus(quantity),
            Aggregation::Peak => self.aggregate.max(quantity),
        };
        match (self.terms.overage, self.terms.included) {
            (Overage::Blocked, Allowance::Limited(included)) if would_be > included => {
                Err(QuotaExceeded { remaining: included.minus(self.aggregate) })
            }
            (Overage::Blocked | Overage::Billed, _) => {
                self.record_tagged(quantity, tags, now);
                Ok(())
            }
        }
    }

    /// Takes back a reservation of a dimension that sums and whose limit blocks: nothing of it was ever due.
    /// Answers whether it could.
    #[must_use]
    pub fn release(&mut self, quantity: Quantity) -> bool {
        self.release_tagged(quantity, &Tags::default())
    }

    /// Takes back a reservation with tags, as [`Meter::release`] does.
    #[must_use]
    pub fn release_tagged(&mut self, quantity: Quantity, tags: &Tags) -> bool {
        if !self.is_reversible() || quantity > self.aggregate.minus(self.base) {
            return false;
        }
        self.aggregate = self.aggregate.minus(quantity);
        self.allocations.take_back(tags, quantity);
        true
    }

    /// Whether a reservation can be taken back: only where usage sums up and never costs anything.
    pub fn is_reversible(&self) -> bool {
        matches!((self.aggregation, self.terms.overage), (Aggregation::Sum, Overage::Blocked))
    }

    /// Closes the stretch under the plan in force and opens one under another: what was owed stays owed, and nothing
    /// of the past is charged under the new plan.
    pub fn change_terms(&mut self, terms: Terms, now: Timestamp) {
        self.due_before = self.due();
        self.base = self.aggregate;
        self.terms = terms;
        self.note_waiting(now);
    }

    /// Puts terms that are now known in the place of provisional ones: all that was used so far is judged by them.
    pub fn settle_terms(&mut self, terms: Terms, now: Timestamp) {
        let due = self.due();
        self.terms = terms;
        self.allocations.judge(self.due().minus(due), self.aggregate);
        self.note_waiting(now);
    }

    /// Fixes a record for all that is due and waiting, at most `most` units.
    pub(super) fn freeze(&mut self, hour: Hour, most: u64, now: Timestamp, oldest_useful: Hour) {
        let quantity = self.to_meter().min(most);
        let (due, handled) = (self.due(), self.handled());
        self.allocations.pending = self.allocations.allocate(quantity, due, handled);
        self.pending = Some(Pending { hour, quantity, frozen_at: now, sent_before: false });
        self.used_hours.retain(|used| *used >= oldest_useful);
        self.used_hours.insert(hour);
        self.forget_waiting();
    }

    /// Notes that the record under way is about to be sent by another than the one who fixed it. Answers whether that
    /// is news.
    #[must_use]
    pub fn send_again(&mut self) -> bool {
        self.pending
            .as_mut()
            .is_some_and(|pending| !std::mem::replace(&mut pending.sent_before, true))
    }

    /// Books the record under way as accepted and answers it.
    pub fn accept_pending(&mut self) -> Option<Pending> {
        let pending = self.pending.take()?;
        self.allocations.pending.clear();
        self.metered = self.metered.saturating_add(pending.quantity);
        Some(pending)
    }

    /// Books the record under way as refused for good and answers it.
    pub fn park_pending(&mut self) -> Option<Pending> {
        let pending = self.pending.take()?;
        self.allocations.pending.clear();
        self.parked = self.parked.saturating_add(pending.quantity);
        Some(pending)
    }

    /// Books all that waits without a record as lost to AWS and answers how much it was.
    pub fn park_waiting(&mut self) -> Lost {
        let quantity = self.to_meter();
        let (due, handled) = (self.due(), self.handled());
        let allocations = self.allocations.allocate(quantity, due, handled);
        self.parked = self.parked.saturating_add(quantity);
        self.forget_waiting();
        Lost { quantity, allocations }
    }

    /// Takes units that were parked without ever being sent back among those that wait.
    pub(super) fn take_back(&mut self, quantity: u64, allocations: &[Allocation], now: Timestamp) {
        self.parked = self.parked.saturating_sub(quantity);
        self.allocations.give_back(allocations);
        self.note_waiting(now);
    }

    /// Puts a parked record under way again, as it was.
    pub(super) fn resume(
        &mut self,
        hour: Hour,
        quantity: u64,
        allocations: Vec<Allocation>,
        now: Timestamp,
    ) {
        self.parked = self.parked.saturating_sub(quantity);
        self.allocations.pending = allocations;
        self.pending = Some(Pending { hour, quantity, frozen_at: now, sent_before: true });
        self.used_hours.insert(hour);
    }

    /// Where every unit of the aggregate is.
    pub fn balance(&self) -> Balance {
        let due = self.due();
        Balance {
            within_plan: self.aggregate.minus(due),
            metered: Quantity::whole(self.metered),
            pending: Quantity::whole(self.pending_units()),
            not_yet_metered: due.minus(Quantity::whole(self.handled())),
            parked: Quantity::whole(self.parked),
        }
    }

    fn pending_units(&self) -> u64 {
        self.pending.map_or(0, |pending| pending.quantity)
    }

    fn handled(&self) -> u64 {
        self.metered.saturating_add(self.parked).saturating_add(self.pending_units())
    }

    fn note_waiting(&mut self, now: Timestamp) {
        if self.to_meter() > 0 {
            self.waiting_since.get_or_insert(Hour::of(now));
        }
    }

    fn forget_waiting(&mut self) {
        if self.to_meter() == 0 {
            self.waiting_since = None;
        }
    }
}

impl Balance {
    /// The sum of the parts.
    pub fn total(&self) -> Quantity {
        let Self { within_plan, metered, pending, not_yet_metered, parked } = *self;
        within_plan.plus(metered).plus(pending).plus(not_yet_metered).plus(parked)
    }
}
