use serde_json::{Value, json};
use subscription_api::{Caller, Role};

use crate::support::{Answer, Api, LICENSE, admin, event, request, tenant};

async fn meter(api: &Api, key: &str, body: Value) -> Answer {
    let headers = [("idempotency-key", key)];
    api.send(request(Role::Meter, "POST", &api.path("/meter"), &headers, &body)).await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_does_nothing_again() {
    let api = Api::new();
    let first = meter(&api, "r1", event("a", "scans", "1")).await;
    let again = meter(&api, "r1", event("a", "scans", "1")).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""));
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(first.json, again.json, "accepted, not duplicate");
    assert_eq!(again.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_created_subscription_is_answered_as_created_again() {
    let api = Api::empty();
    let body = json!({"licenseArn": LICENSE, "account": "111122223333"});
    let create = || {
        let headers = [("idempotency-key", "c1")];
        api.send(request(admin(), "POST", "/marketplace/subscriptions", &headers, &body))
    };
    assert_eq!(create().await.status, 201);
    assert_eq!(create().await.status, 201);
}

#[tokio::test]
async fn a_key_serves_one_request() {
    let api = Api::new();
    assert_eq!(meter(&api, "r1", event("a", "scans", "1")).await.status, 200);
    let other = meter(&api, "r1", event("b", "scans", "1")).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused"));
    let wrong = meter(&api, "a#b", event("b", "scans", "1")).await;
    assert_eq!(wrong.problem(), (400, "invalid_idempotency_key"));
    let mut twice = request(admin(), "POST", &api.path("/meter"), &[], &event("b", "scans", "1"));
    for key in ["r2", "r3"] {
        twice.headers_mut().append("idempotency-key", key.parse().unwrap());
    }
    assert_eq!(api.send(twice).await.problem(), (400, "invalid_idempotency_key"));
    assert_eq!(api.store.booked().len(), 1);
}

#[tokio::test]
async fn keys_of_two_callers_and_two_addresses_never_meet() {
    let api = Api::new();
    assert_eq!(meter(&api, "r1", event("a", "scans", "1")).await.status, 200);
    let headers = [("idempotency-key", "r1")];
    let mut other =
        request(Role::Meter, "POST", &api.path("/meter"), &headers, &event("b", "scans", "1"));
    other.extensions_mut().insert(Caller { subject: "another".into(), role: Role::Meter });
    assert_eq!(api.send(other).await.json["accepted"], 1);
    let check =
        request(Role::Meter, "POST", &api.path("/entitlements/check"), &headers, &json!({}));
    assert_eq!(api.send(check).await.json["allowed"], true);
}

#[tokio::test]
async fn an_answer_is_not_for_the_same_subject_in_another_role() {
    let api = Api::new();
    assert_eq!(meter(&api, "r1", event("a", "scans", "1")).await.status, 200);
    for role in [Role::Operator, tenant("acme"), tenant("umbrella")] {
        let headers = [("idempotency-key", "r1")];
        let body = event("a", "scans", "1");
        let asked = request(role, "POST", &api.path("/meter"), &headers, &body);
        assert_eq!(api.send(asked).await.problem(), (403, "forbidden"));
    }
}

#[tokio::test]
async fn a_refused_or_failed_request_is_decided_anew() {
    let api = Api::new();
    let hold = |value| {
        api.alter(|state| {
            let at = crate::support::at("2026-11-24T07:00:00Z");
            state.suspended = Some(domain::subscription::Dated { at, value });
        });
    };
    let consume = || {
        let headers = [("idempotency-key", "r1")];
        let path = api.path("/entitlements/consume");
        api.send(request(Role::Meter, "POST", &path, &headers, &event("a", "scans", "1")))
    };
    hold(true);
    assert_eq!(consume().await.problem(), (409, "no_access"));
    hold(false);
    api.store.set_down(true);
    assert_eq!(consume().await.problem(), (503, "unavailable"));
    api.store.set_down(false);
    assert_eq!(consume().await.json["status"], "reserved");
}

#[tokio::test]
async fn a_request_under_way_is_not_started_twice() {
    use app::ports::{Begun, Idempotency, RequestKey};
    use sha2::Digest;

    let api = Api::new();
    let body = event("a", "scans", "1");
    let claim = RequestKey {
        scope: format!("meter POST {} someone", api.path("/meter")),
        key: "r1".into(),
        fingerprint: hex::encode(sha2::Sha256::digest(body.to_string())),
    };
    let at = crate::support::at;
    let begun =
        api.store.begin(&claim, at("2026-11-24T07:29:50Z"), at("2026-11-24T07:30:20Z")).await;
    assert_eq!(begun.unwrap(), Begun::Started);
    let second = meter(&api, "r1", body).await;
    assert_eq!(second.problem(), (409, "request_in_progress"));
    assert_eq!(second.header("retry-after"), "20");
    assert!(api.store.booked().is_empty());
}
