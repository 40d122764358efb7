//! What the buyer's people do: drawn from the seed, with repeats and latecomers, as a platform under load reports it.

use domain::catalog::{Aggregation, Catalog};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use serde::Serialize;

/// One report as the platform sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageReport {
    pub(super) key: String,
    pub(super) dimension: String,
    pub(super) quantity: String,
    pub(super) at: Timestamp,
}

impl UsageReport {
    pub(super) fn quantity(&self) -> Decimal {
        self.quantity.parse().unwrap_or_default()
    }
}

/// A platform that reports.
#[derive(Debug)]
pub(super) struct Platform {
    random: StdRng,
    sent: Vec<UsageReport>,
    count: u64,
}

impl Platform {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), sent: Vec::new(), count: 0 }
    }

    /// A batch at `now`, of usage no older than `oldest`: most of it fresh, some of it late, some of it sent before.
    pub(super) fn batch(
        &mut self,
        catalog: &Catalog,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Vec<UsageReport> {
        let mut batch = Vec::new();
        for _ in 0..self.random.random_range(8..=16) {
            if let Some(spec) = catalog.dimensions().choose(&mut self.random) {
                let quantity = self.quantity(spec.id.as_str(), spec.aggregation);
                let at = self.moment(oldest, now);
                batch.push(self.report(spec.id.as_str(), quantity, at));
            }
        }
        let repeats: Vec<_> = self.sent.sample(&mut self.random, 3).cloned().collect();
        self.sent.clone_from(&batch);
        batch.extend(repeats);
        batch
    }

    /// One report of a given amount.
    pub(super) fn report(
        &mut self,
        dimension: &str,
        quantity: Decimal,
        at: Timestamp,
    ) -> UsageReport {
        self.count += 1;
        UsageReport {
            key: format!("event-{:06}", self.count),
            dimension: dimension.to_owned(),
            quantity: quantity.normalize().to_string(),
            at,
        }
    }

    /// Sums come in many small steps, some of them fractions; peaks are levels.
    fn quantity(&mut self, dimension: &str, aggregation: Aggregation) -> Decimal {
        match (aggregation, dimension) {
            (Aggregation::Sum, "api-calls") => {
                Decimal::new(self.random.random_range(1..=2_000_000), 3)
            }
            (Aggregation::Peak, "storage-gb") => {
                Decimal::new(self.random.random_range(1..=90_000_000), 6)
            }
            (Aggregation::Sum | Aggregation::Peak, _) => {
                Decimal::from(self.random.random_range(1_u32..=60))
            }
        }
    }

    /// One in four is late.
    fn moment(&mut self, oldest: Timestamp, now: Timestamp) -> Timestamp {
        let late = self.random.random_ratio(1, 4);
        let reach =
            if late { SignedDuration::from_hours(60) } else { SignedDuration::from_mins(50) };
        let seconds = self.random.random_range(0..=reach.as_secs());
        let at = now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(now);
        at.max(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_reports_the_same_with_repeats_and_latecomers() {
        let catalog = Catalog::from_toml(include_str!("../../../../config/plans.toml")).unwrap();
        let now: Timestamp = "2026-11-10T08:00:00Z".parse().unwrap();
        let run = |seed| {
            let mut platform = Platform::new(seed);
            let batches = (0..10).map(|_| platform.batch(&catalog, Timestamp::UNIX_EPOCH, now));
            batches.flatten().collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let all = run(7);
        let keys: std::collections::BTreeSet<_> = all.iter().map(|report| &report.key).collect();
        assert!(keys.len() < all.len(), "some come twice");
        let late = now - SignedDuration::from_hours(2);
        assert!(all.iter().any(|report| report.at < late) && all.iter().any(|r| r.at > late));
    }
}
