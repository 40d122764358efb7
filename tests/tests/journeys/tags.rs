//! Cost allocation: what the buyer's tags owe travels with each record, and never in the way of billing it.

use serde_json::{Value, json};
use simulator::switches::TagLimit;
use simulator::{Bought, Fault};

use crate::story::{PayAsYouGo, Story, subscription_id};

async fn uses(story: &Story, buyer: &Bought, quantity: &str, tags: Value) {
    let event = json!({
        "key": story.new_key(), "dimension": "scans", "quantity": quantity, "at": story.now(), "tags": tags,
    });
    let answer = story.report(buyer, &[event]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The records of every BatchMeterUsage call.
fn sent(story: &Story) -> Vec<Value> {
    let calls = story.system.simulator().calls();
    let metering = calls.into_iter().filter(|call| call.operation == "BatchMeterUsage");
    metering.map(|call| call.request["UsageRecords"].clone()).collect()
}

async fn records(story: &Story, buyer: &Bought) -> Vec<Value> {
    let path =
        format!("/marketplace/subscriptions/{}/records?month=2026-11", subscription_id(buyer));
    let answer = story.call("GET", &path, None).await;
    answer.body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn whole_units_are_allocated_to_tags_and_fractions_are_carried_over() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let (a, b) = (json!({"Team": "a", "CostCenter": "42"}), json!({"Team": "b"}));
    uses(&story, &buyer, "2.5", a.clone()).await;
    uses(&story, &buyer, "1.75", b.clone()).await;
    uses(&story, &buyer, "1.5", json!({})).await;
    story.hours(2).await;
    uses(&story, &buyer, "0.5", a.clone()).await;
    uses(&story, &buyer, "0.25", b.clone()).await;
    story.hours(1).await;
    let of = |record: &Value| record["allocations"].clone();
    let records: Vec<Value> = records(&story, &buyer).await.iter().map(of).collect();
    let allocation = |tags: &Value, quantity: u64| json!({"tags": tags, "quantity": quantity});
    assert_eq!(
        records,
        [
            // 5.75 are due: 2.5, 1.75 and 1.5; the second unit of b is the nearest to one.
            json!([allocation(&a, 2), allocation(&b, 2), allocation(&json!({}), 1)]),
            // 6.5 are due in all: a is owed its third.
            json!([allocation(&a, 1)]),
        ]
    );
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 6);
    story.end().await;
}

#[tokio::test]
async fn a_record_is_sent_again_with_the_same_allocations() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    uses(&story, &buyer, "3", json!({"Team": "a"})).await;
    uses(&story, &buyer, "4", json!({"Team": "b"})).await;
    story.system.simulator().faults(|it| it.lost_response = Fault::next(2).only("BatchMeterUsage"));
    story.hours(2).await;
    let sent = sent(&story);
    assert!(sent.len() >= 3, "{} calls", sent.len());
    assert!(sent.iter().all(|records| *records == sent[0]), "{sent:?}");
    assert_eq!(sent[0][0]["UsageAllocations"].as_array().unwrap().len(), 2);
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 7);
    story.end().await;
}

#[tokio::test]
async fn usage_without_tags_is_sent_as_ever() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "3").await;
    story.hours(2).await;
    assert!(sent(&story)[0][0].get("UsageAllocations").is_none());
    story.end().await;
}

/// One of AWS's pages allows 5 tags in a whole list of allocations, its model 5 in each (fact sheet §3.1).
#[tokio::test]
async fn billing_comes_before_allocation_where_aws_refuses_the_tags() {
    let story = Story::begin(PayAsYouGo).await;
    story.system.simulator().switches(|it| it.tag_limit = TagLimit::WholeList);
    let buyer = story.subscriber("111122223333").await;
    let other = story.subscriber("111122224444").await;
    for team in 0..6 {
        uses(&story, &buyer, "1", json!({"Team": format!("team {team}")})).await;
    }
    story.uses(&other, "scans", "2").await;
    story.hours(3).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 6, "in full, under the same hour");
    assert_eq!(story.invoiced(&other, "scans", "2026-11"), 2);
    let records = records(&story, &buyer).await;
    assert_eq!((records.len(), &records[0]["status"]), (1, &json!("accepted")));
    assert_eq!(records[0]["allocations"], json!([]));
    story.end().await;
}

#[tokio::test]
async fn tags_that_aws_would_not_take_are_refused_at_the_door() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let event = |key: String, tags: Value| json!({"key": key, "dimension": "scans", "quantity": "1", "at": story.now(), "tags": tags});
    let answer = story.report(&buyer, &[event(story.new_key(), json!({"Team": "a>b"}))]).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_tags"));
    let sets: Vec<Value> =
        (0..50).map(|n| event(story.new_key(), json!({"Team": n.to_string()}))).collect();
    let answer = story.report(&buyer, &sets).await;
    assert_eq!(answer.body["accepted"], 50, "{answer:?}");
    let more = [
        event(story.new_key(), json!({"Team": "one too many"})),
        event(story.new_key(), json!({"Team": "7"})),
        event(story.new_key(), json!({})),
        sets[7].clone(),
    ];
    let answer = story.report(&buyer, &more).await;
    let said: Vec<&Value> =
        answer.body["results"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(said, ["refused", "accepted", "accepted", "duplicate"]);
    assert_eq!(answer.body["results"][0]["code"], "too_many_tag_sets");
    let mut other_tags = sets[7].clone();
    other_tags["tags"] = json!({"Team": "8"});
    let answer = story.report(&buyer, &[other_tags]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "key_conflict"),
        "tags are a part of the event"
    );
    story.hours(2).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 52);
    story.end().await;
}
