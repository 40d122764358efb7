//! The sender's triggers over a store in memory and a postman who does as he is told; and the real postman.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod going_out;
mod store;

use std::sync::{Arc, Mutex};

use app::ports::{Posted, Postman, WakeUp};
use app::{Clock, Error};
use domain::delivery::Delivery;
use jiff::{SignedDuration, Timestamp};
use lambda_shell::metrics::Metrics;
use serde_json::{Value, json};
use webhook_sender::{Deps, handle};

use crate::store::Store;

/// Notes what it posts.
#[derive(Debug, Clone, Default)]
struct Notebook(Arc<Mutex<Vec<(String, String)>>>, Arc<Mutex<Vec<SignedDuration>>>);

impl Postman for Notebook {
    async fn post(&self, delivery: &Delivery, _now: Timestamp) -> Posted {
        let line = (delivery.endpoint.to_string(), delivery.id.clone());
        self.0.lock().unwrap().push(line);
        if delivery.endpoint.as_str() == "down" {
            Posted::NotTaken { told: "503".into(), gone: false, patience: None }
        } else {
            Posted::Taken { told: "200".into() }
        }
    }
}

impl WakeUp for Notebook {
    async fn wake_in(&self, delay: SignedDuration) -> Result<(), Error> {
        self.1.lock().unwrap().push(delay);
        Ok(())
    }
}

fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn deps(endpoints: &[&str], now: &str) -> Deps<Store, Notebook, Notebook> {
    let notebook = Notebook::default();
    let now: Timestamp = now.parse().unwrap();
    Deps {
        store: Store::default(),
        postman: notebook.clone(),
        wake_up: notebook,
        endpoints: endpoints.iter().map(|name| name.parse().unwrap()).collect(),
        clock: Clock::new(move || now),
        metrics: Metrics::discard(),
    }
}

const NOW: &str = "2026-11-24T08:05:00Z";

async fn failures<P: Postman + Sync>(deps: &Deps<Store, P, Notebook>, event: Value) -> Value {
    let answer = handle(deps, event).await.unwrap();
    serde_json::to_value(answer).unwrap()["batchItemFailures"].clone()
}

#[tokio::test]
async fn a_notice_is_posted_once_to_each_endpoint_however_often_it_comes() {
    let deps = deps(&["crm", "erp"], NOW);
    for _ in 0..3 {
        assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    }
    let posted = deps.postman.0.lock().unwrap().clone();
    let to: Vec<_> = posted.iter().map(|(endpoint, _)| endpoint.as_str()).collect();
    assert_eq!(to, ["crm", "erp"]);
    assert_eq!(posted[0].1, posted[1].1, "one message, one id");
}

#[tokio::test]
async fn a_refused_one_asks_to_be_called_again_and_another_endpoint_does_not_wait() {
    let deps = deps(&["down", "crm"], NOW);
    assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    assert_eq!(*deps.wake_up.1.lock().unwrap(), [SignedDuration::from_secs(5)]);
    assert_eq!(deps.postman.0.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_dies_between_posting_and_writing_down_posts_the_same_id_again() {
    let mut deps = deps(&["crm"], NOW);
    // One write keeps it, one claims it; the one that concludes it dies.
    deps.store.0.lock().unwrap().writes = Some(2);
    let failed = failures(&deps, event("webhook-sender.notice-sqs.json")).await;
    assert_eq!(failed.as_array().map(Vec::len), Some(1), "the message comes again");
    deps.store.0.lock().unwrap().writes = None;
    assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    assert_eq!(deps.postman.0.lock().unwrap().len(), 1, "the claim holds");
    let later: Timestamp = "2026-11-24T08:06:00Z".parse().unwrap();
    deps.clock = Clock::new(move || later);
    assert_eq!(failures(&deps, event("webhook-sender.schedule.json")).await, json!([]));
    let posted = deps.postman.0.lock().unwrap().clone();
    assert_eq!((posted.len(), posted[0] == posted[1]), (2, true), "{posted:?}");
}

#[tokio::test]
async fn whoever_dies_before_the_claim_posts_nothing() {
    let deps = deps(&["crm"], NOW);
    deps.store.0.lock().unwrap().writes = Some(1);
    let failed = failures(&deps, event("webhook-sender.notice-sqs.json")).await;
    assert_eq!(failed.as_array().map(Vec::len), Some(1));
    assert!(deps.postman.0.lock().unwrap().is_empty());
    deps.store.0.lock().unwrap().writes = None;
    assert_eq!(failures(&deps, event("webhook-sender.schedule.json")).await, json!([]));
    assert_eq!(deps.postman.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_is_no_notice_is_left_for_a_human() {
    let deps = deps(&["crm"], NOW);
    let mut event = event("webhook-sender.notice-sqs.json");
    event["Records"][0]["body"] = json!("{}");
    assert_eq!(failures(&deps, event).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_for_an_hour_is_paused_and_the_others_are_not() {
    let mut deps = deps(&["down", "crm"], NOW);
    let began: Timestamp = NOW.parse().unwrap();
    for minute in 0..=60 {
        let now = began + SignedDuration::from_mins(minute);
        deps.clock = Clock::new(move || now);
        let mut notice = event("webhook-sender.notice-sqs.json");
        let body = notice["Records"][0]["body"].as_str().unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["revision"] = json!(100 + minute);
        notice["Records"][0]["body"] = json!(body.to_string());
        assert_eq!(failures(&deps, notice).await, json!([]));
    }
    let of = |name: &str| {
        let posted = deps.postman.0.lock().unwrap();
        posted.iter().filter(|(endpoint, _)| endpoint == name).count()
    };
    let health =
        |name: &str| deps.store.0.lock().unwrap().health.get(&name.parse().unwrap()).cloned();
    let paused = health("down").unwrap().paused_since;
    assert_eq!(paused, Some(began + SignedDuration::from_hours(1)), "not sooner");
    assert!(health("crm").is_none_or(|health| !health.is_paused()));
    assert_eq!(of("crm"), 61, "the other endpoint took everything");
    let before = of("down");
    assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    assert_eq!(of("down"), before, "nothing is sent while it is paused");
}

#[tokio::test]
async fn a_replay_sends_what_happened_from_an_instant_on_and_nothing_older() {
    let deps = deps(&["crm"], NOW);
    let hours = ["2026-11-24T05:00:00Z", "2026-11-24T06:00:00Z", "2026-11-24T07:00:00Z"];
    for (at, revision) in hours.into_iter().zip(1..) {
        let mut notice = event("webhook-sender.notice-sqs.json");
        let body = notice["Records"][0]["body"].as_str().unwrap();
        let mut body: Value = serde_json::from_str(body).unwrap();
        (body["at"], body["revision"]) = (json!(at), json!(revision));
        notice["Records"][0]["body"] = json!(body.to_string());
        assert_eq!(failures(&deps, notice).await, json!([]));
    }
    let first = deps.postman.0.lock().unwrap().clone();
    assert_eq!(first.len(), 3);
    let replay = json!({"command": "replay", "endpoint": "crm", "from": hours[1]});
    let answer = serde_json::to_value(handle(&deps, replay).await.unwrap()).unwrap();
    assert_eq!(answer["sentAgain"], 2);
    let all = deps.postman.0.lock().unwrap().clone();
    assert_eq!(all[3..], first[1..], "the same ids, and not the oldest");
}
