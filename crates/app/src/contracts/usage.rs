//! Promises about meters, events and records.

use std::collections::BTreeSet;

use domain::metering::{
    Lost, Meter, MeteringPhase, MeteringRecord, ParkReason, RecordStatus, freeze,
};
use domain::quantity::Quantity;
use domain::time::{MeteringWindow, Month};
use futures::join;
use jiff::SignedDuration;

use super::sample::{created, event, first_usage, meter, next, now, write};
use crate::ports::{
    BookedEvent, Committed, Recorded, SHARDS, Saved, Store, UnsettledMeter, UsageWrite,
};

pub(super) async fn a_meter_is_created_with_its_events_or_not_at_all<S: Store>(store: &S) {
    let state = created(store, "meter").await;
    let usage =
        first_usage(&state, "scans", vec![event("m1", "scans", 3), event("m2", "scans", 4)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let read = store
        .read_usage(&state.id, &[usage.meter.key.clone(), meter(&state, "users").key])
        .await
        .unwrap();
    assert_eq!(read.subscription, Some(state.clone()));
    assert_eq!(read.meters, std::slice::from_ref(&usage.meter));
    let found = store.event(&state.id, Month::of(now()), &"m2".parse().unwrap()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&usage.events[1]));
    let again = first_usage(&state, "scans", vec![event("m3", "scans", 5)]);
    assert_eq!(
        store.record_usage(&again).await.unwrap(),
        Recorded::Overtaken,
        "the meter exists by now"
    );
    assert_eq!(
        store.event(&state.id, Month::of(now()), &"m3".parse().unwrap()).await.unwrap(),
        None
    );
}

pub(super) async fn events_that_are_there_are_told_whatever_else_failed<S: Store>(store: &S) {
    let state = created(store, "existing").await;
    let usage = first_usage(&state, "scans", vec![event("e1", "scans", 3)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    assert_eq!(
        store.record_usage(&usage).await.unwrap(),
        Recorded::Existing(usage.events.clone()),
        "a repeat after a lost answer: the meter has moved as well"
    );
    let mixed = UsageWrite {
        expected: Some(1),
        meter: Meter { revision: 2, ..usage.meter.clone() },
        events: vec![event("e2", "scans", 1), event("e1", "scans", 99)],
        ..usage.clone()
    };
    assert_eq!(store.record_usage(&mixed).await.unwrap(), Recorded::Existing(usage.events));
    assert_eq!(
        store.event(&state.id, Month::of(now()), &"e2".parse().unwrap()).await.unwrap(),
        None
    );
}

pub(super) async fn a_meter_is_not_created_on_terms_that_have_changed<S: Store>(store: &S) {
    let state = created(store, "terms").await;
    let usage = first_usage(&state, "scans", vec![event("t1", "scans", 3)]);
    assert_eq!(store.commit(&write(&next(&state), Some(1))).await.unwrap(), Committed::Done);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Overtaken);
    let current = UsageWrite { state_revision: 2, ..usage };
    assert_eq!(store.record_usage(&current).await.unwrap(), Recorded::Done);
}

pub(super) async fn of_two_reports_at_once_both_are_counted<S: Store>(store: &S) {
    let state = created(store, "contended").await;
    let count = |key: &'static str| {
        let state = state.clone();
        async move {
            for _ in 0..50 {
                let meter_key = meter(&state, "scans").key;
                let known = store
                    .read_usage(&state.id, std::slice::from_ref(&meter_key))
                    .await
                    .unwrap()
                    .meters
                    .pop();
                let expected = known.as_ref().map(|meter| meter.revision);
                let mut counted =
                    known.unwrap_or_else(|| Meter { revision: 0, ..meter(&state, "scans") });
                counted.record(Quantity::whole(1), now());
                counted.revision += 1;
                let write = UsageWrite {
                    meter: counted,
                    expected,
                    state_revision: state.revision,
                    events: vec![event(key, "scans", 1)],
                    outbox: None,
                };
                match store.record_usage(&write).await.unwrap() {
                    Recorded::Done => return,
                    Recorded::Overtaken => {}
                    Recorded::Existing(_) => panic!("{key} was never written before"),
                }
            }
            panic!("{key} never got through");
        }
    };
    join!(count("c1"), count("c2"), count("c3"), count("c4"));
    let meters = store.meters(&state.id, Month::of(now())).await.unwrap();
    assert_eq!(meters[0].aggregate, Quantity::whole(4));
}

pub(super) async fn ninety_events_go_into_one_write<S: Store>(store: &S) {
    let state = created(store, "ninety").await;
    let events: Vec<BookedEvent> = (0..90).map(|n| event(&format!("n{n}"), "scans", 1)).collect();
    let usage = first_usage(&state, "scans", events);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    assert_eq!(
        store.meters(&state.id, Month::of(now())).await.unwrap()[0].aggregate,
        Quantity::whole(90)
    );
}

pub(super) async fn a_key_is_its_own_in_another_month<S: Store>(store: &S) {
    let state = created(store, "months").await;
    let november = event("same-key", "scans", 1);
    let mut december = november.clone();
    december.event.at = "2026-12-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        store.record_usage(&first_usage(&state, "scans", vec![november])).await.unwrap(),
        Recorded::Done
    );
    assert_eq!(
        store.record_usage(&first_usage(&state, "users", vec![december])).await.unwrap(),
        Recorded::Done
    );
}

async fn unsettled<S: Store>(store: &S) -> Vec<UnsettledMeter> {
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let page = store.unsettled(shard, after.as_ref(), 2).await.unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    all
}

pub(super) async fn a_meter_is_unsettled_exactly_while_money_waits<S: Store>(store: &S) {
    let state = created(store, "unsettled").await;
    let usage = first_usage(&state, "scans", vec![event("u1", "scans", 5)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let is_listed =
        || async { unsettled(store).await.iter().any(|waiting| waiting.key == usage.meter.key) };
    assert!(is_listed().await, "five units wait");
    let mut meter = usage.meter.clone();
    let later = now() + SignedDuration::from_hours(2);
    freeze(&mut meter, MeteringPhase::Open { since: now() }, &MeteringWindow::default(), later);
    meter.revision = 2;
    assert_eq!(store.save_meter(&meter, 1).await.unwrap(), Saved::Done);
    assert!(is_listed().await, "a record is under way");
    let pending = meter.accept_pending().unwrap();
    meter.revision = 3;
    let record = MeteringRecord {
        key: meter.key.clone(),
        hour: Some(pending.hour),
        quantity: pending.quantity,
        status: RecordStatus::Accepted { record_id: None },
        booked_at: later,
        allocations: Vec::new(),
    };
    assert_eq!(store.book(&meter, 2, &record).await.unwrap(), Saved::Done);
    assert!(!is_listed().await, "nothing waits any more");
}

pub(super) async fn unsettled_meters_come_oldest_first<S: Store>(store: &S) {
    let state = created(store, "oldest").await;
    for (dimension, hours) in [("scans", 3), ("users", 1), ("findings", 2)] {
        let mut usage =
            first_usage(&state, dimension, vec![event(&format!("o{hours}"), dimension, 1)]);
        let first = usage.meter.waiting_since.unwrap().start() + SignedDuration::from_hours(hours);
        usage.meter.waiting_since = Some(domain::time::Hour::of(first));
        assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    }
    let mine: Vec<_> = unsettled(store)
        .await
        .into_iter()
        .filter(|waiting| waiting.key.subscription == state.id)
        .collect();
    let order: Vec<&str> = mine.iter().map(|waiting| waiting.key.dimension.as_str()).collect();
    assert_eq!(order, ["users", "findings", "scans"], "one subscription's meters are in one shard");
}

pub(super) async fn a_freeze_and_a_booking_are_refused_when_they_are_repeated<S: Store>(store: &S) {
    let state = created(store, "booking").await;
    let usage = first_usage(&state, "scans", vec![event("b1", "scans", 5)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let mut frozen = usage.meter.clone();
    let later = now() + SignedDuration::from_hours(2);
    freeze(&mut frozen, MeteringPhase::Open { since: now() }, &MeteringWindow::default(), later);
    frozen.revision = 2;
    assert_eq!(store.save_meter(&frozen, 1).await.unwrap(), Saved::Done);
    assert_eq!(store.save_meter(&frozen, 1).await.unwrap(), Saved::Overtaken);
    let mut booked = frozen.clone();
    let pending = booked.accept_pending().unwrap();
    booked.revision = 3;
    let record = MeteringRecord {
        key: booked.key.clone(),
        hour: Some(pending.hour),
        quantity: pending.quantity,
        status: RecordStatus::Accepted { record_id: Some("id-1".parse().unwrap()) },
        booked_at: later,
        allocations: Vec::new(),
    };
    let (one, other) = join!(store.book(&booked, 2, &record), store.book(&booked, 2, &record));
    let outcomes = BTreeSet::from([one.unwrap() == Saved::Done, other.unwrap() == Saved::Done]);
    assert_eq!(outcomes, BTreeSet::from([false, true]), "of two bookings one is refused");
    let records = store.records(&state.id, Month::of(now()), None, 10).await.unwrap().items;
    assert_eq!(records, [record]);
}

pub(super) async fn what_waits_is_given_up_only_by_a_state_that_is_current<S: Store>(store: &S) {
    let state = created(store, "stale").await;
    let usage = first_usage(&state, "scans", vec![event("g1", "scans", 5)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let mut meter = usage.meter;
    let Lost { quantity, allocations } = meter.park_waiting();
    meter.revision = 2;
    let status = RecordStatus::Parked { reason: ParkReason::Closed, code: None };
    let key = meter.key.clone();
    let record =
        MeteringRecord { key, hour: None, quantity, status, booked_at: now(), allocations };
    assert_eq!(store.commit(&write(&next(&state), Some(1))).await.unwrap(), Committed::Done);
    assert_eq!(store.give_up(&meter, 1, &record, 1).await.unwrap(), Saved::Overtaken);
    assert_eq!(store.record(&record.name()).await.unwrap(), None, "the refused one wrote nothing");
    assert_eq!(store.give_up(&meter, 1, &record, 2).await.unwrap(), Saved::Done);
    assert_eq!(store.give_up(&meter, 1, &record, 2).await.unwrap(), Saved::Overtaken);
    assert_eq!(store.record(&record.name()).await.unwrap(), Some(record));
}

pub(super) async fn a_reservation_is_released_once<S: Store>(store: &S) {
    let state = created(store, "release").await;
    let usage = first_usage(&state, "scans", vec![event("r1", "scans", 5)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let released = BookedEvent { released: true, ..usage.events[0].clone() };
    let emptied = Meter {
        revision: 2,
        aggregate: Quantity::ZERO,
        waiting_since: None,
        ..usage.meter.clone()
    };
    assert_eq!(store.release_event(&released, &emptied, 1).await.unwrap(), Saved::Done);
    let again = Meter { revision: 3, ..emptied };
    assert_eq!(store.release_event(&released, &again, 2).await.unwrap(), Saved::Overtaken);
    let found =
        store.event(&state.id, Month::of(now()), &"r1".parse().unwrap()).await.unwrap().unwrap();
    assert!(found.released);
}

pub(super) async fn records_and_events_are_listed_page_by_page<S: Store>(store: &S) {
    let state = created(store, "pages").await;
    let events: Vec<BookedEvent> = (0..7).map(|n| event(&format!("p{n}"), "scans", 1)).collect();
    let usage = first_usage(&state, "scans", events.clone());
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.events(&state.id, Month::of(now()), after.as_ref(), 3).await.unwrap();
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, events);
    let december = "2026-12".parse().unwrap();
    assert!(store.records(&state.id, december, None, 3).await.unwrap().items.is_empty());
}
