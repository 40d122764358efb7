//! The scheduler's triggers, with the events of `events/` and fakes of the ports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use app::Context;
use app::ports::SettlementRequest;
use app::settlement::Budget;
use app::usage::{Report, report};
use domain::catalog::PricingModel;
use domain::ids::{LicenseRef, SubscriptionId};
use domain::notice::LicenseChange;
use domain::subscription::{LicenseFacts, Subscription};
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use metering_scheduler::{Answer, Deps, handle};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const NOW: &str = "2026-11-24T08:05:00Z";

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

struct Fixture {
    deps: Deps<FakeStore, FakeAws>,
    lines: Arc<Mutex<Vec<Value>>>,
}

fn fixture(context: Context<FakeStore, FakeAws>) -> Fixture {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let metrics =
        Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    Fixture { deps: Deps { context, clock: clock(NOW), metrics }, lines }
}

impl Fixture {
    fn metric(&self, name: &str) -> u64 {
        self.lines.lock().unwrap().iter().filter_map(|line| line[name].as_u64()).sum()
    }
}

/// A store in which one subscription used three API calls in the hour before.
async fn with_usage() -> (Context<FakeStore, FakeAws>, SubscriptionId) {
    let mut context = context();
    context.listing.pricing = PricingModel::Usage;
    let arn = "arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef";
    let license = LicenseRef::License { arn: arn.parse().unwrap() };
    let begun = "2026-11-24T06:00:00Z".parse().unwrap();
    let mut state =
        Subscription::new(license, context.listing.product.clone(), context.listing.pricing, begun);
    state.account = Some("111122223333".parse().unwrap());
    state.license_facts = LicenseFacts::of(LicenseChange::Updated, begun);
    let id = state.id.clone();
    context.store.put_state(state);
    let used = Report {
        key: "calls".to_owned(),
        name: "apiCalls".to_owned(),
        quantity: "3".to_owned(),
        at: "2026-11-24T07:30:00Z".to_owned(),
        tags: std::collections::BTreeMap::new(),
    };
    let answered = report(&context, &id, &[used], NOW.parse().unwrap()).await.unwrap();
    assert!(format!("{answered:?}").contains("Accepted"), "{answered:?}");
    (context, id)
}

#[tokio::test]
async fn the_schedule_settles_what_waits_and_answers_with_a_report() {
    let (context, _) = with_usage().await;
    let fixture = fixture(context);
    let answer =
        handle(&fixture.deps, event("metering-scheduler.schedule.json"), &Budget::endless())
            .await
            .unwrap();
    let report = serde_json::to_value(&answer).unwrap();
    assert_eq!((&report["accepted"], &report["calls"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(fixture.metric("SettlementRuns"), 1);
    assert_eq!(fixture.metric("RecordsAccepted"), 1);
}

#[tokio::test]
async fn the_queue_flushes_one_subscription_and_goes_on_with_a_backlog() {
    let (context, id) = with_usage().await;
    let flushed = json!({"request": "flush", "subscription": id});
    let event = event("metering-scheduler.settlement-sqs.json");
    assert_eq!(event["Records"][0]["body"].as_str().unwrap(), flushed.to_string());
    let fixture = fixture(context);
    let answer = handle(&fixture.deps, event, &Budget::endless()).await.unwrap();
    assert_eq!(serde_json::to_value(&answer).unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(fixture.metric("RecordsAccepted"), 1);
    assert_eq!(
        fixture.metric("SettlementRuns"),
        0,
        "only the schedule proves that the schedule runs"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_read_fails_alone() {
    let fixture = fixture(context());
    let mut event = event("metering-scheduler.settlement-sqs.json");
    event["Records"][0]["body"] = json!("{\"request\":\"flood\"}");
    let unreadable = event["Records"][0]["messageId"].as_str().unwrap().to_owned();
    let Answer::Queue(response) = handle(&fixture.deps, event, &Budget::endless()).await.unwrap()
    else {
        panic!("a queue is answered as a queue");
    };
    assert_eq!(response.failures().collect::<Vec<_>>(), [unreadable]);
}

#[tokio::test]
async fn without_time_requests_are_delivered_again_and_a_run_is_handed_over() {
    let (context, _) = with_usage().await;
    let fixture = fixture(context);
    let spent = || Budget::until(|| true);
    let Answer::Queue(response) =
        handle(&fixture.deps, event("metering-scheduler.settlement-sqs.json"), &spent())
            .await
            .unwrap()
    else {
        panic!("a queue is answered as a queue");
    };
    assert_eq!(response.failures().count(), 2);
    let Answer::Run(report) =
        handle(&fixture.deps, event("metering-scheduler.schedule.json"), &spent()).await.unwrap()
    else {
        panic!("a schedule is answered with a report");
    };
    assert!(report.handed_over);
    let requests = fixture.deps.context.aws.requests.lock().unwrap().clone();
    assert_eq!(requests, [(SettlementRequest::Backlog, 0)]);
}

#[tokio::test]
async fn a_store_that_does_not_answer_fails_the_run_and_is_measured() {
    let fixture = fixture(context());
    fixture.deps.context.store.set_down(true);
    let failure =
        handle(&fixture.deps, event("metering-scheduler.schedule.json"), &Budget::endless())
            .await
            .unwrap_err();
    assert_eq!(failure.error_type(), "Unavailable");
    assert_eq!(fixture.metric("SettlementFailed"), 1);
    assert_eq!(fixture.metric("SettlementRuns"), 0);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let fixture = fixture(context());
    for other in [
        json!({}),
        json!({"detail-type": "Other"}),
        event("entitlement-listener.sns.json"),
        event("entitlement-listener.eventbridge.json"),
    ] {
        let failure = handle(&fixture.deps, other, &Budget::endless()).await.unwrap_err();
        assert_eq!(failure.error_type(), "UnknownEvent");
    }
}
