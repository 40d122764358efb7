//! Things that go wrong on purpose (F§11, "Faults, all off by default").

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// Everything that can be made to go wrong.
///
/// A fault strikes the next so many matching calls, then a share of them. Which ones a share
/// hits follows from the seed. Faults are not stored; a restart clears them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// `ThrottlingException`.
    pub throttle: Fault,
    /// An internal error before anything happened.
    pub internal_error: Fault,
    /// The effect is committed, and then the response is lost.
    pub lost_response: Fault,
    /// Expired credentials: `ExpiredTokenException` with status 403 on any call.
    pub expired_credentials: Fault,
    /// A metering call is refused as if the listing lacked the dimension: a mistake of the seller that is mended later.
    pub unknown_dimension: Fault,
    /// A valid record comes back in `UnprocessedRecords`; counts records, not calls.
    pub unprocessed: Fault,
    /// A notification is delivered twice. For notifications, the operation is the beginning of
    /// the detail type or of the SNS action.
    pub duplicate: Fault,
    /// A notification is held back by `delay_by`.
    pub delay: Fault,
    /// How long `delay` holds a notification back.
    pub delay_by: SignedDuration,
    /// A notification is held back by a random 1 to 120 s, so that it changes places.
    pub reorder: Fault,
    /// A notification never comes.
    pub drop: Fault,
}

/// One fault: the next so many, a share of the rest, and only of the named operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Strikes so many more times for certain.
    pub next: u32,
    /// Strikes this share of the rest.
    pub rate: Rate,
    /// Strikes only operations that begin with one of these; empty means all.
    pub operations: BTreeSet<String>,
}

impl Fault {
    /// Strikes the next `count` times.
    pub fn next(count: u32) -> Self {
        Self { next: count, ..Self::default() }
    }

    /// Strikes so many of a thousand.
    pub fn permille(thousandths: u16) -> Self {
        Self { rate: Rate::permille(thousandths), ..Self::default() }
    }

    /// Limits the fault to `operation`; call it again to add another.
    #[must_use]
    pub fn only(mut self, operation: &str) -> Self {
        self.operations.insert(operation.to_owned());
        self
    }

    /// Whether it strikes `operation` now; `always_on` is the rate that a switch adds.
    pub(crate) fn strikes(
        &mut self,
        operation: &str,
        always_on: Rate,
        random: &mut impl rand::Rng,
    ) -> bool {
        let matches = self.operations.is_empty()
            || self.operations.iter().any(|prefix| operation.starts_with(prefix.as_str()));
        if matches && self.next > 0 {
            self.next -= 1;
            return true;
        }
        (matches && self.rate.strikes(random)) || always_on.strikes(random)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_fault_strikes_the_next_matching_calls_and_then_no_more() {
        let mut random = StdRng::seed_from_u64(1);
        let mut fault = Fault::next(2).only("BatchMeterUsage");
        let mut struck = |operation| fault.strikes(operation, Rate::ZERO, &mut random);
        assert!(!struck("ResolveCustomer"));
        assert!(struck("BatchMeterUsage") && struck("BatchMeterUsage"));
        assert!(!struck("BatchMeterUsage"));
    }

    #[test]
    fn a_share_follows_from_the_seed() {
        let run = |seed| {
            let (mut random, mut fault) = (StdRng::seed_from_u64(seed), Fault::permille(300));
            (0..200).map(|_| fault.strikes("any", Rate::ZERO, &mut random)).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        let struck = run(3).into_iter().filter(|it| *it).count();
        assert!((30..90).contains(&struck), "{struck}");
    }
}
