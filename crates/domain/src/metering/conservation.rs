//! The conservation law of a meter, weighed against what does not come from the meter: the usage events that were
//! ingested and the lines of the ledger.
//!
//! `ingested = within the plan + metered + pending + not yet metered + parked`

use serde::{Deserialize, Serialize};

use super::{Balance, Meter, MeteringRecord, RecordStatus};
use crate::catalog::Aggregation;
use crate::quantity::Quantity;

/// What the usage events of one meter add up to, both ways: its meter says which counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ingested {
    sum: Quantity,
    peak: Quantity,
}

impl Ingested {
    /// Counts an event that was not released.
    pub fn count(&mut self, quantity: Quantity) {
        self.sum = self.sum.plus(quantity);
        self.peak = self.peak.max(quantity);
    }

    /// What a meter of that kind must hold.
    pub fn of(&self, aggregation: Aggregation) -> Quantity {
        match aggregation {
            Aggregation::Sum => self.sum,
            Aggregation::Peak => self.peak,
        }
    }
}

/// What the ledger of one meter adds up to, in whole units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Accepted by AWS.
    pub accepted: u64,
    /// Refused or lost, closed by a human or not.
    pub parked: u64,
}

impl Ledger {
    /// Counts a line. One that was retried counts nothing: its units wait again.
    pub fn count(&mut self, record: &MeteringRecord) {
        let side = match record.status {
            RecordStatus::Accepted { .. } => &mut self.accepted,
            RecordStatus::Parked { .. } | RecordStatus::Closed { .. } => &mut self.parked,
            RecordStatus::Retried { .. } => return,
        };
        *side = side.saturating_add(record.quantity);
    }
}

/// A way in which a meter does not hold what it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokenLaw {
    /// The events add up to something else than the meter.
    EventsDiffer,
    /// The ledger's accepted lines add up to something else than what the meter calls metered.
    AcceptedDiffers,
    /// The ledger's parked lines add up to something else than what the meter calls parked.
    ParkedDiffers,
    /// More was metered, is pending or parked than is due.
    MoreThanDue,
    /// The parts do not add up to what was ingested.
    PartsDiffer,
    /// Something due waits and the index of unsettled meters does not hold it.
    NotInIndex,
}

impl BrokenLaw {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventsDiffer => "events-differ",
            Self::AcceptedDiffers => "accepted-differs",
            Self::ParkedDiffers => "parked-differs",
            Self::MoreThanDue => "more-than-due",
            Self::PartsDiffer => "parts-differ",
            Self::NotInIndex => "not-in-index",
        }
    }
}

/// What is wrong with a meter, with all numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imbalance {
    /// What is broken.
    pub laws: Vec<BrokenLaw>,
    /// What the events add up to.
    pub ingested: Quantity,
    /// What the meter says was ingested.
    pub aggregate: Quantity,
    /// What the meter says is due.
    pub due: Quantity,
    /// Where the meter says that every unit is.
    pub balance: Balance,
    /// What the ledger says.
    pub ledger: Ledger,
}

/// Weighs a meter.
///
/// # Errors
/// What does not add up.
pub fn weigh(meter: &Meter, ingested: Ingested, ledger: Ledger) -> Result<(), Box<Imbalance>> {
    let ingested = ingested.of(meter.aggregation);
    let (due, balance) = (meter.due(), meter.balance());
    let handled = balance.metered.plus(balance.pending).plus(balance.parked);
    let laws = [
        (BrokenLaw::EventsDiffer, ingested != meter.aggregate),
        (BrokenLaw::AcceptedDiffers, ledger.accepted != meter.metered),
        (BrokenLaw::ParkedDiffers, ledger.parked != meter.parked),
        (BrokenLaw::MoreThanDue, handled > Quantity::whole(due.floor())),
        (BrokenLaw::PartsDiffer, balance.total() != ingested),
        (BrokenLaw::NotInIndex, !meter.is_settled() && meter.unsettled_since().is_none()),
    ];
    let laws: Vec<_> = laws.into_iter().filter_map(|(law, broken)| broken.then_some(law)).collect();
    if laws.is_empty() {
        return Ok(());
    }
    let aggregate = meter.aggregate;
    Err(Box::new(Imbalance { laws, ingested, aggregate, due, balance, ledger }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Allowance, Overage};
    use crate::ids::LicenseRef;
    use crate::metering::{MeterKey, Terms};
    use jiff::Timestamp;

    /// A meter of 20 units with 12 included: 3 metered, 2 parked, 3 waiting.
    fn meter() -> Meter {
        let arn = "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap();
        let key = MeterKey {
            subscription: LicenseRef::License { arn }.subscription_id(),
            month: "2026-11".parse().unwrap(),
            dimension: "scans".parse().unwrap(),
        };
        let terms =
            Terms { included: Allowance::Limited(Quantity::whole(12)), overage: Overage::Billed };
        let mut meter = Meter::new(key, Aggregation::Sum, terms);
        meter.record(Quantity::whole(20), Timestamp::UNIX_EPOCH);
        Meter { metered: 3, parked: 2, ..meter }
    }

    fn ingested(quantities: &[u64]) -> Ingested {
        let mut ingested = Ingested::default();
        for quantity in quantities {
            ingested.count(Quantity::whole(*quantity));
        }
        ingested
    }

    fn broken(meter: &Meter, quantities: &[u64], accepted: u64, parked: u64) -> Vec<BrokenLaw> {
        match weigh(meter, ingested(quantities), Ledger { accepted, parked }) {
            Ok(()) => Vec::new(),
            Err(imbalance) => imbalance.laws,
        }
    }

    #[test]
    fn a_meter_that_holds_what_was_ingested_and_booked_passes() {
        assert_eq!(broken(&meter(), &[15, 5], 3, 2), []);
        let peak = Meter { aggregation: Aggregation::Peak, ..meter() };
        assert_eq!(broken(&peak, &[20, 5, 20], 3, 2), []);
    }

    #[test]
    fn every_difference_has_its_name() {
        use BrokenLaw::{
            AcceptedDiffers, EventsDiffer, MoreThanDue, NotInIndex, ParkedDiffers, PartsDiffer,
        };
        assert_eq!(broken(&meter(), &[15, 4], 3, 2), [EventsDiffer, PartsDiffer]);
        assert_eq!(broken(&meter(), &[20], 4, 2), [AcceptedDiffers]);
        assert_eq!(broken(&meter(), &[20], 3, 0), [ParkedDiffers]);
        let over = Meter { metered: 9, waiting_since: None, ..meter() };
        assert_eq!(broken(&over, &[20], 9, 2), [MoreThanDue, PartsDiffer]);
        let forgotten = Meter { waiting_since: None, ..meter() };
        assert_eq!(broken(&forgotten, &[20], 3, 2), [NotInIndex]);
    }

    #[test]
    fn a_meter_of_which_all_that_is_due_is_handled_passes() {
        let all = Meter { metered: 6, waiting_since: None, ..meter() };
        assert_eq!(broken(&all, &[20], 6, 2), []);
    }

    #[test]
    fn a_ledger_holds_what_was_accepted_beside_what_was_given_up() {
        use crate::metering::{Closing, ParkReason};
        let line = |quantity, status| MeteringRecord {
            key: meter().key,
            hour: None,
            quantity,
            status,
            booked_at: Timestamp::UNIX_EPOCH,
            allocations: Vec::new(),
        };
        let parked = RecordStatus::Parked { reason: ParkReason::Expired, code: None };
        let closed = RecordStatus::Closed {
            reason: ParkReason::Expired,
            how: Closing::WrittenOff,
            note: String::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let mut ledger = Ledger::default();
        for record in [
            line(3, RecordStatus::Accepted { record_id: None }),
            line(4, RecordStatus::Accepted { record_id: None }),
            line(5, parked.clone()),
            line(6, closed),
            line(
                7,
                RecordStatus::Retried { reason: ParkReason::Expired, at: Timestamp::UNIX_EPOCH },
            ),
        ] {
            ledger.count(&record);
        }
        assert_eq!(ledger, Ledger { accepted: 7, parked: 11 });
    }

    #[test]
    fn the_names_of_the_laws_are_stable() {
        let laws = [
            BrokenLaw::EventsDiffer,
            BrokenLaw::AcceptedDiffers,
            BrokenLaw::ParkedDiffers,
            BrokenLaw::MoreThanDue,
            BrokenLaw::PartsDiffer,
            BrokenLaw::NotInIndex,
        ];
        let names = [
            "events-differ",
            "accepted-differs",
            "parked-differs",
            "more-than-due",
            "parts-differ",
            "not-in-index",
        ];
        assert_eq!(laws.map(BrokenLaw::as_str), names);
    }
}
