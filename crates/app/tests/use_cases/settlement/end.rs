//! The final hour of a license, and its conclusion.

use app::ports::{RecordAnswer, SettlementRequest, Subscriptions};
use domain::catalog::PricingModel;
use domain::entitlement::EntitledValue;
use domain::metering::ParkReason;
use domain::quantity::Quantity;

use crate::scripted::Answer;
use crate::{at, buyer, ends, flush_at, ledger, meter, run_at, use_scans, world};

#[tokio::test]
async fn a_flush_sends_the_hour_in_progress_and_asks_for_the_next_flush() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T06:10:00Z").await;
    let state = ends(&world, &state, "2026-11-24T06:20:00Z");
    let report = flush_at(&world, &state, "2026-11-24T06:21:00Z").await;
    assert_eq!((report.accepted, report.concluded), (1, 0));
    assert_eq!(world.aws.sent(), [("2026-11-24T06Z".to_owned(), 3)]);
    let again = SettlementRequest::Flush { subscription: state.id.clone() };
    assert_eq!(world.aws.requests(), [(again, 300)]);
}

#[tokio::test]
async fn flushes_come_every_five_minutes_once_shortly_before_the_end_and_once_after_it() {
    for (now, delay) in [
        ("2026-11-24T07:10:00Z", 300),
        ("2026-11-24T07:16:00Z", 180),
        ("2026-11-24T07:19:00Z", 60),
        ("2026-11-24T07:19:59Z", 1),
    ] {
        let world = world(PricingModel::Usage);
        let state = buyer(&world, "l-1");
        let state = ends(&world, &state, "2026-11-24T06:20:00Z");
        flush_at(&world, &state, now).await;
        assert_eq!(world.aws.requests()[0].1, delay, "{now}");
    }
}

#[tokio::test]
async fn a_flush_of_a_license_in_use_asks_for_no_other() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T07:30:00Z").await;
    let report = flush_at(&world, &state, "2026-11-24T08:01:00Z").await;
    assert_eq!((report.accepted, report.concluded, world.aws.requests().len()), (1, 0, 0));
}

#[tokio::test]
async fn a_flush_settles_last_months_meters_too() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-30T22:30:00Z").await;
    let state = ends(&world, &state, "2026-12-01T00:10:00Z");
    assert_eq!(flush_at(&world, &state, "2026-12-01T00:45:00Z").await.accepted, 1);
}

#[tokio::test]
async fn an_end_is_concluded_once_everything_is_settled_or_given_up() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T06:10:00Z").await;
    let state = ends(&world, &state, "2026-11-24T06:20:00Z");
    let report = flush_at(&world, &state, "2026-11-24T07:25:00Z").await;
    assert_eq!(report.parked_because, [(ParkReason::Closed, 1)].into());
    assert_eq!(report.concluded, 1);
    let known = world.store.subscription(&state.id).await.unwrap().unwrap();
    assert_eq!(known.concluded, Some(at("2026-11-24T07:25:00Z")));
    assert_eq!(known.revision, state.revision + 1);
    let again = flush_at(&world, &state, "2026-11-24T07:26:00Z").await;
    assert_eq!((again.concluded, again.parked), (0, 0), "once");
}

#[tokio::test]
async fn the_schedule_concludes_an_end_whose_flush_was_lost() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    ends(&world, &state, "2026-11-24T06:20:00Z");
    assert_eq!(run_at(&world, "2026-11-24T07:19:00Z").await.concluded, 0, "not over yet");
    assert_eq!(run_at(&world, "2026-11-24T07:20:00Z").await.concluded, 1);
    assert_eq!(run_at(&world, "2026-11-24T07:21:00Z").await.concluded, 0);
}

#[tokio::test]
async fn an_end_waits_for_the_answer_to_what_was_sent_before_it() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T06:10:00Z").await;
    let state = ends(&world, &state, "2026-11-24T06:20:00Z");
    world.aws.answer(vec![Answer::Each(RecordAnswer::NotSubscribed); 3]);
    flush_at(&world, &state, "2026-11-24T07:19:00Z").await;
    let early = run_at(&world, "2026-11-24T07:30:00Z").await;
    assert_eq!((early.parked, early.concluded, ledger(&world).len()), (0, 0, 0));
    let late = run_at(&world, "2026-11-24T07:36:00Z").await;
    assert_eq!((late.parked, late.concluded), (1, 1));
    assert_eq!(meter(&world, &state).await.parked, 3);
}

#[tokio::test]
async fn entitlements_that_are_due_are_read_again() {
    let world = world(PricingModel::Contract);
    let mut state = buyer(&world, "l-1");
    state.reread_entitlements = Some(at("2026-11-24T07:00:00Z"));
    world.store.put_state(state.clone());
    world.aws.grant("premium", EntitledValue::Amount(Quantity::whole(1)));
    run_at(&world, "2026-11-24T06:59:00Z").await;
    assert_eq!(world.aws.entitlement_calls(), 0, "not due yet");
    run_at(&world, "2026-11-24T07:00:00Z").await;
    let known = world.store.subscription(&state.id).await.unwrap().unwrap();
    assert_eq!(known.plan(&world.listing.catalog).unwrap().id.as_str(), "PREMIUM");
    assert_eq!((known.reread_entitlements, world.aws.entitlement_calls()), (None, 1));
}
