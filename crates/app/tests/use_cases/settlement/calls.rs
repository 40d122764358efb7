//! What goes into a call, and what happens when a call as a whole goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::ports::{RecordAnswer, SettlementRequest};
use app::settlement::{Budget, run};
use domain::catalog::PricingModel;
use domain::ids::LicenseRef;
use domain::metering::ParkReason;

use crate::scripted::Answer;
use crate::{
    World, buyer, clock, free, ledger, meter, older_buyer, run_at, use_dimension, use_scans, world,
};

const USED: &str = "2026-11-24T07:30:00Z";
const RUN: &str = "2026-11-24T08:05:00Z";

async fn with_buyers(count: usize) -> World {
    let world = world(PricingModel::Usage);
    for number in 0..count {
        let state = buyer(&world, &format!("l-{number}"));
        use_scans(&world, &state.id, 3, USED).await;
    }
    world
}

#[tokio::test]
async fn a_call_carries_at_most_twenty_five_records() {
    let world = with_buyers(60).await;
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.frozen, report.calls), (60, 60, 3));
    let mut sizes: Vec<_> = world.aws.calls().iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [10, 25, 25]);
}

#[tokio::test]
async fn licenses_and_older_customers_never_share_a_call() {
    let world = with_buyers(2).await;
    let older = older_buyer(&world, "customer-1");
    use_scans(&world, &older.id, 5, USED).await;
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.calls), (3, 2));
    for call in world.aws.calls() {
        let licenses = call
            .iter()
            .filter(|record| matches!(record.license, LicenseRef::License { .. }))
            .count();
        assert!(licenses == 0 || licenses == call.len(), "{call:?}");
    }
}

#[tokio::test]
async fn a_bad_record_is_found_by_halving_and_the_others_go_through() {
    let world = with_buyers(25).await;
    let bad = world.store.states().pop().unwrap();
    world.aws.poison(&bad.license, "InvalidUsageDimensionException");
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.parked), (24, 1));
    assert_eq!(report.parked_because, [(ParkReason::Rejected, 1)].into());
    assert!(report.calls <= 11, "one, then two for each halving of 25: {}", report.calls);
    assert_eq!(report.calls, u64::try_from(world.aws.calls().len()).unwrap());
    assert_eq!((meter(&world, &bad).await.parked, ledger(&world).len()), (3, 25));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_made_three_times_with_the_same_records() {
    let world = with_buyers(1).await;
    world.aws.answer([Answer::Retry, Answer::Retry]);
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.calls), (1, 3));
    let calls = world.aws.calls();
    assert!(calls.iter().all(|call| *call == calls[0]));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_leaves_its_records_under_way() {
    let world = with_buyers(1).await;
    world.aws.answer([Answer::Retry, Answer::Retry, Answer::Retry]);
    let report = run_at(&world, RUN).await;
    assert_eq!((report.pending, report.accepted, report.parked, report.calls), (1, 0, 0, 3));
    assert_eq!(report.oldest_unsettled.unwrap().to_string(), "2026-11-24T07Z");
    let next = run_at(&world, RUN).await;
    assert_eq!((next.accepted, next.frozen), (1, 0));
}

#[tokio::test]
async fn refused_credentials_stop_the_run_and_lose_nothing() {
    let world = with_buyers(1).await;
    let state = world.store.states().pop().unwrap();
    world.aws.answer([Answer::Credentials]);
    let error = run(&world, &clock(RUN), &free()).await.unwrap_err();
    assert!(matches!(error, app::Error::Refused { .. }), "{error:?}");
    assert_eq!(world.aws.calls().len(), 1, "no use in trying again");
    assert!(meter(&world, &state).await.pending.is_some());
    assert_eq!(run_at(&world, RUN).await.accepted, 1);
}

#[tokio::test]
async fn a_record_sent_by_two_schedulers_is_booked_once() {
    let world = with_buyers(1).await;
    let state = world.store.states().pop().unwrap();
    world.aws.answer([
        Answer::Each(RecordAnswer::Accepted(None)),
        Answer::Each(RecordAnswer::AlreadyHeld),
    ]);
    let (clock, budget) = (clock(RUN), free());
    let (one, two) = futures::join!(run(&world, &clock, &budget), run(&world, &clock, &budget));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.accepted + one.already_held + two.accepted + two.already_held, 1);
    assert_eq!((meter(&world, &state).await.metered, ledger(&world).len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn every_call_asks_for_leave_a_repeated_one_too() {
    let world = with_buyers(30).await;
    world.aws.answer([Answer::Retry]);
    let asked = Arc::new(AtomicU64::new(0));
    let asks = Arc::clone(&asked);
    let counted = Budget::paced(move || _ = asks.fetch_add(1, Ordering::Relaxed), || false);
    let report = run(&world, &clock(RUN), &counted).await.unwrap();
    assert_eq!((report.accepted, report.calls), (30, 3));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_the_time_does_not_suffice_for_is_handed_on() {
    let world = with_buyers(1).await;
    let spent = Budget::paced(|| (), || true);
    let report = run(&world, &clock(RUN), &spent).await.unwrap();
    assert!(report.handed_over);
    assert_eq!(world.aws.requests(), [(SettlementRequest::Backlog, 0)]);
    assert_eq!(world.aws.calls().len(), 0);
    assert!(!run_at(&world, RUN).await.handed_over);
}

#[tokio::test]
async fn a_run_works_through_every_shard_and_page() {
    let world = with_buyers(1).await;
    for number in 0..260 {
        let state = buyer(&world, &format!("l-1{number}"));
        use_scans(&world, &state.id, 1, USED).await;
        use_dimension(&world, &state.id, "api-calls", 2, USED).await;
    }
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.failed), (521, 0));
    assert_eq!(report.calls, 21, "slices of 250: ten calls, ten calls, one");
}

#[tokio::test]
async fn a_store_that_is_down_fails_the_run() {
    let world = with_buyers(1).await;
    world.store.set_down(true);
    run(&world, &clock(RUN), &free()).await.unwrap_err();
    world.store.set_down(false);
    assert_eq!(run_at(&world, RUN).await.accepted, 1);
}
