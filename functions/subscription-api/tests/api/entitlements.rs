use domain::subscription::Dated;
use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{Answer, Api, OTHER_LICENSE, at, event, id_of};

async fn ask(api: &Api, verb: &str, body: Value) -> Answer {
    api.post(Role::Meter, &api.path(&format!("/entitlements/{verb}")), body).await
}

/// A contract: what goes beyond the entitlement is refused.
fn contract() -> Api {
    let api = Api::new();
    api.alter(|state| state.pricing = domain::catalog::PricingModel::Contract);
    api
}

#[tokio::test]
async fn a_check_says_yes_or_why_not() {
    let api = contract();
    let yes =
        ask(&api, "check", json!({"feature": "ai-chat", "metric": "totalScans", "quantity": 500}))
            .await;
    assert_eq!((yes.status, &yes.json["allowed"]), (200, &json!(true)));
    assert_eq!(
        yes.json["usage"],
        json!({
            "dimension": "scans", "unlimited": false, "included": "500", "used": "0",
            "remaining": "500", "overage": "blocked",
        })
    );
    let plan = ask(&api, "check", json!({"feature": "enterprise-ai"})).await;
    assert_eq!(plan.json["code"], "feature_not_in_plan");
    let quota = ask(&api, "check", json!({"dimension": "scans", "quantity": "500.000001"})).await;
    assert_eq!(
        (&quota.json["allowed"], &quota.json["code"]),
        (&json!(false), &json!("quota_exceeded"))
    );
    api.alter(|state| {
        state.suspended = Some(Dated { at: at("2026-11-24T07:00:00Z"), value: true });
    });
    let hold = ask(&api, "check", json!({})).await;
    assert_eq!((&hold.json["allowed"], &hold.json["code"]), (&json!(false), &json!("no_access")));
    assert_eq!(hold.json["detail"], "The subscription gives no access: on-hold.");
}

#[tokio::test]
async fn a_question_about_nothing_is_refused() {
    let api = Api::new();
    for (body, code) in [
        (json!({"feature": "teleport"}), "unknown_feature"),
        (json!({"dimension": "coffees"}), "unknown_dimension"),
        (json!({"dimension": "scans", "quantity": "1e3"}), "invalid_quantity"),
        (json!({"quantity": "1"}), "invalid_body"),
        (json!({"dimension": "scans", "metric": "totalScans"}), "invalid_body"),
        (json!({"dimensions": "scans"}), "invalid_body"),
    ] {
        let answer = ask(&api, "check", body).await;
        assert_eq!(answer.problem(), (422, code));
    }
    let path = format!("/marketplace/subscriptions/{}/entitlements/check", id_of(OTHER_LICENSE));
    let absent = api.post(Role::Meter, &path, json!({})).await;
    assert_eq!(absent.problem(), (404, "unknown_subscription"));
}

#[tokio::test]
async fn a_reservation_counts_once_and_never_beyond_the_quota() {
    let api = contract();
    let most = ask(&api, "consume", event("a", "scans", "499")).await;
    assert_eq!((most.status, &most.json["status"]), (200, &json!("reserved")));
    assert_eq!(most.json["usage"]["remaining"], "1");
    assert_eq!(most.json["month"], "2026-11");
    let over = ask(&api, "consume", event("b", "scans", "2")).await;
    assert_eq!(over.problem(), (409, "quota_exceeded"));
    let again = ask(&api, "consume", event("a", "scans", "499")).await;
    assert_eq!((again.status, &again.json["status"]), (200, &json!("duplicate")));
    let other = ask(&api, "consume", event("a", "scans", "1")).await;
    assert_eq!(other.problem(), (409, "key_conflict"));
    let refused = ask(&api, "consume", event("c", "coffees", "1")).await;
    assert_eq!(refused.problem(), (422, "unknown_dimension"));

    let release = json!({"key": "a", "month": "2026-11"});
    let back = ask(&api, "release", release.clone()).await;
    assert_eq!((back.status, &back.json["status"]), (200, &json!("released")));
    let twice = ask(&api, "release", release).await;
    assert_eq!((twice.status, &twice.json["status"]), (200, &json!("already-released")));
    assert_eq!(ask(&api, "consume", event("b", "scans", "500")).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_given_back_says_so() {
    let api = Api::new();
    let never = ask(&api, "release", json!({"key": "never", "month": "2026-11"})).await;
    assert_eq!(never.problem(), (404, "unknown_reservation"));
    assert_eq!(ask(&api, "consume", event("billed", "scans", "1")).await.status, 200);
    let billed = ask(&api, "release", json!({"key": "billed", "month": "2026-11"})).await;
    assert_eq!(billed.problem(), (409, "not_reversible"));
    let month = ask(&api, "release", json!({"key": "billed", "month": "November"})).await;
    assert_eq!(month.problem(), (422, "invalid_body"));
}

#[tokio::test]
async fn a_subscription_on_hold_reserves_nothing() {
    let api = contract();
    api.alter(|state| {
        state.suspended = Some(Dated { at: at("2026-11-24T07:00:00Z"), value: true });
    });
    let held = ask(&api, "consume", event("a", "scans", "1")).await;
    assert_eq!(held.problem(), (409, "no_access"));
    assert!(api.store.booked().is_empty());
}
