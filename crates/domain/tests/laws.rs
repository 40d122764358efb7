//! The laws of the domain, each over thousands of histories.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use domain::catalog::{Aggregation, Allowance, Overage, PricingModel};
use domain::ids::{AgreementId, LicenseRef};
use domain::metering::{Freeze, Meter, MeterKey, MeteringPhase, Terms, freeze};
use domain::notice::{AgreementChange, EndStatus, Intent, LegacyChange, LicenseChange};
use domain::quantity::Quantity;
use domain::subscription::{AgreementFacts, LicenseFacts, Subscription};
use domain::time::MeteringWindow;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn start() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn license() -> LicenseRef {
    LicenseRef::License {
        arn: "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap(),
    }
}

// ---- notices -------------------------------------------------------------------------------------------------------

#[derive(Debug, Clone)]
enum News {
    License(LicenseChange),
    Agreement(usize, AgreementChange),
    Legacy(LegacyChange),
}

fn news() -> impl Strategy<Value = (News, i64)> {
    let license = prop_oneof![Just(LicenseChange::Updated), Just(LicenseChange::Deprovisioned)]
        .prop_map(News::License);
    let intent = prop_oneof![Just(Intent::New), Just(Intent::Renew), Just(Intent::Replace)];
    let how = prop_oneof![
        Just(EndStatus::Cancelled),
        Just(EndStatus::Expired),
        Just(EndStatus::Renewed),
        Just(EndStatus::Replaced)
    ];
    let change = prop_oneof![
        intent.prop_map(|intent| AgreementChange::Created {
            intent,
            previous: None,
            offer: None,
            ends: None
        }),
        how.prop_map(|how| AgreementChange::Ended { how }),
        any::<Option<bool>>()
            .prop_map(|auto_renew| AgreementChange::Amended { auto_renew, ends: None }),
        Just(AgreementChange::AdvisoryIssued),
        Just(AgreementChange::AdvisoryResolved),
    ];
    let agreement = (0..3_usize, change).prop_map(|(which, change)| News::Agreement(which, change));
    let legacy = prop_oneof![
        Just(LegacyChange::Subscribed { offer: None, free_trial: false }),
        Just(LegacyChange::Failed),
        Just(LegacyChange::Unsubscribing),
        Just(LegacyChange::Unsubscribed),
    ]
    .prop_map(News::Legacy);
    // Few distinct minutes, so that notices of the same instant are common.
    (prop_oneof![3 => license, 3 => agreement, 1 => legacy], 0..12_i64)
}

fn told(history: &[(News, i64)]) -> Subscription {
    let mut state =
        Subscription::new(license(), "product".parse().unwrap(), PricingModel::Usage, start());
    for (news, minutes) in history {
        let at = start() + SignedDuration::from_mins(*minutes);
        match news {
            News::License(change) => state.license_facts.join(&LicenseFacts::of(*change, at)),
            News::Legacy(change) => {
                state.license_facts.join(&LicenseFacts::of_legacy(
                    change,
                    PricingModel::Usage,
                    false,
                    at,
                ));
            }
            News::Agreement(which, change) => {
                let id: AgreementId = format!("agmt-{which}").parse().unwrap();
                state.join_agreement(&id, &AgreementFacts::of(change, at));
            }
        }
    }
    state
}

proptest! {
    /// The state after any order and duplication of the same notices is the same.
    #[test]
    fn order_and_number_of_notices_do_not_matter(
        history in prop::collection::vec(news(), 0..12),
        shuffle in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..24),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut other = history.clone();
        if !history.is_empty() {
            other.extend(repeats.iter().map(|index| index.get(&history).clone()));
            for (a, b) in &shuffle {
                let (a, b) = (a.index(other.len()), b.index(other.len()));
                other.swap(a, b);
            }
        }
        prop_assert_eq!(told(&history), told(&other));
    }

    /// Renewals and replacements never close anything by themselves.
    #[test]
    fn only_an_end_closes(history in prop::collection::vec(news(), 0..12)) {
        let closes = |news: &News| match news {
            News::License(change) => *change == LicenseChange::Deprovisioned,
            News::Legacy(change) => matches!(change, LegacyChange::Unsubscribing),
            News::Agreement(_, AgreementChange::Ended { how }) => how.is_final(),
            News::Agreement(..) => false,
        };
        let harmless: Vec<_> = history.into_iter().filter(|(news, _)| !closes(news)).collect();
        prop_assert_eq!(told(&harmless).closing_since(), None);
    }

    /// A later update opens a license again, whatever came before.
    #[test]
    fn a_newer_update_always_opens(mut history in prop::collection::vec(news(), 0..12), place in any::<prop::sample::Index>()) {
        let update = (News::License(LicenseChange::Updated), 60);
        history.insert(place.index(history.len() + 1), update);
        let now = start() + SignedDuration::from_mins(60);
        prop_assert_eq!(told(&history).phase(now).as_str(), "active");
    }
}

// ---- meters --------------------------------------------------------------------------------------------------------

#[derive(Debug, Clone)]
enum Step {
    Use(Quantity),
    ChangePlan(Terms),
    Settle,
    Wait(i64),
}

fn quantity() -> impl Strategy<Value = Quantity> {
    prop_oneof![
        (0..400_u64).prop_map(Quantity::whole),
        (0..40_000_000_i64).prop_map(|micros| Quantity::try_from(Decimal::new(micros, 6)).unwrap()),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let included = prop_oneof![
        1 => Just(Allowance::Unlimited),
        4 => (0..1_000_u64).prop_map(|units| Allowance::Limited(Quantity::whole(units))),
    ];
    let overage = prop_oneof![5 => Just(Overage::Billed), 1 => Just(Overage::Blocked)];
    (included, overage).prop_map(|(included, overage)| Terms { included, overage })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => quantity().prop_map(Step::Use),
        1 => terms().prop_map(Step::ChangePlan),
        3 => Just(Step::Settle),
        2 => (1..180_i64).prop_map(Step::Wait),
    ]
}

fn fresh(aggregation: Aggregation, terms: Terms) -> Meter {
    let key = MeterKey {
        subscription: license().subscription_id(),
        month: "2026-11".parse().unwrap(),
        dimension: "scans".parse().unwrap(),
    };
    Meter::new(key, aggregation, terms)
}

/// Settles once; AWS accepts whatever it is sent. Answers the hour and quantity of the record.
fn settle(meter: &mut Meter, now: Timestamp) -> Option<(String, u64)> {
    let phase = MeteringPhase::Open { since: start() };
    match freeze(meter, phase, &MeteringWindow::default(), now) {
        Freeze::Frozen => {
            meter.accept_pending().map(|record| (record.hour.to_string(), record.quantity))
        }
        Freeze::Nothing | Freeze::Later | Freeze::Lost(_) => None,
    }
}

proptest! {
    /// What AWS accepts over a month sums to floor(due), whatever the order of usage, plan changes and settles; due
    /// and aggregate only grow; no hour carries two records; every unit is somewhere.
    #[test]
    fn what_is_metered_is_what_is_due(
        peak in any::<bool>(),
        first in terms(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let aggregation = if peak { Aggregation::Peak } else { Aggregation::Sum };
        let mut meter = fresh(aggregation, first);
        let mut now = start();
        let mut records = Vec::new();
        for step in steps {
            let before = meter.clone();
            match step {
                Step::Use(quantity) => meter.record(quantity, now),
                Step::ChangePlan(terms) => meter.change_terms(terms, now),
                Step::Settle => records.extend(settle(&mut meter, now)),
                Step::Wait(minutes) => now += SignedDuration::from_mins(minutes),
            }
            prop_assert!(meter.aggregate >= before.aggregate, "the aggregate shrank");
            prop_assert!(meter.due() >= before.due(), "what is due shrank");
            prop_assert!(meter.metered <= meter.due().floor(), "more than due was metered");
            prop_assert_eq!(meter.balance().total(), meter.aggregate);
            prop_assert_eq!(meter.unsettled_since().is_none(), meter.is_settled(), "the index entry tells the truth");
        }
        while !meter.is_settled() {
            now += SignedDuration::from_hours(1);
            records.extend(settle(&mut meter, now));
        }
        let sent: u64 = records.iter().map(|(_, quantity)| quantity).sum();
        prop_assert_eq!(sent, meter.due().floor());
        let mut hours: Vec<_> = records.iter().map(|(hour, _)| hour.clone()).collect();
        hours.sort();
        hours.dedup();
        prop_assert_eq!(hours.len(), records.len(), "an hour carried two records");
    }

    /// A plan change never charges for the past: right after it, exactly what was due before is due.
    #[test]
    fn a_plan_change_by_itself_changes_nothing_due(
        usage in prop::collection::vec(quantity(), 0..20),
        first in terms(),
        second in terms(),
    ) {
        let mut meter = fresh(Aggregation::Sum, first);
        for quantity in usage {
            meter.record(quantity, start());
        }
        let due = meter.due();
        meter.change_terms(second, start());
        prop_assert_eq!(meter.due(), due);
    }

    /// Sums of decimals are exact.
    #[test]
    fn decimals_add_exactly(micros in prop::collection::vec(0..10_000_000_000_i64, 0..200)) {
        let sum = micros
            .iter()
            .map(|micros| Quantity::report(&Decimal::new(*micros, 6).to_string()).unwrap())
            .fold(Quantity::ZERO, Quantity::plus);
        prop_assert_eq!(sum.as_decimal(), Decimal::new(micros.iter().sum(), 6).normalize());
    }

    /// Concurrent reservations are granted one by one, so a blocked quota is never overshot.
    #[test]
    fn a_blocked_quota_is_never_overshot(limit in 0..500_u64, wanted in prop::collection::vec(quantity(), 0..30)) {
        let included = Allowance::Limited(Quantity::whole(limit));
        let mut meter = fresh(Aggregation::Sum, Terms { included, overage: Overage::Blocked });
        for quantity in wanted {
            let fits = meter.aggregate.plus(quantity) <= Quantity::whole(limit);
            prop_assert_eq!(meter.consume(quantity, start()).is_ok(), fits);
        }
        prop_assert!(meter.aggregate <= Quantity::whole(limit));
        prop_assert!(meter.is_settled(), "nothing of a blocked dimension is due");
    }
}
