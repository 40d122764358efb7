//! Outgoing webhooks: what the tenant topic tells reaches an endpoint, signed, through refusals, pauses and replays.

use std::collections::BTreeSet;

use local::{System, SystemOptions};
use serde_json::{Value, json};

use crate::story::{PayAsYouGo, Story};

async fn begin() -> Story {
    Story::with(SystemOptions { webhooks: true, ..SystemOptions::of(PayAsYouGo) }).await
}

async fn post(system: &System, path: &str, body: Value) -> Value {
    let url = format!("{}{path}", system.url());
    let answer = reqwest::Client::new().post(url).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}

pub(crate) async fn answer_with(story: &Story, status: u16) {
    post(&story.system, "/_local/webhooks/answer", json!({ "status": status })).await;
}

async fn command(story: &Story, command: Value) -> Value {
    post(&story.system, "/_local/webhooks/command", command).await
}

/// Type and answered status of everything that came.
fn came(story: &Story) -> Vec<(String, u16)> {
    let received = story.system.webhooks_received();
    let kind = |body: &Value| body["type"].as_str().unwrap().to_owned();
    received.iter().map(|message| (kind(&message.body), message.answered)).collect()
}

#[tokio::test]
async fn an_endpoint_is_told_what_the_topic_is_told_with_the_same_revisions() {
    let story = begin().await;
    let buyer = story.subscriber("111122223333").await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    // The first two are of one change.
    let kinds = ["provision", "registered", "revoke"].map(|kind| format!("tenant.{kind}"));
    let mut received = came(&story);
    received.sort();
    assert_eq!(received, kinds.map(|kind| (kind, 200)));
    let told = story.system.tenant_notices().unwrap();
    let revisions: Vec<_> = told.iter().map(|notice| json!(notice.revision)).collect();
    let received = story.system.webhooks_received();
    assert_eq!(
        received.iter().map(|it| it.body["data"]["revision"].clone()).collect::<Vec<_>>(),
        revisions
    );
    story.end().await;
}

#[tokio::test]
async fn a_refused_message_comes_again_for_three_days_with_the_same_id_and_is_then_given_up() {
    let story = begin().await;
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    assert_eq!(came(&story), [("tenant.registered".to_owned(), 200)]);
    answer_with(&story, 503).await;
    story.hours(80).await;
    let received = story.system.webhooks_received().split_off(1);
    let ids: BTreeSet<_> = received.iter().map(|message| message.id.clone()).collect();
    assert_eq!((received.len(), ids.len()), (10, 1));
    let waits: Vec<i64> =
        received.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_secs()).collect();
    let wanted = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(waits, wanted);
    let report = command(&story, json!({"command": "status", "endpoint": "laptop"})).await;
    assert_eq!(report["deliveries"], json!({"delivered": 1, "givenUp": 1}));

    answer_with(&story, 200).await;
    let from = "2026-11-01T00:00:00Z";
    let replayed =
        command(&story, json!({"command": "replay", "endpoint": "laptop", "from": from})).await;
    assert_eq!(
        (&replayed["sentAgain"], &replayed["deliveries"]),
        (&json!(2), &json!({"delivered": 2}))
    );
    let again = story.system.webhooks_received().split_off(11);
    assert!(again.iter().any(|message| ids.contains(&message.id)), "{again:?}");
    assert!(again.iter().all(|message| message.answered == 200), "{again:?}");
    story.end().await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_paused_and_resumed_without_loss() {
    let story = begin().await;
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    answer_with(&story, 410).await;
    story.hours(1).await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    assert_eq!(came(&story)[1..], [("tenant.provision".to_owned(), 410)], "nothing more is sent");
    let report = command(&story, json!({"command": "status", "endpoint": "laptop"})).await;
    assert!(report["health"]["pausedSince"].is_string(), "{report}");
    assert_eq!(report["deliveries"], json!({"delivered": 1, "held": 2}));

    answer_with(&story, 200).await;
    let resumed = command(&story, json!({"command": "resume", "endpoint": "laptop"})).await;
    assert_eq!(
        (&resumed["sentAgain"], &resumed["deliveries"]),
        (&json!(2), &json!({"delivered": 3}))
    );
    assert_eq!(
        came(&story)[2..],
        [("tenant.provision".to_owned(), 200), ("tenant.revoke".to_owned(), 200)]
    );
    story.end().await;
}

#[tokio::test]
async fn a_message_that_nobody_signed_is_not_taken_by_the_endpoint() {
    let story = begin().await;
    let url = format!("{}/_local/webhooks/inbox", story.system.url());
    let answer = reqwest::Client::new().post(url).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(story.system.webhooks_received().is_empty());
    story.end().await;
}
