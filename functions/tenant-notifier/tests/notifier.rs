//! The notifier's triggers, with the events of `events/` and fakes of the ports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use app::ports::{Outbox, OutboxItem, OutboxKey};
use domain::ids::SubscriptionId;
use domain::subscription::{TenantNotice, TenantNoticeKind};
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::{self, Metric, Metrics};
use serde_json::{Value, json};
use tenant_notifier::{Deps, handle};

const NOW: &str = "2026-11-24T08:05:00Z";
const ONE: &str = "sub_144655ed8eb538826f244a6dd449af83";
const OTHER: &str = "sub_00000000000000000000000000000002";

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn deps() -> Deps<FakeStore, FakeAws> {
    Deps { context: context(), clock: clock(NOW), metrics: Metrics::discard() }
}

/// What was published: whose, and of which revision.
fn published(deps: &Deps<FakeStore, FakeAws>) -> Vec<(String, u64)> {
    let published = deps.context.aws.published.lock().unwrap();
    published.iter().map(|notice| (notice.subscription_id.to_string(), notice.revision)).collect()
}

fn refuse(deps: &Deps<FakeStore, FakeAws>, id: &str) {
    deps.context.aws.unpublishable.lock().unwrap().push(id.to_owned());
}

#[tokio::test]
async fn inserted_outbox_items_are_published_in_order_and_nothing_else_is() {
    let deps = deps();
    let response = handle(&deps, event("tenant-notifier.outbox-stream.json")).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    let mut told = published(&deps);
    told.sort();
    assert_eq!(told, [(OTHER.to_owned(), 1), (ONE.to_owned(), 2), (ONE.to_owned(), 3)]);
    let revisions: Vec<_> = published(&deps).into_iter().filter(|(id, _)| id == ONE).collect();
    assert_eq!(revisions, [(ONE.to_owned(), 2), (ONE.to_owned(), 3)]);
}

#[tokio::test]
async fn after_a_failure_the_same_subscription_waits_and_others_go_on() {
    let deps = deps();
    refuse(&deps, ONE);
    let event = event("tenant-notifier.outbox-stream.json");
    let first = event["Records"].as_array().unwrap().iter().find(|record| {
        record["eventName"] == "INSERT"
            && record["dynamodb"]["Keys"]["pk"]["S"] == format!("SUB#{ONE}")
    });
    let first = first.unwrap()["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
    let response = handle(&deps, event).await.unwrap();
    assert_eq!(response.failures().collect::<Vec<_>>(), [first]);
    assert_eq!(published(&deps), [(OTHER.to_owned(), 1)]);
}

#[tokio::test]
async fn an_outbox_item_that_cannot_be_read_is_not_skipped() {
    let deps = deps();
    let mut event = event("tenant-notifier.outbox-stream.json");
    let records = event["Records"].as_array_mut().unwrap();
    let broken = records.iter_mut().find(|record| record["eventName"] == "INSERT").unwrap();
    let image = broken["dynamodb"]["NewImage"].as_object_mut().unwrap();
    image.retain(|name, _| name == "pk" || name == "sk");
    let number = broken["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
    let response = handle(&deps, event).await.unwrap();
    assert_eq!(response.failures().collect::<Vec<_>>(), [number]);
}

#[test]
fn the_example_is_what_the_store_writes() {
    let event: aws_lambda_events::dynamodb::Event =
        serde_json::from_value(event("tenant-notifier.outbox-stream.json")).unwrap();
    let inserted: Vec<_> =
        event.records.into_iter().filter(|record| record.event_name == "INSERT").collect();
    assert_eq!(inserted.len(), 3);
    for record in inserted {
        let image = record.change.new_image;
        let item = store_dynamodb::outbox_item(image.clone()).unwrap().unwrap();
        assert_eq!(store_dynamodb::stream_image(&item).unwrap(), image);
    }
}

fn left_over(id: &str, revision: u64, at: &str) -> OutboxItem {
    let subscription: SubscriptionId = id.parse().unwrap();
    OutboxItem {
        key: OutboxKey { subscription: subscription.clone(), name: revision.to_string() },
        notice: TenantNotice {
            subscription_id: subscription,
            revision,
            at: at.parse().unwrap(),
            kind: TenantNoticeKind::Provision,
            tenant_id: None,
            plan: None,
            features: std::collections::BTreeSet::new(),
        },
    }
}

#[tokio::test]
async fn the_schedule_publishes_what_the_stream_has_lost() {
    let deps = deps();
    deps.context.store.put_outbox(left_over(ONE, 4, "2026-11-24T08:00:00Z"));
    deps.context.store.put_outbox(left_over(ONE, 3, "2026-11-24T07:59:59Z"));
    handle(&deps, event("metering-scheduler.schedule.json")).await.unwrap();
    assert_eq!(published(&deps), [(ONE.to_owned(), 3)], "what is young is still on its way");
    let left = deps.context.store.unpublished(None, 10).await.unwrap();
    assert_eq!(left.items.iter().map(|item| item.notice.revision).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn a_schedule_that_leaves_something_behind_fails() {
    let deps = deps();
    deps.context.store.put_outbox(left_over(ONE, 3, "2026-11-24T07:00:00Z"));
    deps.context.store.put_outbox(left_over(OTHER, 1, "2026-11-24T07:00:00Z"));
    refuse(&deps, ONE);
    assert_eq!(
        handle(&deps, event("metering-scheduler.schedule.json")).await.unwrap_err().error_type(),
        "NotDone"
    );
    assert_eq!(published(&deps), [(OTHER.to_owned(), 1)]);
    deps.context.store.set_down(true);
    assert_eq!(
        handle(&deps, event("metering-scheduler.schedule.json")).await.unwrap_err().error_type(),
        "Unavailable"
    );
}

#[tokio::test]
async fn a_notice_that_is_not_published_is_counted() {
    let lines = Arc::new(Mutex::new(Vec::<Value>::new()));
    let sink = lines.clone();
    let metrics =
        Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    let sum = |metric: Metric| -> u64 {
        lines.lock().unwrap().iter().filter_map(|line| line[metric.name].as_u64()).sum()
    };
    let deps = Deps { metrics, ..deps() };
    refuse(&deps, ONE);
    handle(&deps, event("tenant-notifier.outbox-stream.json")).await.unwrap();
    assert_eq!(sum(metrics::TENANT_NOTICES_FAILED), 1);
    assert_eq!(sum(metrics::TENANT_NOTICES_PUBLISHED), 1);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    for other in [
        json!({}),
        json!({"Records": []}),
        event("entitlement-listener.sns.json"),
        event("metering-scheduler.settlement-sqs.json"),
    ] {
        let failure = handle(&deps(), other).await.unwrap_err();
        assert_eq!(failure.error_type(), "UnknownEvent");
    }
}
