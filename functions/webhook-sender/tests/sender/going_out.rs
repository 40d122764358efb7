//! The real postman: where he goes, what he carries, and what he makes of answers.

use std::sync::{Arc, Mutex};

use app::ports::{Posted, Postman};
use axum::Router;
use axum::routing::{any, post};
use domain::delivery::Delivery;
use guarded_http::Networks;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use lambda_shell::config::{Configuration, OutgoingWebhooks, Secrets, Vars};
use lambda_shell::signature::standard;
use serde_json::json;
use webhook_sender::{Deps, HttpPostman};

use crate::{NOW, deps, event, failures};

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

/// An endpoint on loopback, and a postman who may go there with two keys.
async fn endpoint(router: Router) -> (HttpPostman, OutgoingWebhooks) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let keys = KEYS.map(|key| format!("whsec_{key}"));
    let text = json!([{"name": "crm", "url": url, "keys": keys}]).to_string();
    let webhooks =
        OutgoingWebhooks::from_vars(&Vars::of([("OUTGOING_WEBHOOKS", text.as_str())])).unwrap();
    (HttpPostman::new(webhooks.clone(), Networks::Any).unwrap(), webhooks)
}

const KEYS: [&str; 2] =
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];

fn one_delivery(now: Timestamp) -> Delivery {
    let notice = event("webhook-sender.notice-sqs.json");
    let body = notice["Records"][0]["body"].as_str().unwrap();
    let notice = serde_json::from_str(body).unwrap();
    Delivery::of(&notice, "crm".parse().unwrap(), now).unwrap()
}

#[tokio::test]
async fn while_a_key_is_rotated_a_receiver_with_either_key_believes_a_message() {
    let received = Arc::new(Mutex::new(None));
    let kept = received.clone();
    let take = move |headers: http::HeaderMap, body: bytes::Bytes| async move {
        *kept.lock().unwrap() = Some((headers, body));
    };
    let (postman, _) = endpoint(Router::new().route("/hook", post(take))).await;
    let now: Timestamp = NOW.parse().unwrap();
    let posted = postman.post(&one_delivery(now), now).await;
    assert_eq!(posted, Posted::Taken { told: "200".into() });
    let (headers, body) = received.lock().unwrap().take().unwrap();
    for key in KEYS {
        let secrets = Secrets::parse(&format!("whsec_{key}")).unwrap();
        standard::verify(&secrets, &headers, &body, now).unwrap();
    }
    let other = Secrets::parse("whsec_CAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    assert!(standard::verify(&other, &headers, &body, now).is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_busy_endpoint_is_left_alone_as_long_as_it_asks() {
    let asked = Arc::new(Mutex::new(0));
    let elsewhere = asked.clone();
    let router = Router::new()
        .route("/hook", post(|| async { (StatusCode::FOUND, [("location", "/other")]) }))
        .route("/other", any(move || async move { *elsewhere.lock().unwrap() += 1 }));
    let now: Timestamp = NOW.parse().unwrap();
    let (postman, _) = endpoint(router).await;
    let posted = postman.post(&one_delivery(now), now).await;
    assert_eq!(posted, Posted::NotTaken { told: "302".into(), gone: false, patience: None });
    assert_eq!(*asked.lock().unwrap(), 0);

    let busy = || async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "600")]) };
    let (postman, webhooks) = endpoint(Router::new().route("/hook", post(busy))).await;
    let fixture = deps(&["crm"], NOW);
    let wake_up = fixture.wake_up;
    let deps = Deps {
        store: fixture.store,
        postman,
        wake_up: wake_up.clone(),
        endpoints: webhooks.names(),
        clock: fixture.clock,
        metrics: fixture.metrics,
    };
    assert_eq!(failures(&deps, event("webhook-sender.notice-sqs.json")).await, json!([]));
    assert_eq!(*wake_up.1.lock().unwrap(), [SignedDuration::from_mins(10)]);
}
