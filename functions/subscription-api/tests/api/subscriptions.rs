use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{
    ACCOUNT, AGREEMENT, Api, LICENSE, OTHER_LICENSE, active, admin, at, id_of, request,
};

const ALL: &str = "/marketplace/subscriptions";

#[tokio::test]
async fn a_license_is_taken_up_once() {
    let api = Api::empty();
    let body = json!({"licenseArn": LICENSE, "account": ACCOUNT, "agreementId": AGREEMENT, "plan": "PREMIUM"});
    let first = api.post(admin(), ALL, body.clone()).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.json["status"], "PENDING");
    assert_eq!(first.json["plan"]["id"], "PREMIUM");
    assert_eq!(first.header("location"), api.path(""));
    assert_eq!(first.etag(), "\"1\"");
    let again = api.post(admin(), ALL, body).await;
    assert_eq!((again.status, again.etag()), (200, "\"1\""));
    assert_eq!(api.store.states().len(), 1);
}

#[tokio::test]
async fn what_is_no_license_is_refused_by_field() {
    let api = Api::empty();
    let sample = "aws:license-manager:us-east-1:444455556666:l-0123456789abcdef";
    for (body, field) in [
        (json!({"licenseArn": "l-1", "account": ACCOUNT}), "licenseArn"),
        (json!({"licenseArn": sample, "account": ACCOUNT}), "licenseArn"),
        (json!({"licenseArn": LICENSE, "account": "12"}), "account"),
        (json!({"licenseArn": LICENSE, "account": ACCOUNT, "agreementId": "a b"}), "agreementId"),
        (json!({"licenseArn": LICENSE, "account": ACCOUNT, "plam": "BASIC"}), "plam"),
    ] {
        let answer = api.post(admin(), ALL, body).await;
        assert_eq!(answer.problem(), (422, "invalid_body"));
        assert_eq!(answer.json["errors"][0]["field"], field, "{answer:?}");
    }
    let body = json!({"licenseArn": LICENSE, "account": ACCOUNT, "plan": "GOLD PLATED"});
    assert_eq!(api.post(admin(), ALL, body).await.problem(), (422, "unknown_plan"));
    assert!(api.store.states().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_by_what_is_wrong_with_it() {
    let api = Api::empty();
    let mut broken =
        request(admin(), "POST", ALL, &[("content-type", "application/json")], &Value::Null);
    *broken.body_mut() = "{\"licenseArn\":".into();
    assert_eq!(api.send(broken).await.problem(), (400, "malformed_json"));
    let mut form = request(admin(), "POST", ALL, &[("content-type", "text/plain")], &Value::Null);
    *form.body_mut() = "{}".into();
    assert_eq!(api.send(form).await.problem(), (415, "unsupported_media_type"));
    let mut large =
        request(admin(), "POST", ALL, &[("content-type", "application/json")], &Value::Null);
    *large.body_mut() = " ".repeat(300_000).into();
    assert_eq!(api.send(large).await.problem(), (413, "body_too_large"));
}

#[tokio::test]
async fn an_id_that_is_none_names_no_subscription() {
    let api = Api::new();
    for id in ["sub_1", "x", "sub_0123456789ABCDEF0123456789ABCDEF", id_of(OTHER_LICENSE).as_str()]
    {
        let answer = api.get(admin(), &format!("{ALL}/{id}")).await;
        assert_eq!(answer.problem(), (404, "unknown_subscription"), "{id}");
    }
    assert_eq!(api.get(admin(), "/marketplace/subscription").await.problem(), (404, "not_found"));
    let patch = api.call(admin(), "PATCH", &api.path(""), json!({})).await;
    assert_eq!(patch.problem(), (405, "method_not_allowed"));
}

#[tokio::test]
async fn a_change_needs_the_revision_it_is_based_on() {
    let api = Api::new();
    let hold = || json!({"suspended": true});
    let etag = api.get(admin(), &api.path("")).await.etag().to_owned();
    assert_eq!(etag, "\"7\"");

    let blind = api.call(admin(), "PUT", &api.path(""), hold()).await;
    assert_eq!(blind.problem(), (428, "precondition_required"));
    let stale = api.change("PUT", "", "\"6\"", hold()).await;
    assert_eq!(stale.problem(), (412, "precondition_failed"));
    let weak = api.change("PUT", "", "W/\"7\"", hold()).await;
    assert_eq!(weak.problem(), (400, "invalid_if_match"));

    let done = api.change("PUT", "", &etag, hold()).await;
    assert_eq!((done.status, done.etag()), (200, "\"8\""));
    assert_eq!(done.json["status"], "SUSPENDED");
    assert_eq!(done.json["hold"], "seller");
    assert_eq!(done.json["access"], json!({"granted": false, "reason": "on-hold"}));
    let lifted = api.change("PUT", "", "*", json!({"suspended": false})).await;
    assert_eq!((lifted.status, &lifted.json["status"]), (200, &json!("ACTIVE")));
}

#[tokio::test]
async fn a_plan_is_set_unless_the_entitlement_names_another() {
    let api = Api::new();
    let plan = |name: &str| json!({"plan": name});
    let entitled = api.change("PUT", "", "*", plan("PREMIUM")).await;
    assert_eq!(entitled.problem(), (409, "plan_from_entitlement"));
    api.alter(|state| {
        if let Some(snapshot) = &mut state.entitlements {
            snapshot.values.remove("standard");
        }
    });
    let set = api.change("PUT", "", "*", plan("PREMIUM")).await;
    assert_eq!((set.status, &set.json["plan"]["title"]), (200, &json!("Premium")));
    assert_eq!(api.change("PUT", "", "*", plan("GOLD")).await.problem(), (422, "unknown_plan"));
    assert_eq!(api.change("PUT", "", "*", json!({})).await.problem(), (422, "invalid_body"));
    api.end();
    let late = api.change("PUT", "", "*", plan("BASIC")).await;
    assert_eq!(late.problem(), (409, "subscription_ended"));
}

#[tokio::test]
async fn a_cancellation_asks_aws_and_leaves_access() {
    let api = Api::new();
    let blind = api.call(admin(), "DELETE", &api.path(""), Value::Null).await;
    assert_eq!(blind.problem(), (428, "precondition_required"));
    let stale = api.change("DELETE", "", "\"6\"", Value::Null).await;
    assert_eq!(stale.problem(), (412, "precondition_failed"));

    let asked = api.change("DELETE", "", "\"7\"", Value::Null).await;
    assert_eq!((asked.status, asked.etag()), (202, "\"8\""));
    let cancellation = json!({"id": "acr-0123456789", "requestedAt": "2026-11-24T07:30:00Z"});
    assert_eq!(asked.json["cancellation"], cancellation);
    assert_eq!(asked.json["access"]["granted"], true);
    let again = api.change("DELETE", "", "*", Value::Null).await;
    assert_eq!((again.status, &again.json["cancellation"]), (202, &cancellation));
    assert_eq!(api.aws.cancellations.lock().unwrap().len(), 1, "AWS is asked once");
}

#[tokio::test]
async fn what_cannot_be_cancelled_says_why() {
    let api = Api::new();
    api.alter(|state| state.agreements = domain::subscription::Agreements::default());
    let unknown = api.change("DELETE", "", "*", Value::Null).await;
    assert_eq!(unknown.problem(), (409, "no_agreement"));
    api.end();
    let over = api.change("DELETE", "", "*", Value::Null).await;
    assert_eq!(over.problem(), (409, "subscription_ended"));
    let gone = format!("{ALL}/{}", id_of(OTHER_LICENSE));
    let absent =
        api.send(request(admin(), "DELETE", &gone, &[("if-match", "*")], &Value::Null)).await;
    assert_eq!(absent.problem(), (404, "unknown_subscription"));
}

#[tokio::test]
async fn a_subscription_that_ends_shows_until_when_final_usage_counts() {
    let api = Api::new();
    api.alter(|state| state.license_facts.deprovisioned = Some(at("2026-11-24T07:00:00Z")));
    let shown = api.get(admin(), &api.path("")).await;
    assert_eq!(shown.json["status"], "CANCELLING");
    assert_eq!(shown.json["finalUsageUntil"], "2026-11-24T08:00:00Z");
    assert_eq!(shown.json["features"], json!([]));
}

#[tokio::test]
async fn the_platform_confirms_its_workspace() {
    let api = Api::new();
    api.alter(|state| state.tenant = domain::subscription::Tenant::Requested);
    let put = |id: &str| json!({"tenantId": id});
    let path = api.path("/tenant");
    let done = api.call(admin(), "PUT", &path, put("acme-eu")).await;
    assert_eq!(done.json["tenant"], json!({"state": "ready", "id": "acme-eu"}));
    let wrong = api.call(admin(), "PUT", &path, put("a b")).await;
    assert_eq!(wrong.problem(), (422, "invalid_body"));
    let nobody = format!("{ALL}/{}/tenant", id_of(OTHER_LICENSE));
    let absent = api.call(admin(), "PUT", &nobody, put("acme")).await;
    assert_eq!(absent.problem(), (404, "unknown_subscription"));
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() {
    let api = Api::new();
    api.store.put_state(active(OTHER_LICENSE, "umbrella"));
    let first = api.get(Role::Operator, &format!("{ALL}?limit=1&customer={ACCOUNT}")).await;
    assert_eq!(first.json["items"].as_array().unwrap().len(), 1);
    let cursor = first.json["nextCursor"].as_str().unwrap();
    let path = format!("{ALL}?limit=2&customer={ACCOUNT}&cursor={cursor}");
    let second = api.get(Role::Operator, &path).await;
    assert_ne!(first.json["items"][0]["id"], second.json["items"][0]["id"]);
    assert!(second.json.get("nextCursor").is_none());

    let ended = api.get(Role::Operator, &format!("{ALL}?status=CANCELLED")).await;
    assert_eq!(ended.json, json!({"items": []}));
    for (query, code) in [
        (format!("cursor={cursor}"), "invalid_cursor"),
        ("limit=0".to_owned(), "invalid_limit"),
        ("status=Active".to_owned(), "invalid_status"),
        (format!("status=ACTIVE&customer={ACCOUNT}"), "invalid_query"),
        ("statsu=ACTIVE".to_owned(), "invalid_query"),
    ] {
        let answer = api.get(Role::Operator, &format!("{ALL}?{query}")).await;
        assert_eq!(answer.problem(), (400, code), "{query}");
    }
}
