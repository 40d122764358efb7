//! Promises about what people and schedules need: parked lines, held events, memos.

use domain::metering::{
    Closing, Meter, MeteringPhase, MeteringRecord, ParkReason, RecordStatus, freeze,
};
use domain::quantity::Quantity;
use domain::subscription::Subscription;
use domain::time::{MeteringWindow, Month};
use futures::join;
use jiff::SignedDuration;

use super::sample::{created, event, first_usage, next, now, write};
use crate::ports::{
    BookedEvent, Change, Committed, LapsedEvent, Memo, MeterWrite, Recorded, Saved, Store, Task,
};

/// A meter whose five units were frozen, sent and parked, as it is stored: revision 3.
async fn with_parked<S: Store>(store: &S, name: &str) -> (Subscription, Meter, MeteringRecord) {
    let state = created(store, name).await;
    let usage = first_usage(&state, "scans", vec![event(name, "scans", 5)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let mut meter = usage.meter;
    let later = now() + SignedDuration::from_hours(2);
    freeze(&mut meter, MeteringPhase::Open { since: now() }, &MeteringWindow::default(), later);
    meter.revision = 2;
    assert_eq!(store.save_meter(&meter, 1).await.unwrap(), Saved::Done);
    let pending = meter.park_pending().unwrap();
    meter.revision = 3;
    let record = MeteringRecord {
        key: meter.key.clone(),
        hour: Some(pending.hour),
        quantity: pending.quantity,
        status: RecordStatus::Parked { reason: ParkReason::Rejected, code: Some("Bad".into()) },
        booked_at: later,
        allocations: Vec::new(),
    };
    assert_eq!(store.book(&meter, 2, &record).await.unwrap(), Saved::Done);
    (state, meter, record)
}

async fn is_listed<S: Store>(store: &S, record: &MeteringRecord) -> bool {
    let mut after = None;
    loop {
        let page = store.parked(after.as_ref(), 1).await.unwrap();
        if page.items.contains(record) {
            return true;
        }
        after = page.next;
        if after.is_none() {
            return false;
        }
    }
}

fn taking_up(state: &Subscription, record: &MeteringRecord, status: RecordStatus) -> Change {
    let after = next(state);
    let expected = Some(state.revision);
    Change { records: vec![MeteringRecord { status, ..record.clone() }], ..write(&after, expected) }
}

pub(super) async fn a_parked_line_is_listed_until_a_human_takes_it_up_once<S: Store>(store: &S) {
    let (state, _, record) = with_parked(store, "parked").await;
    assert_eq!(store.record(&record.name()).await.unwrap().as_ref(), Some(&record));
    assert!(is_listed(store, &record).await);
    let closed = RecordStatus::Closed {
        reason: ParkReason::Rejected,
        how: Closing::WrittenOff,
        note: "agreed with the buyer".into(),
        at: now(),
    };
    let close = taking_up(&state, &record, closed);
    assert_eq!(store.commit(&close).await.unwrap(), Committed::Done);
    assert!(!is_listed(store, &record).await);
    let found = store.record(&record.name()).await.unwrap();
    assert_eq!(found.as_ref(), close.records.first());
    let again = taking_up(&next(&state), &record, record.status.clone());
    assert_eq!(store.commit(&again).await.unwrap(), Committed::Overtaken);
    let state_now = store.subscription(&state.id).await.unwrap();
    assert_eq!(state_now.map(|state| state.revision), Some(2), "the refused one wrote nothing");
}

pub(super) async fn a_retried_line_is_booked_once_more_and_only_then<S: Store>(store: &S) {
    let (state, meter, record) = with_parked(store, "retried").await;
    let again = Meter { revision: 4, ..meter.clone() };
    assert_eq!(
        store.book(&again, 3, &record).await.unwrap(),
        Saved::Overtaken,
        "the ledger has that line"
    );
    let retried = RecordStatus::Retried { reason: ParkReason::Rejected, at: now() };
    let mut retry = taking_up(&state, &record, retried);
    retry.meters = vec![MeterWrite::Change { after: again.clone(), expected: 3 }];
    assert_eq!(store.commit(&retry).await.unwrap(), Committed::Done);
    assert!(!is_listed(store, &record).await);
    let accepted =
        MeteringRecord { status: RecordStatus::Accepted { record_id: None }, ..record.clone() };
    let booked = Meter { revision: 5, ..again };
    assert_eq!(store.book(&booked, 4, &accepted).await.unwrap(), Saved::Done);
    assert_eq!(store.record(&record.name()).await.unwrap().as_ref(), Some(&accepted));
    let more = Meter { revision: 6, ..booked };
    assert_eq!(store.book(&more, 5, &record).await.unwrap(), Saved::Overtaken);
}

fn held(name: &str, minutes: i64) -> BookedEvent {
    let until = now() + SignedDuration::from_mins(minutes);
    BookedEvent { held_until: Some(until), ..event(name, "scans", 5) }
}

async fn lapsed<S: Store>(store: &S, minutes: i64) -> Vec<LapsedEvent> {
    let at = now() + SignedDuration::from_mins(minutes);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.lapsed(at, after.as_ref(), 1).await.unwrap();
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

pub(super) async fn a_held_event_lapses_at_its_time_unless_it_is_kept_or_released<S: Store>(
    store: &S,
) {
    let state = created(store, "held").await;
    let events = vec![held("h1", 10), held("h2", 5), held("h3", 5)];
    let usage = first_usage(&state, "scans", events.clone());
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    let of_mine = async |minutes| -> Vec<String> {
        let mine = lapsed(store, minutes).await.into_iter();
        mine.filter(|lapsed| lapsed.subscription == state.id)
            .map(|lapsed| lapsed.event.event.key.to_string())
            .collect()
    };
    assert!(of_mine(4).await.is_empty());
    assert_eq!(of_mine(10).await, ["h2", "h3", "h1"], "oldest first");
    let kept = BookedEvent { held_until: None, ..events[1].clone() };
    assert_eq!(store.keep_event(&state.id, &kept).await.unwrap(), Saved::Done);
    assert_eq!(store.keep_event(&state.id, &kept).await.unwrap(), Saved::Overtaken);
    assert_eq!(of_mine(10).await, ["h3", "h1"]);

    let emptied = Meter { revision: 2, aggregate: Quantity::whole(10), ..usage.meter.clone() };
    let released = BookedEvent { released: true, ..events[1].clone() };
    assert_eq!(
        store.release_event(&released, &emptied, 1).await.unwrap(),
        Saved::Overtaken,
        "it was kept meanwhile"
    );
    let released = BookedEvent { released: true, ..events[2].clone() };
    assert_eq!(store.release_event(&released, &emptied, 1).await.unwrap(), Saved::Done);
    assert_eq!(of_mine(10).await, ["h1"]);
    let too_late = BookedEvent { held_until: None, ..events[2].clone() };
    assert_eq!(store.keep_event(&state.id, &too_late).await.unwrap(), Saved::Overtaken);
    let month = Month::of(now());
    let found = store.event(&state.id, month, &"h3".parse().unwrap()).await.unwrap().unwrap();
    assert!(found.released);
}

pub(super) async fn of_two_invocations_one_writes_the_memo<S: Store>(store: &S) {
    for task in Task::ALL {
        let known = store.memo(task).await.unwrap();
        let expected = known.map(|memo| memo.revision);
        let revision = expected.map_or(1, |revision| revision + 1);
        let memo = Memo { task, body: "{\"n\":1}".into(), revision };
        let (one, other) =
            join!(store.save_memo(&memo, expected), store.save_memo(&memo, expected));
        let done = [one.unwrap(), other.unwrap()];
        assert_eq!(done.iter().filter(|saved| **saved == Saved::Done).count(), 1);
        assert_eq!(store.memo(task).await.unwrap(), Some(memo));
    }
}
