//! The listener's triggers, with the events of `events/` and fakes of the ports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use app::ports::SettlementRequest;
use domain::subscription::Subscription;
use entitlement_listener::{Deps, handle};
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use serde_json::{Value, json};

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

struct Fixture {
    deps: Deps<FakeStore, FakeAws>,
    lines: Arc<Mutex<Vec<Value>>>,
}

fn fixture() -> Fixture {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let metrics =
        Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let deps = Deps { context: context(), clock: clock("2026-11-24T07:03:00Z"), metrics };
    Fixture { deps, lines }
}

impl Fixture {
    /// The ids of the messages to deliver again.
    async fn failed(&self, event: Value) -> Vec<String> {
        let response = handle(&self.deps, event).await.unwrap();
        response.failures().map(ToOwned::to_owned).collect()
    }

    fn only_state(&self) -> Subscription {
        let mut states = self.deps.context.store.states();
        assert_eq!(states.len(), 1, "{states:?}");
        states.remove(0)
    }

    fn metric(&self, name: &str) -> u64 {
        self.lines.lock().unwrap().iter().filter_map(|line| line[name].as_u64()).sum()
    }
}

#[tokio::test]
async fn a_queue_of_events_becomes_one_subscription_and_its_end_is_flushed() {
    let fixture = fixture();
    assert!(fixture.failed(event("entitlement-listener.eventbridge-sqs.json")).await.is_empty());
    let state = fixture.only_state();
    assert_eq!(state.account.as_ref().unwrap().as_str(), "111122223333");
    assert_eq!(fixture.deps.context.store.seen().len(), 5, "the unknown kind is recorded as well");
    let requests = fixture.deps.context.aws.requests.lock().unwrap().clone();
    assert!(
        requests.contains(&(SettlementRequest::Flush { subscription: state.id }, 0)),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_repeated_batch_changes_nothing() {
    let fixture = fixture();
    assert!(fixture.failed(event("entitlement-listener.eventbridge-sqs.json")).await.is_empty());
    let first = fixture.only_state();
    let applied = fixture.metric("NoticesApplied");
    assert!(fixture.failed(event("entitlement-listener.eventbridge-sqs.json")).await.is_empty());
    assert_eq!(fixture.only_state(), first);
    assert_eq!(fixture.metric("NoticesApplied"), applied);
}

#[tokio::test]
async fn a_legacy_topic_through_a_queue_names_its_customer() {
    let fixture = fixture();
    assert!(fixture.failed(event("entitlement-listener.sns-sqs.json")).await.is_empty());
    assert_eq!(fixture.only_state().customer.unwrap().as_str(), "X01EXAMPLEX");
}

#[tokio::test]
async fn a_direct_topic_is_read_in_both_spellings() {
    for (lambda, http) in [("Url", "Url"), ("Url", "URL")] {
        let fixture = fixture();
        let text = event("entitlement-listener.sns.json")
            .to_string()
            .replace(&format!("{lambda}\":"), &format!("{http}\":"));
        assert!(fixture.failed(serde_json::from_str(&text).unwrap()).await.is_empty());
        assert_eq!(fixture.only_state().customer.unwrap().as_str(), "X01EXAMPLEX");
    }
}

#[tokio::test]
async fn an_event_of_the_bus_may_come_directly() {
    let fixture = fixture();
    assert!(fixture.failed(event("entitlement-listener.eventbridge.json")).await.is_empty());
    assert_eq!(fixture.metric("NoticesApplied"), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone() {
    let fixture = fixture();
    let mut event = event("entitlement-listener.eventbridge-sqs.json");
    event["Records"][1]["body"] = json!("{\"detail-type\":");
    let unreadable = event["Records"][1]["messageId"].as_str().unwrap().to_owned();
    assert_eq!(fixture.failed(event).await, [unreadable]);
    assert_eq!(fixture.metric("NoticesUnreadable"), 1);
    assert_eq!(fixture.deps.context.store.seen().len(), 4);
}

#[tokio::test]
async fn while_the_store_is_down_every_message_comes_again() {
    let fixture = fixture();
    fixture.deps.context.store.set_down(true);
    assert_eq!(fixture.failed(event("entitlement-listener.eventbridge-sqs.json")).await.len(), 5);
    assert_eq!(fixture.metric("NoticesFailed"), 5);
    for direct in ["entitlement-listener.sns.json", "entitlement-listener.eventbridge.json"] {
        let failure = handle(&fixture.deps, event(direct)).await.unwrap_err();
        assert_eq!(failure.error_type(), "NotDone", "{direct}: Lambda repeats a failed invocation");
    }
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let fixture = fixture();
    for other in
        [json!({}), json!({"Records": [{"eventSource": "aws:s3"}]}), json!({"Records": []})]
    {
        let failure = handle(&fixture.deps, other).await.unwrap_err();
        assert_eq!(failure.error_type(), "UnknownEvent");
    }
}
