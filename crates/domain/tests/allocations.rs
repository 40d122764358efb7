//! The laws of cost allocation, over thousands of histories of usage, plan changes, records, losses and retries.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use domain::catalog::{Aggregation, Allowance, Overage};
use domain::ids::LicenseRef;
use domain::metering::{
    Allocation, Freeze, Lost, MOST_TAG_SETS, Meter, MeterKey, MeteringPhase, MeteringRecord,
    ParkReason, RecordStatus, Tags, Terms, freeze, retry,
};
use domain::quantity::Quantity;
use domain::time::MeteringWindow;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn start() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn team(number: u8) -> Tags {
    let tags = BTreeMap::from([("Team".to_owned(), format!("team {number}"))]);
    if number == 0 { Tags::default() } else { tags.try_into().unwrap() }
}

fn meter(aggregation: Aggregation, terms: Terms) -> Meter {
    let arn = "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap();
    let key = MeterKey {
        subscription: LicenseRef::License { arn }.subscription_id(),
        month: "2026-11".parse().unwrap(),
        dimension: "scans".parse().unwrap(),
    };
    Meter::new(key, aggregation, terms)
}

#[derive(Debug, Clone)]
enum Step {
    Use(u8, Quantity),
    ChangePlan(Terms),
    JudgeProvisional(Terms),
    /// Freezes; the record is accepted, parked, or parked and retried.
    Record(u8),
    /// What waits is given up, and perhaps taken up again.
    Lose(bool),
}

fn quantity(whole: bool) -> BoxedStrategy<Quantity> {
    let units = (0..40_u64).prop_map(Quantity::whole);
    if whole {
        return units.boxed();
    }
    let micros =
        (0..4_000_000_i64).prop_map(|micros| Quantity::try_from(Decimal::new(micros, 6)).unwrap());
    prop_oneof![1 => units, 3 => micros].boxed()
}

fn terms() -> impl Strategy<Value = Terms> {
    let included = prop_oneof![
        1 => Just(Allowance::Unlimited),
        6 => (0..60_u64).prop_map(|units| Allowance::Limited(Quantity::whole(units))),
    ];
    included.prop_map(|included| Terms { included, overage: Overage::Billed })
}

fn steps(whole: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6_u8, quantity(whole)).prop_map(|(team, quantity)| Step::Use(team, quantity)),
        1 => terms().prop_map(Step::ChangePlan),
        4 => (0..6_u8).prop_map(Step::Record),
        1 => any::<bool>().prop_map(Step::Lose),
    ];
    let judged = prop::option::of(terms().prop_map(Step::JudgeProvisional));
    (prop::collection::vec(step.clone(), 0..20), judged, prop::collection::vec(step, 0..40))
        .prop_map(|(before, judged, after)| before.into_iter().chain(judged).chain(after).collect())
}

/// What a bucket is owed less what it was allocated, the one without tags last.
fn outstanding(meter: &Meter) -> Vec<Decimal> {
    let balance = meter.balance();
    let handled = balance.metered.plus(balance.pending).plus(balance.parked).as_decimal();
    let mut rest = meter.due().as_decimal() - handled;
    let mut all = Vec::new();
    for bucket in &meter.allocations.buckets {
        let outstanding = bucket.due.as_decimal() - Decimal::from(bucket.allocated);
        rest -= outstanding;
        all.push(outstanding);
    }
    all.push(rest);
    all
}

fn line(
    meter: &Meter,
    hour: Option<domain::time::Hour>,
    lost: Lost,
    now: Timestamp,
) -> MeteringRecord {
    MeteringRecord {
        key: meter.key.clone(),
        hour,
        quantity: lost.quantity,
        status: RecordStatus::Parked { reason: ParkReason::Rejected, code: None },
        booked_at: now,
        allocations: lost.allocations,
    }
}

/// Lives through the steps; checks every record.
fn live(mut meter: Meter, steps: Vec<Step>) -> Result<Meter, TestCaseError> {
    let (phase, window) = (MeteringPhase::Open { since: start() }, MeteringWindow::default());
    let mut now = start();
    let mut judged = false;
    for step in steps {
        now += SignedDuration::from_mins(61);
        match step {
            Step::Use(number, quantity) => meter.record_tagged(quantity, &team(number), now),
            Step::ChangePlan(terms) => meter.change_terms(terms, now),
            Step::JudgeProvisional(terms) if !judged => {
                judged = true;
                // Provisional terms owe nothing, so what is known can only add.
                let before = meter.due();
                let mut tried = meter.clone();
                tried.settle_terms(terms, now);
                if tried.due() >= before {
                    meter = tried;
                }
            }
            Step::JudgeProvisional(_) => {}
            Step::Record(fate) => {
                if freeze(&mut meter, phase, &window, now) != Freeze::Frozen {
                    continue;
                }
                let pending = meter.pending.unwrap();
                let allocations = meter.allocations.pending.clone();
                adds_up(pending.quantity, &allocations)?;
                match fate {
                    0 | 1 => {
                        meter.park_pending();
                        let lost =
                            Lost { quantity: pending.quantity, allocations: allocations.clone() };
                        let parked = line(&meter, Some(pending.hour), lost, now);
                        if fate == 1 {
                            retry(&mut meter, &parked, phase, &window, now).unwrap();
                            prop_assert_eq!(
                                &meter.allocations.pending,
                                &allocations,
                                "the same record"
                            );
                            prop_assert_eq!(meter.pending.unwrap().quantity, pending.quantity);
                            meter.accept_pending();
                        }
                    }
                    _ => {
                        meter.accept_pending();
                    }
                }
                prop_assert!(meter.allocations.pending.is_empty());
            }
            Step::Lose(again) => {
                if meter.to_meter() == 0 {
                    continue;
                }
                let lost = meter.park_waiting();
                adds_up(lost.quantity, &lost.allocations)?;
                let parked = line(&meter, None, lost, now);
                if again {
                    retry(&mut meter, &parked, phase, &window, now).unwrap();
                }
            }
        }
        for outstanding in outstanding(&meter) {
            prop_assert!(outstanding > -Decimal::ONE, "allocated a unit more than is owed");
        }
        if meter.is_settled() {
            let all = outstanding(&meter);
            for outstanding in &all {
                prop_assert!(*outstanding < Decimal::from(all.len()), "too little: {all:?}");
            }
        }
    }
    Ok(meter)
}

fn adds_up(quantity: u64, allocations: &[Allocation]) -> Result<(), TestCaseError> {
    if allocations.is_empty() {
        return Ok(());
    }
    let sum: u64 = allocations.iter().map(|allocation| allocation.quantity).sum();
    prop_assert_eq!(sum, quantity, "the allocations are the quantity");
    prop_assert!(allocations.iter().all(|allocation| allocation.quantity > 0));
    let mut tags: Vec<&Tags> = allocations.iter().map(|allocation| &allocation.tags).collect();
    tags.sort();
    tags.dedup();
    prop_assert_eq!(tags.len(), allocations.len(), "each set of tags once");
    Ok(())
}

proptest! {
    /// Laws 1 to 3, and that tags never change what is billed.
    #[test]
    fn allocations_add_up_and_nobody_is_allocated_a_unit_too_much(
        peak in any::<bool>(),
        first in terms(),
        steps in steps(false),
    ) {
        let aggregation = if peak { Aggregation::Peak } else { Aggregation::Sum };
        let tagged = live(meter(aggregation, first), steps.clone())?;
        let untagged: Vec<Step> = steps
            .into_iter()
            .map(|step| if let Step::Use(_, quantity) = step { Step::Use(0, quantity) } else { step })
            .collect();
        let plain = live(meter(aggregation, first), untagged)?;
        prop_assert_eq!(tagged.balance(), plain.balance());
        prop_assert!(plain.allocations.is_empty());
    }

    /// Law 4: whole units are allocated exactly, whoever used them in whichever order.
    #[test]
    fn whole_units_are_allocated_exactly(first in terms(), steps in steps(true)) {
        let steps = steps.into_iter().filter(|step| !matches!(step, Step::JudgeProvisional(_)));
        let meter = live(meter(Aggregation::Sum, first), steps.collect())?;
        if meter.is_settled() {
            for outstanding in outstanding(&meter) {
                prop_assert!(outstanding.is_zero(), "{:?}", meter.allocations);
            }
        }
    }

    /// Buckets' dues are the meter's: nothing owed by tags is owed by nobody, or twice.
    #[test]
    fn what_tags_owe_is_a_part_of_what_is_due(first in terms(), steps in steps(false)) {
        let meter = live(meter(Aggregation::Sum, first), steps)?;
        let owed = meter.allocations.buckets.iter().fold(Quantity::ZERO, |sum, it| sum.plus(it.due));
        let used = meter.allocations.buckets.iter().fold(Quantity::ZERO, |sum, it| sum.plus(it.used));
        prop_assert!(owed <= meter.due());
        prop_assert!(used <= meter.aggregate);
    }
}

#[test]
fn a_quarter_each_of_four_is_one_unit_in_turn() {
    let nothing = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
    let mut meter = meter(Aggregation::Sum, nothing);
    let (phase, window) = (MeteringPhase::Open { since: start() }, MeteringWindow::default());
    let mut allocated: BTreeMap<Tags, u64> = BTreeMap::new();
    let mut now = start();
    for _ in 0..4 {
        for number in 1..=4 {
            meter.record_tagged("0.25".parse().unwrap(), &team(number), now);
        }
        now += SignedDuration::from_hours(1);
        assert_eq!(freeze(&mut meter, phase, &window, now), Freeze::Frozen);
        for Allocation { tags, quantity } in meter.allocations.pending.clone() {
            *allocated.entry(tags).or_default() += quantity;
        }
        meter.accept_pending();
    }
    assert_eq!(allocated.into_values().collect::<Vec<_>>(), [1, 1, 1, 1]);
}

#[test]
fn the_included_amount_is_used_up_by_whoever_comes_first() {
    let terms =
        Terms { included: Allowance::Limited(Quantity::whole(10)), overage: Overage::Billed };
    let mut meter = meter(Aggregation::Sum, terms);
    meter.record_tagged(Quantity::whole(8), &team(1), start());
    meter.record_tagged(Quantity::whole(8), &team(2), start());
    meter.record(Quantity::whole(3), start());
    let (phase, window) = (MeteringPhase::Open { since: start() }, MeteringWindow::default());
    let now = start() + SignedDuration::from_hours(1);
    assert_eq!(freeze(&mut meter, phase, &window, now), Freeze::Frozen);
    let wanted = [
        Allocation { tags: team(2), quantity: 6 },
        Allocation { tags: Tags::default(), quantity: 3 },
    ];
    assert_eq!(meter.allocations.pending, wanted);
}

#[test]
fn there_is_room_for_so_many_sets_of_tags_and_for_those_that_are_there() {
    let nothing = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
    let mut allocations = meter(Aggregation::Sum, nothing).allocations;
    for number in 1..=u8::try_from(MOST_TAG_SETS).unwrap() {
        assert!(allocations.make_room(&team(number)));
    }
    assert!(!allocations.make_room(&team(200)));
    assert!(allocations.make_room(&team(7)) && allocations.make_room(&Tags::default()));
}

#[test]
fn a_reservation_that_goes_back_is_taken_back_from_its_tags() {
    let blocked =
        Terms { included: Allowance::Limited(Quantity::whole(10)), overage: Overage::Blocked };
    let mut meter = meter(Aggregation::Sum, blocked);
    meter.consume_tagged(Quantity::whole(7), &team(1), start()).unwrap();
    assert!(meter.release_tagged(Quantity::whole(3), &team(1)));
    assert_eq!(meter.allocations.buckets[0].used, Quantity::whole(4));
}

#[test]
fn units_that_wait_again_are_allocated_to_the_same_tags_again() {
    let nothing = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
    let mut meter = meter(Aggregation::Sum, nothing);
    meter.record_tagged(Quantity::whole(5), &team(1), start());
    let Lost { quantity, allocations } = meter.park_waiting();
    assert_eq!(allocations, [Allocation { tags: team(1), quantity: 5 }]);
    let lost = MeteringRecord {
        key: meter.key.clone(),
        hour: None,
        quantity,
        status: RecordStatus::Parked { reason: ParkReason::Expired, code: None },
        booked_at: start(),
        allocations: allocations.clone(),
    };
    let (phase, window) = (MeteringPhase::Open { since: start() }, MeteringWindow::default());
    let now = start() + SignedDuration::from_hours(1);
    retry(&mut meter, &lost, phase, &window, now).unwrap();
    assert_eq!(meter.allocations.buckets[0].allocated, 0);
    assert_eq!(freeze(&mut meter, phase, &window, now), Freeze::Frozen);
    assert_eq!(meter.allocations.pending, allocations);
}
