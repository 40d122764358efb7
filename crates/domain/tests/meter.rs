//! What a meter does beyond metering: quota, warnings, reservations, changes of plan. Each of these was a mutant that
//! nothing noticed (`docs/mutants.md`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use domain::catalog::{Aggregation, Allowance, Overage};
use domain::ids::LicenseRef;
use domain::metering::{Meter, MeterKey, QuotaExceeded, Terms};
use domain::quantity::Quantity;
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-24T07:30:00Z".parse().unwrap()
}

fn units(units: u64) -> Quantity {
    Quantity::whole(units)
}

fn terms(included: u64, overage: Overage) -> Terms {
    Terms { included: Allowance::Limited(units(included)), overage }
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

fn used(quantity: u64, terms: Terms) -> Meter {
    let mut meter = meter(Aggregation::Sum, terms);
    meter.record(units(quantity), now());
    meter
}

#[test]
fn a_meter_is_named_by_subscription_month_and_dimension() {
    let meter = used(1, terms(1, Overage::Billed));
    assert_eq!(meter.key.to_string(), format!("{}/2026-11/scans", meter.key.subscription));
}

#[test]
fn what_remains_is_what_is_included_and_not_used() {
    assert_eq!(used(30, terms(100, Overage::Billed)).remaining(), Some(units(70)));
    assert_eq!(used(130, terms(100, Overage::Billed)).remaining(), Some(Quantity::ZERO));
    let unlimited = Terms { included: Allowance::Unlimited, overage: Overage::Billed };
    assert_eq!(used(30, unlimited).remaining(), None);
}

#[test]
fn a_warning_comes_at_eighty_and_at_a_hundred_percent_once_each() {
    let mut meter = used(79, terms(100, Overage::Billed));
    assert_eq!(meter.quota_reached(), None);
    meter.record(units(1), now());
    assert_eq!(meter.quota_reached(), Some(80));
    assert_eq!(meter.quota_reached(), None);
    meter.record(units(19), now());
    assert_eq!(meter.quota_reached(), None);
    meter.record(units(1), now());
    assert_eq!(meter.quota_reached(), Some(100));
    assert_eq!(meter.quota_reached(), None);
    let mut at_once = used(500, terms(100, Overage::Billed));
    assert_eq!(at_once.quota_reached(), Some(100));
    assert_eq!(used(5, terms(0, Overage::Billed)).quota_reached(), None, "nothing is included");
}

#[test]
fn a_reservation_goes_back_where_a_limit_blocks_a_sum() {
    let mut blocked = used(5, terms(10, Overage::Blocked));
    assert!(blocked.release(units(5)));
    assert_eq!(blocked.aggregate, Quantity::ZERO);
    assert!(!blocked.release(units(1)), "nothing is left to give back");
    let mut partly = used(5, terms(10, Overage::Blocked));
    assert!(partly.release(units(2)));
    assert_eq!(partly.aggregate, units(3));
    assert!(!partly.release(units(4)));
    assert_eq!(partly.aggregate, units(3));
    assert!(!used(5, terms(10, Overage::Billed)).release(units(1)), "what is billed stays");
    let mut peak = meter(Aggregation::Peak, terms(10, Overage::Blocked));
    peak.record(units(5), now());
    assert!(!peak.release(units(1)), "a peak stays");
}

#[test]
fn a_change_of_plan_keeps_what_was_owed_and_charges_nothing_of_the_past() {
    let mut meter = used(150, terms(100, Overage::Billed));
    meter.change_terms(terms(10, Overage::Billed), now());
    assert_eq!(meter.due(), units(50), "a downgrade charges nothing of the past");
    assert_eq!((meter.base, meter.due_before), (units(150), units(50)));
    meter.record(units(3), now());
    assert_eq!(meter.due(), units(53));
    meter.change_terms(terms(1000, Overage::Billed), now());
    assert_eq!(meter.due(), units(53), "an upgrade takes nothing back");
    assert_eq!(meter.balance().total(), meter.aggregate);
}

#[test]
fn a_reservation_fits_up_to_the_very_limit() {
    let mut blocked = used(7, terms(10, Overage::Blocked));
    assert_eq!(blocked.consume(units(4), now()), Err(QuotaExceeded { remaining: units(3) }));
    assert_eq!(blocked.consume(units(3), now()), Ok(()));
    assert_eq!(blocked.aggregate, units(10));
    assert_eq!(used(7, terms(10, Overage::Billed)).consume(units(100), now()), Ok(()));
    let mut peak = meter(Aggregation::Peak, terms(10, Overage::Blocked));
    assert_eq!(peak.consume(units(10), now()), Ok(()));
    assert_eq!(peak.consume(units(10), now()), Ok(()), "the same peak again");
    assert_eq!(peak.consume(units(11), now()), Err(QuotaExceeded { remaining: Quantity::ZERO }));
}

#[test]
fn terms_that_become_known_judge_all_that_was_used_so_far() {
    let provisional = Terms { included: Allowance::Unlimited, overage: Overage::Billed };
    let mut meter = used(150, provisional);
    assert_eq!((meter.due(), meter.unsettled_since()), (Quantity::ZERO, None));
    let later: Timestamp = "2026-11-24T09:10:00Z".parse().unwrap();
    meter.settle_terms(terms(100, Overage::Billed), later);
    assert_eq!((meter.due(), meter.to_meter()), (units(50), 50));
    assert_eq!(meter.unsettled_since().unwrap().to_string(), "2026-11-24T09Z");
}
