//! Requests to the webhook, as API Gateway sends them, over fakes of the ports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::SubscriptionId;
use http::Request;
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::LambdaRequest;
use lambda_shell::config::{Secrets, WebhookEndpoint};
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use lambda_shell::signature;
use lambda_shell::signature::standard::{self, Key};
use serde_json::{Value, json};
use tower::ServiceExt;
use webhook::{Deps, LARGEST_BODY, router};

/// When the example events were signed.
const NOW: &str = "2026-11-24T07:01:05Z";
const SECRET: &str = "an-example-secret-that-is-never-used";

struct Fixture {
    deps: Deps<FakeStore, FakeAws>,
    lines: Arc<Mutex<Vec<Value>>>,
}

fn fixture() -> Fixture {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let deps = Deps {
        context: context(),
        clock: clock(NOW),
        secrets: Secrets::parse(SECRET).unwrap(),
        sns: None,
        endpoint: WebhookEndpoint::default(),
        metrics: Metrics::to(move |line| {
            sink.lock().unwrap().push(serde_json::from_str(line).unwrap());
        }),
    };
    Fixture { deps, lines }
}

impl Fixture {
    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response = router(self.deps.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Sends a body that the platform signed just now.
    async fn post(&self, body: impl Into<String>) -> (u16, Value) {
        let body = body.into();
        let mut request = Request::post("/marketplace/webhook");
        for (name, value) in signature::sign(&self.deps.secrets, body.as_bytes(), now()) {
            request = request.header(name, value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    fn metric(&self, name: &str) -> u64 {
        self.lines.lock().unwrap().iter().filter_map(|line| line[name].as_u64()).sum()
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn text(name: &str) -> String {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// What the Lambda runtime makes of an API Gateway event.
fn through_api_gateway(name: &str) -> Request<Body> {
    let event: LambdaRequest = serde_json::from_str(&text(name)).unwrap();
    let request: lambda_http::Request = event.into();
    request.map(|body| Body::from(body.to_vec()))
}

/// Activates the subscription of the example events and gives its id.
async fn subscribed(fixture: &Fixture) -> SubscriptionId {
    let (status, told) = fixture.send(through_api_gateway("webhook.event.json")).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("applied")), "{told}");
    serde_json::from_value(told["subscriptionId"].clone()).unwrap()
}

#[tokio::test]
async fn an_event_of_the_bus_is_taken_once() {
    let fixture = fixture();
    let id = subscribed(&fixture).await;
    assert_eq!(fixture.deps.context.store.states()[0].id, id);
    let again = fixture.send(through_api_gateway("webhook.event.json")).await;
    assert_eq!(again, (200, json!({"outcome": "already_seen"})));
    assert_eq!(fixture.metric("WebhookRequests"), 2);
}

#[tokio::test]
async fn usage_is_answered_report_by_report_and_keeps_its_digits() {
    let fixture = fixture();
    subscribed(&fixture).await;
    let (status, told) = fixture.send(through_api_gateway("webhook.usage.json")).await;
    assert_eq!(status, 200);
    let results: Vec<_> =
        told["events"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    assert_eq!(results, ["accepted", "accepted", "accepted"], "{told}");
    let booked = fixture.deps.context.store.booked();
    let storage = booked.iter().find(|booked| booked.event.key.as_str() == "storage-07").unwrap();
    assert_eq!(storage.event.dimension.as_str(), "storage-gb");
    assert_eq!(storage.event.quantity.to_string(), "12.125");
    let (_, again) = fixture.send(through_api_gateway("webhook.usage.json")).await;
    assert!(
        again["events"].as_array().unwrap().iter().all(|event| event["status"] == "duplicate"),
        "{again}"
    );
    assert_eq!((fixture.metric("UsageAccepted"), fixture.metric("UsageDuplicate")), (3, 3));
}

#[tokio::test]
async fn a_bad_report_does_not_stop_the_others() {
    let fixture = fixture();
    let id = subscribed(&fixture).await;
    let report = |key: &str, quantity: &str| {
        format!(
            r#"{{"key":"{key}","dimension":"scans","quantity":{quantity},"at":"2026-11-24T07:00:00Z"}}"#
        )
    };
    let events =
        [report("a", "0.123456"), report("b", "0.1234567"), report("c", "-1"), report("d", "1e3")];
    let body = format!(
        r#"{{"id":"1","type":"usage.reported","subscriptionId":"{id}","events":[{}]}}"#,
        events.join(",")
    );
    let (status, told) = fixture.post(body).await;
    assert_eq!(status, 200);
    assert_eq!(told["events"][0]["status"], "accepted", "{told}");
    for refused in [1, 2, 3] {
        assert_eq!(told["events"][refused]["code"], "invalid_quantity", "{told}");
    }
    assert_eq!(fixture.metric("UsageRefused"), 3);
}

#[tokio::test]
async fn usage_of_nobody_and_batches_without_a_size_are_refused() {
    let fixture = fixture();
    let batch = |count: usize| {
        let event = json!({"key": "k", "dimension": "scans", "quantity": "1", "at": NOW});
        let id = "sub_00000000000000000000000000000000";
        let events = vec![event; count];
        json!({"id": "1", "type": "usage.reported", "subscriptionId": id, "events": events})
            .to_string()
    };
    let (status, told) = fixture.post(batch(1)).await;
    assert_eq!((status, &told["code"]), (404, &json!("not_found")));
    for count in [0, 101] {
        let (status, told) = fixture.post(batch(count)).await;
        assert_eq!((status, &told["code"]), (400, &json!("invalid_batch")), "{count}");
    }
}

#[tokio::test]
async fn nothing_is_read_before_it_is_believed() {
    let fixture = fixture();
    let unsigned = Request::post("/marketplace/webhook").body(Body::from("{not json")).unwrap();
    let (status, told) = fixture.send(unsigned).await;
    assert_eq!((status, &told["code"]), (401, &json!("missing_signature")));

    let mut altered = through_api_gateway("webhook.event.json");
    *altered.body_mut() = Body::from(r#"{"detail-type":"License Updated - Manufacturer"}"#);
    let (status, told) = fixture.send(altered).await;
    assert_eq!((status, &told["code"]), (401, &json!("bad_signature")));

    let mut late = fixture.deps.clone();
    let later = now() + SignedDuration::from_secs(301);
    late.clock = app::Clock::new(move || later);
    let late = Fixture { deps: late, lines: fixture.lines.clone() };
    let (status, told) = late.send(through_api_gateway("webhook.event.json")).await;
    assert_eq!((status, &told["code"]), (401, &json!("stale_signature")));

    assert!(fixture.deps.context.store.seen().is_empty());
    assert_eq!(fixture.metric("WebhookRejected"), 3);
}

#[tokio::test]
async fn the_form_of_standard_webhooks_is_as_good() {
    let fixture = fixture();
    let body = r#"{"id":"evt-9","type":"tenant.renamed"}"#;
    let key = Key::parse(&format!("whsec_{}", STANDARD.encode(SECRET))).unwrap();
    let signed = |body: &str, signed: &str| {
        let headers = standard::sign(std::slice::from_ref(&key), "msg_1", signed.as_bytes(), now());
        let request = Request::post("/marketplace/webhook");
        let request =
            headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let (status, told) =
        fixture.send(signed(r#"{"id":"evt-8","type":"tenant.renamed"}"#, body)).await;
    assert_eq!((status, &told["code"]), (401, &json!("bad_signature")));
    assert!(fixture.deps.context.store.seen().is_empty());
    assert_eq!(fixture.send(signed(body, body)).await, (200, json!({"outcome": "stored"})));
    assert_eq!(fixture.send(signed(body, body)).await, (200, json!({"outcome": "already_seen"})));
}

#[tokio::test]
async fn without_allowed_topics_nothing_of_sns_is_believed() {
    let fixture = fixture();
    let relayed: Value = serde_json::from_str(&text("entitlement-listener.sns-sqs.json")).unwrap();
    let body = relayed["Records"][0]["body"].as_str().unwrap().to_owned();
    let request =
        Request::post("/marketplace/webhook").header("x-amz-sns-message-type", "Notification");
    let (status, told) = fixture.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!((status, &told["code"]), (401, &json!("unknown_topic")));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_the_senders_to_mend() {
    let fixture = fixture();
    for (body, code) in [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("[]", "invalid_body"),
        ("{}", "unknown_body"),
        (r#"{"detail-type":"License Updated - Manufacturer"}"#, "unreadable_notice"),
        (r#"{"Type":"Notification","MessageId":"1","Message":"hello"}"#, "unreadable_notice"),
        (r#"{"type":"usage.reported","events":[]}"#, "invalid_body"),
        (r#"{"id":"1","type":"usage.recorded"}"#, "unknown_type"),
        (r#"{"type":"tenant.renamed"}"#, "invalid_body"),
    ] {
        let (status, told) = fixture.post(body).await;
        assert_eq!((status, &told["code"]), (400, &json!(code)), "{body}: {told}");
    }
}

#[tokio::test]
async fn an_unknown_kind_is_recorded_and_acknowledged() {
    let fixture = fixture();
    let body = r#"{"id":"evt-1","type":"tenant.renamed"}"#;
    assert_eq!(fixture.post(body).await, (200, json!({"outcome": "stored"})));
    assert_eq!(fixture.post(body).await, (200, json!({"outcome": "already_seen"})));
    assert_eq!(fixture.deps.context.store.seen(), ["platform/evt-1"]);
}

#[tokio::test]
async fn a_relayed_topic_message_is_taken() {
    let fixture = fixture();
    let relayed: Value = serde_json::from_str(&text("entitlement-listener.sns-sqs.json")).unwrap();
    let (status, told) = fixture.post(relayed["Records"][0]["body"].as_str().unwrap()).await;
    assert_eq!((status, &told["outcome"]), (200, &json!("applied")));
    let handshake =
        r#"{"Type":"SubscriptionConfirmation","MessageId":"1","Message":"You have chosen"}"#;
    assert_eq!(fixture.post(handshake).await, (200, json!({"outcome": "ignored"})));
}

#[tokio::test]
async fn what_a_retry_can_cure_is_a_503() {
    let fixture = fixture();
    fixture.deps.context.store.set_down(true);
    let (status, told) = fixture.send(through_api_gateway("webhook.event.json")).await;
    assert_eq!((status, &told["code"]), (503, &json!("unavailable")));
    assert_eq!((fixture.metric("WebhookFailed"), fixture.metric("NoticesFailed")), (1, 1));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_unread() {
    let fixture = fixture();
    let (status, told) = fixture.post("x".repeat(LARGEST_BODY + 1)).await;
    assert_eq!((status, &told["code"]), (413, &json!("body_too_large")));
    let (status, _) = fixture.post(" ".repeat(LARGEST_BODY)).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_webhook_is_one_address_with_one_method() {
    let fixture = fixture();
    let get = Request::get("/marketplace/webhook").body(Body::empty()).unwrap();
    assert_eq!(fixture.send(get).await.0, 405);
    let other = Request::post("/marketplace").body(Body::empty()).unwrap();
    assert_eq!(fixture.send(other).await.0, 404);
}
