//! The sender's triggers over a store in memory and a postman who does as he is told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use app::ports::{Cursor, Deliveries, Page, Posted, Postman, Saved, WakeUp};
use app::{Clock, Error};
use domain::delivery::{Delivery, EndpointHealth, EndpointName};
use guarded_http::Networks;
use jiff::{SignedDuration, Timestamp};
use lambda_shell::config::{Configuration, OutgoingWebhooks, Vars};
use lambda_shell::metrics::Metrics;
use serde_json::{Value, json};
use webhook_sender::{Deps, HttpPostman, handle};

type Key = (EndpointName, Timestamp, String);

/// Keeps the port's promises.
#[derive(Debug, Clone, Default)]
struct Store(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    deliveries: BTreeMap<Key, Delivery>,
    health: BTreeMap<EndpointName, EndpointHealth>,
    /// How many writes still succeed; the next one dies.
    writes: Option<usize>,
}

impl Held {
    fn write(&mut self) -> Result<(), Error> {
        match &mut self.writes {
            Some(0) => Err(Error::Unavailable { dependency: "the store", source: "dead".into() }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn key(delivery: &Delivery) -> Key {
    (delivery.endpoint.clone(), delivery.at, delivery.id.clone())
}

impl Deliveries for Store {
    async fn add_delivery(&self, delivery: &Delivery) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.deliveries.contains_key(&key(delivery)) {
            return Ok(Saved::Overtaken);
        }
        held.deliveries.insert(key(delivery), delivery.clone());
        Ok(Saved::Done)
    }

    async fn save_delivery(&self, delivery: &Delivery, expected: u64) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.deliveries.get(&key(delivery)).is_none_or(|kept| kept.revision != expected) {
            return Ok(Saved::Overtaken);
        }
        held.deliveries.insert(key(delivery), delivery.clone());
        Ok(Saved::Done)
    }

    async fn due_deliveries(
        &self,
        now: Timestamp,
        _after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let held = self.0.lock().unwrap();
        let due = |it: &&Delivery| it.due().is_some_and(|due| due <= now);
        let items = held.deliveries.values().filter(due).take(limit.into()).cloned().collect();
        Ok(Page { items, next: None })
    }

    async fn deliveries(
        &self,
        endpoint: &EndpointName,
        from: Timestamp,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let held = self.0.lock().unwrap();
        let wanted = |it: &&Delivery| it.endpoint == *endpoint && it.at >= from;
        Ok(Page { items: held.deliveries.values().filter(wanted).cloned().collect(), next: None })
    }

    async fn endpoint(&self, name: &EndpointName) -> Result<EndpointHealth, Error> {
        let held = self.0.lock().unwrap();
        let unknown = || EndpointHealth::unknown(name.clone());
        Ok(held.health.get(name).cloned().unwrap_or_else(unknown))
    }

    async fn save_endpoint(&self, health: &EndpointHealth, expected: u64) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.health.get(&health.endpoint).map_or(0, |kept| kept.revision) != expected {
            return Ok(Saved::Overtaken);
        }
        held.health.insert(health.endpoint.clone(), health.clone());
        Ok(Saved::Done)
    }
}

/// Notes what it posts.
#[derive(Debug, Clone, Default)]
struct Notebook(Arc<Mutex<Vec<(String, String)>>>, Arc<Mutex<Vec<SignedDuration>>>);

impl Postman for Notebook {
    async fn post(&self, delivery: &Delivery, _now: Timestamp) -> Posted {
        let line = (delivery.endpoint.to_string(), delivery.id.clone());
        self.0.lock().unwrap().push(line);
        if delivery.endpoint.as_str() == "down" {
            Posted::NotTaken { told: "503".into(), gone: false }
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
async fn the_postman_goes_to_no_private_address() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let endpoint = |name: &str, url: &str| json!({"name": name, "url": url, "keys": [key]});
    let text = json!([
        endpoint("metadata", "https://169.254.169.254/latest"),
        endpoint("name", "https://localhost:1/hook"),
        endpoint("plain", "http://127.0.0.1:1/hook"),
    ])
    .to_string();
    let webhooks =
        OutgoingWebhooks::from_vars(&Vars::of([("OUTGOING_WEBHOOKS", text.as_str())])).unwrap();
    let postman = HttpPostman::new(webhooks.clone(), Networks::Public).unwrap();
    let fixture = deps(&["metadata", "name", "plain"], NOW);
    let deps = Deps {
        store: fixture.store,
        postman,
        wake_up: fixture.wake_up,
        endpoints: webhooks.names(),
        clock: fixture.clock,
        metrics: fixture.metrics,
    };
    assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    let held = deps.store.0.lock().unwrap();
    assert_eq!(held.deliveries.len(), 3);
    for delivery in held.deliveries.values() {
        let told = delivery.last.as_deref().unwrap();
        assert!(told.contains("refused"), "{}: {told}", delivery.endpoint);
    }
}
