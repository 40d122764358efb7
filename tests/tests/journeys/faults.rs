//! Every fault switch of the simulator in turn, each under the same small life of a buyer.

use jiff::SignedDuration;
use simulator::{Bought, Fault, Faults};

use crate::story::{ContractWithConsumption, PayAsYouGo, Story};

/// A life with everything in it: buy, register, use in two hours, upgrade, use, cancel, final hour.
async fn life(story: &Story) -> Bought {
    let buyer = story.buy("111122223333");
    story.minutes(10).await;
    story.register_until_it_works(&buyer).await;
    story.minutes(30).await;
    story.uses(&buyer, "scans", "507").await;
    story.hours(1).await;
    story.uses(&buyer, "scans", "3.5").await;
    story.uses(&buyer, "api-calls", "2").await;
    story.hours(2).await;
    story.uses(&buyer, "scans", "1.5").await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.minutes(40).await;
    story.uses(&buyer, "scans", "2").await;
    story.hours(6).await;
    buyer
}

async fn survives(set: impl FnOnce(&mut Faults)) {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().faults(set);
    let buyer = life(&story).await;
    story.system.simulator().faults(|faults| *faults = Faults::default());
    story.hours(2).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 14);
    assert_eq!(story.invoiced(&buyer, "api-calls", "2026-11"), 2);
    story.end().await;
}

#[tokio::test]
async fn throttling() {
    survives(|faults| faults.throttle = Fault::permille(300)).await;
}

#[tokio::test]
async fn internal_errors() {
    survives(|faults| faults.internal_error = Fault::permille(300)).await;
}

#[tokio::test]
async fn answers_lost_after_the_effect() {
    survives(|faults| faults.lost_response = Fault::permille(300)).await;
}

#[tokio::test]
async fn every_first_metering_answer_lost() {
    survives(|faults| faults.lost_response = Fault::next(3).only("BatchMeterUsage")).await;
}

#[tokio::test]
async fn unprocessed_records() {
    survives(|faults| faults.unprocessed = Fault::permille(400)).await;
}

#[tokio::test]
async fn expired_credentials_for_a_while() {
    survives(|faults| faults.expired_credentials = Fault::next(4)).await;
}

#[tokio::test]
async fn every_notification_twice() {
    survives(|faults| faults.duplicate = Fault::permille(1000)).await;
}

#[tokio::test]
async fn notifications_in_another_order() {
    survives(|faults| faults.reorder = Fault::permille(1000)).await;
}

#[tokio::test]
async fn notifications_that_come_minutes_late() {
    survives(|faults| {
        faults.delay = Fault::permille(1000);
        faults.delay_by = SignedDuration::from_mins(7);
    })
    .await;
}

#[tokio::test]
async fn a_lost_end_of_the_agreement() {
    survives(|faults| faults.drop = Fault::next(1).only("Purchase Agreement Ended")).await;
}

#[tokio::test]
async fn a_lost_deprovisioning() {
    survives(|faults| faults.drop = Fault::next(1).only("License Deprovisioned")).await;
}

#[tokio::test]
async fn a_lost_creation() {
    survives(|faults| faults.drop = Fault::next(1).only("Purchase Agreement Created")).await;
}

#[tokio::test]
async fn everything_at_once() {
    survives(|faults| {
        faults.throttle = Fault::permille(100);
        faults.internal_error = Fault::permille(100);
        faults.lost_response = Fault::permille(100);
        faults.unprocessed = Fault::permille(200);
        faults.duplicate = Fault::permille(300);
        faults.reorder = Fault::permille(500);
    })
    .await;
}

/// Without its activation a license stays pending: nothing is granted and nothing is billed, until the reconcile asks
/// AWS for the truth.
#[tokio::test]
async fn a_lost_activation_grants_nothing_from_an_error() {
    let story = Story::begin(PayAsYouGo).await;
    story.system.simulator().faults(|faults| faults.drop = Fault::next(1).only("License Updated"));
    let buyer = story.buy("111122223333");
    story.minutes(15).await;
    story.register_until_it_works(&buyer).await;
    assert!(!story.has_access(&buyer).await);
    assert_eq!(story.status(&buyer).await, "PENDING");
    story.minutes(10).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.end().await;
}
