//! Requests as API Gateway sends them.

use axum::middleware::from_fn;
use http_body_util::BodyExt;
use lambda_shell::config::Secrets;
use lambda_shell::fakes::{clock, context};
use lambda_shell::metrics::Metrics;
use pages::Brand;
use serde_json::{Value, json};
use subscription_api::{Deps, caller_from_api_gateway, router};
use tower::ServiceExt;

use crate::support::{LICENSE, NOW, active};

async fn answer(event: &Value) -> (u16, Value) {
    let context = context();
    context.store.put_state(active(LICENSE, "acme"));
    let deps = Deps {
        context,
        clock: clock(NOW),
        version: "1".into(),
        secrets: Secrets::parse("an-example-secret-that-is-never-used").unwrap(),
        brand: Brand::default(),
        metrics: Metrics::discard(),
    };
    let router = router(deps).layer(from_fn(caller_from_api_gateway));
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    let response = router.oneshot(request.map(axum::body::Body::new)).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn meter() -> Value {
    read(include_str!("../../../../events/subscription-api.meter.json"))
}

#[tokio::test]
async fn the_example_report_is_counted() {
    let (status, body) = answer(&meter()).await;
    assert_eq!((status, &body["accepted"]), (200, &json!(2)), "{body}");
}

#[tokio::test]
async fn the_example_question_is_answered() {
    let event = read(include_str!("../../../../events/subscription-api.check.json"));
    let (status, body) = answer(&event).await;
    assert_eq!((status, &body["allowed"]), (200, &json!(true)), "{body}");
}

#[tokio::test]
async fn the_example_reading_of_a_tenant_is_its_own() {
    let event = read(include_str!("../../../../events/subscription-api.subscription.json"));
    let (status, body) = answer(&event).await;
    assert_eq!((status, &body["tenant"]["id"]), (200, &json!("acme")), "{body}");
}

#[tokio::test]
async fn claims_without_a_role_are_forbidden_and_no_claims_are_nobody() {
    let mut event = meter();
    event["requestContext"]["authorizer"]["jwt"]["claims"] = json!({"sub": "someone"});
    let (status, body) = answer(&event).await;
    assert_eq!((status, &body["code"]), (403, &json!("unknown_role")));
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    let (status, body) = answer(&event).await;
    assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")));
}

#[tokio::test]
async fn a_header_of_the_callers_own_gives_no_role() {
    let mut event = meter();
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    event["headers"]["role"] = "admin".into();
    event["headers"]["x-amzn-request-context"] = "{\"role\":\"admin\"}".into();
    assert_eq!(answer(&event).await.0, 401);
}
