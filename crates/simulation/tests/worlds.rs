//! A short set of worlds with every test run; the long ones are the command's (`docs/simulation.md`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use simulation::{Bug, Many, caught, fingerprint, live, many, story};

const STEPS: usize = 400;

#[test]
fn two_dozen_worlds_break_no_law() {
    let summary = many(Many { from: 1, seeds: 24, steps: STEPS, bug: None, all: true }).unwrap();
    assert!(summary.broken.is_empty(), "{:?}", summary.broken);
    assert_eq!(summary.worlds, 24);
    assert!(summary.struck > 20, "faults struck: {}", summary.struck);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let (one, other) = (live(7, STEPS, None).unwrap(), live(7, STEPS, None).unwrap());
    assert_eq!((one.hash, one.lines), (other.hash, other.lines));
    assert_ne!(one.hash, live(8, STEPS, None).unwrap().hash);
}

#[test]
fn a_seed_decides_the_same_on_any_machine() {
    assert_eq!(format!("{:016x}", fingerprint(7, STEPS).unwrap()), "a66ff9004d2b5982");
}

#[test]
fn deliberate_bugs_are_noticed_by_few_seeds() {
    for bug in [
        Bug::ClearPendingBeforeBooking,
        Bug::StampTheHourAtSendTime,
        Bug::DropTheInboxMarker,
        Bug::LoseTheOutboxItem,
        Bug::SkipTheMonthCut,
    ] {
        let caught = caught(bug, STEPS, 12).unwrap();
        assert!(!caught.broken.law.is_empty(), "{bug}");
    }
}

#[test]
fn a_failing_seed_tells_a_story_of_the_few_steps_that_matter() {
    let bug = Bug::DropTheInboxMarker;
    let seed = caught(bug, 60, 12).unwrap().seeds;
    let told = story(seed, 60, Some(bug)).unwrap().unwrap();
    let (all, matter) = told.steps;
    assert!(all == 60 && matter < 10, "{matter} of {all}");
    assert!(told.trace.iter().any(|line| line.contains("commit a change")), "{:?}", told.trace);
}
