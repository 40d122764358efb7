//! What things cost in round trips, counted on the wire. The budgets are those of the design; each test prints what it
//! counted.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use local::SystemOptions;
use serde_json::json;

use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};

type Counted = BTreeMap<String, u64>;

impl Story {
    /// Counts the requests to DynamoDB while something is done.
    async fn counting<T>(&self, what: &str, done: impl Future<Output = T>) -> (T, Counted) {
        self.system.round_trips().reset();
        let outcome = done.await;
        let counted = self.system.round_trips().by_operation();
        println!("{what}: {counted:?}");
        (outcome, counted)
    }
}

fn of(counts: &[(&str, u64)]) -> Counted {
    counts.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_license_notice_costs_one_read_and_one_transaction_and_a_repeat_one_read() {
    let story = Story::begin(PayAsYouGo).await;
    let simulator = story.system.simulator();
    story.buy("111122223333");
    simulator.clock().advance(SignedDuration::from_mins(2));
    for notification in simulator.due_notifications() {
        simulator.acknowledge(notification.id);
        let body = notification.body.to_string();
        let proof = story.sign(&body, story.now());
        let kind = notification.body["detail-type"].as_str().unwrap().to_owned();
        // A license names its subscription; an agreement only leads to it, once it is linked.
        let reads = if kind.starts_with("License") { 1..=1 } else { 1..=2 };
        let (answer, counted) = story.counting(&kind, story.webhook(&body, Some(&proof))).await;
        let outcome = answer.body["outcome"].as_str().unwrap();
        assert!(["applied", "parked"].contains(&outcome), "{answer:?}");
        assert!(reads.contains(&counted["BatchGetItem"]), "{kind}: {counted:?}");
        assert_eq!(counted["TransactWriteItems"], 1, "{kind}: {counted:?}");
        assert_eq!(counted.len(), 2, "{kind}: {counted:?}");

        let (again, counted) = story.counting("again", story.webhook(&body, Some(&proof))).await;
        assert_eq!(again.body["outcome"], "already_seen", "{again:?}");
        assert!(counted.keys().eq(["BatchGetItem"]), "{kind}: {counted:?}");
    }
    story.end().await;
}

#[tokio::test]
async fn a_usage_report_costs_one_read_and_a_transaction_for_each_meter_it_touches() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let event = |key: &str, dimension: &str| json!({"key": key, "dimension": dimension, "quantity": "1.5", "at": story.now()});
    for (what, events, meters) in [
        ("a new meter", vec![event("a", "scans")], 1),
        ("the same meter", vec![event("b", "scans"), event("c", "scans")], 1),
        ("two meters", vec![event("d", "scans"), event("e", "findings")], 2),
    ] {
        let (answer, counted) = story.counting(what, story.report(&buyer, &events)).await;
        assert_eq!(answer.body["accepted"], events.len(), "{answer:?}");
        let budget = of(&[("BatchGetItem", 1), ("TransactWriteItems", meters)]);
        assert_eq!(counted, budget, "{what}");
    }
    story.end().await;
}

#[tokio::test]
async fn an_entitlement_check_costs_one_read() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    let path = format!("/marketplace/subscriptions/{}/entitlements/check", subscription_id(&buyer));
    let asked = json!({"feature": "ai-chat", "dimension": "scans", "quantity": "1"});
    let check = story.call("POST", &path, Some(asked));
    let (answer, counted) = story.counting("a check", check).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(counted.values().sum::<u64>(), 1, "{counted:?}");
    story.end().await;
}

#[tokio::test]
async fn a_metering_record_costs_two_writes_and_a_twenty_fifth_of_a_call() {
    let story = Story::with(SystemOptions::of(PayAsYouGo)).await;
    let mut buyers = Vec::new();
    for buyer in 0..20 {
        buyers.push(story.subscriber(&format!("1111222233{buyer:02}")).await);
    }
    for buyer in &buyers {
        for dimension in ["scans", "findings", "api-calls"] {
            story.uses(buyer, dimension, "3").await;
        }
    }
    story.system.simulator().clock().advance(SignedDuration::from_hours(1));
    let calls = || {
        let calls = story.system.simulator().calls();
        calls.iter().filter(|call| call.operation == "BatchMeterUsage").count()
    };
    let before = calls();
    let (report, counted) = story.counting("60 records", story.system.run_scheduler()).await;
    let report = report.unwrap();
    assert_eq!(report["accepted"], 60, "{report}");
    assert_eq!(calls() - before, 3, "60 records in calls of 25");
    let writes: u64 = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]
        .iter()
        .filter_map(|write| counted.get(*write))
        .sum();
    assert_eq!(writes, 120, "one freeze and one booking a record: {counted:?}");
    story.end().await;
}
