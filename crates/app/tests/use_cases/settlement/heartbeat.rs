//! Zero records for idle subscriptions.

use domain::catalog::PricingModel;

use crate::{World, buyer, ends, meter, run_at, use_scans, world};

fn beating(pricing: PricingModel) -> World {
    let mut world = world(pricing);
    world.listing.heartbeat = true;
    world
}

#[tokio::test]
async fn an_idle_license_sends_a_zero_for_each_complete_hour_once() {
    let world = beating(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    let report = run_at(&world, "2026-11-24T08:05:00Z").await;
    assert_eq!((report.frozen, report.accepted, report.calls), (1, 1, 1));
    assert_eq!(world.aws.sent(), [("2026-11-24T07Z".to_owned(), 0)]);
    assert_eq!(meter(&world, &state).await.metered, 0);
    assert_eq!(run_at(&world, "2026-11-24T08:30:00Z").await.calls, 0);
    assert_eq!(run_at(&world, "2026-11-24T09:05:00Z").await.accepted, 1);
}

#[tokio::test]
async fn usage_is_heartbeat_enough() {
    let world = beating(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T07:30:00Z").await;
    run_at(&world, "2026-11-24T08:05:00Z").await;
    assert_eq!(world.aws.sent(), [("2026-11-24T07Z".to_owned(), 3)]);
}

#[tokio::test]
async fn nothing_beats_for_what_is_over_not_metered_or_not_wanted() {
    let contract = beating(PricingModel::Contract);
    buyer(&contract, "l-1");
    assert_eq!(run_at(&contract, "2026-11-24T08:05:00Z").await.calls, 0);

    let unwanted = world(PricingModel::Usage);
    buyer(&unwanted, "l-1");
    assert_eq!(run_at(&unwanted, "2026-11-24T08:05:00Z").await.calls, 0);

    let over = beating(PricingModel::Usage);
    let state = buyer(&over, "l-1");
    ends(&over, &state, "2026-11-24T07:20:00Z");
    assert_eq!(run_at(&over, "2026-11-24T08:05:00Z").await.calls, 0);
}

#[tokio::test]
async fn the_last_hour_of_a_month_is_kept_for_late_usage() {
    let world = beating(PricingModel::Usage);
    buyer(&world, "l-1");
    assert_eq!(run_at(&world, "2026-12-01T00:05:00Z").await.calls, 0);
    assert_eq!(run_at(&world, "2026-12-01T01:05:00Z").await.accepted, 1);
}

#[tokio::test]
async fn every_idle_license_beats() {
    let world = beating(PricingModel::Usage);
    for number in 0..130 {
        buyer(&world, &format!("l-{number}"));
    }
    assert_eq!(run_at(&world, "2026-11-24T08:05:00Z").await.accepted, 130);
}
