//! The bus keeps SQS's promises.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use jiff::{SignedDuration, Timestamp};
use local::bus::{BATCH, Bus, MOST_RECEIVES, Queue, VISIBILITY};

fn noon() -> Timestamp {
    "2026-11-10T12:00:00Z".parse().unwrap()
}

fn bodies(bus: &Bus, now: Timestamp) -> Vec<String> {
    bus.receive(Queue::Notices, BATCH, now).unwrap().into_iter().map(|letter| letter.body).collect()
}

#[test]
fn a_message_that_is_not_deleted_comes_again_when_its_visibility_is_over() {
    let bus = Bus::open(None).unwrap();
    bus.send(Queue::Notices, None, "1", noon(), noon()).unwrap();
    let first = bus.receive(Queue::Notices, BATCH, noon()).unwrap();
    assert_eq!(first[0].receives, 1);
    let again = noon() + VISIBILITY;
    assert!(bodies(&bus, again - SignedDuration::from_micros(1)).is_empty());
    assert_eq!(bus.next_visible().unwrap(), Some(again));
    let second = bus.receive(Queue::Notices, BATCH, again).unwrap();
    assert_eq!((second[0].id, second[0].receives), (first[0].id, 2));
    bus.delete(&[second[0].id]).unwrap();
    assert_eq!(bus.next_visible().unwrap(), None);
}

#[test]
fn a_delayed_message_waits_and_then_takes_its_turn() {
    let bus = Bus::open(None).unwrap();
    let later = noon() + SignedDuration::from_secs(300);
    bus.send(Queue::Notices, None, "delayed", noon(), later).unwrap();
    bus.send(Queue::Notices, None, "at once", noon(), noon()).unwrap();
    assert_eq!(bodies(&bus, noon()), ["at once"]);
    assert_eq!(bodies(&bus, later), ["at once", "delayed"]);
}

#[test]
fn a_message_delivered_five_times_in_vain_is_set_aside_until_it_is_redriven() {
    let bus = Bus::open(None).unwrap();
    bus.send(Queue::Notices, None, "{\"bad\":true}", noon(), noon()).unwrap();
    let mut now = noon();
    for receives in 1..=MOST_RECEIVES {
        let letters = bus.receive(Queue::Notices, BATCH, now).unwrap();
        assert_eq!(letters[0].receives, receives);
        bus.note_failure(&[letters[0].id], "it cannot be read").unwrap();
        now += VISIBILITY;
    }
    assert!(bodies(&bus, now).is_empty());
    let dead = bus.dead_letters().unwrap();
    assert_eq!((dead.len(), dead[0].receives, dead[0].queue), (1, MOST_RECEIVES, Queue::Notices));
    assert_eq!(dead[0].failure.as_deref(), Some("it cannot be read"));
    assert_eq!(dead[0].body["bad"], true);

    assert_eq!(bus.redrive(Some(Queue::Settlements), now).unwrap(), 0);
    assert_eq!(bus.redrive(Some(Queue::Notices), now).unwrap(), 1);
    assert_eq!(bus.receive(Queue::Notices, BATCH, now).unwrap()[0].receives, 1);
}

#[test]
fn a_source_is_taken_once_while_it_is_on_the_bus() {
    let bus = Bus::open(None).unwrap();
    assert!(bus.send(Queue::Notices, Some("notification-1"), "1", noon(), noon()).unwrap());
    assert!(!bus.send(Queue::Notices, Some("notification-1"), "1", noon(), noon()).unwrap());
    assert_eq!(bodies(&bus, noon()).len(), 1);
}

#[test]
fn what_was_sent_and_how_often_it_was_delivered_survive_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus.sqlite");
    let before = Bus::open(Some(&path)).unwrap();
    before.send(Queue::Notices, None, "1", noon(), noon()).unwrap();
    before.send(Queue::Settlements, None, "2", noon(), noon()).unwrap();
    before.receive(Queue::Notices, BATCH, noon()).unwrap();
    // Never closed: what a killed process leaves behind.
    std::mem::forget(before);

    let after = Bus::open(Some(&path)).unwrap();
    assert!(bodies(&after, noon()).is_empty(), "still hidden");
    let letters = after.receive(Queue::Notices, BATCH, noon() + VISIBILITY).unwrap();
    assert_eq!((letters[0].body.as_str(), letters[0].receives), ("1", 2));
    assert_eq!(after.depth(Queue::Settlements, noon()).unwrap().visible, 1);
}
