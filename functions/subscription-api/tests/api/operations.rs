use app::ports::SettlementRequest;
use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{Api, OTHER_LICENSE, admin, id_of};

#[tokio::test]
async fn health_is_the_stores_health() {
    let api = Api::new();
    let well = api.get(admin(), "/marketplace/health").await;
    assert_eq!((well.status, well.json), (200, json!({"status": "ok", "version": "1.2.3"})));
    api.store.set_down(true);
    let ill = api.get(admin(), "/marketplace/health").await;
    assert_eq!(ill.problem(), (503, "unavailable"));
}

#[tokio::test]
async fn an_operator_asks_for_a_settlement() {
    let api = Api::new();
    let asked = api.post(Role::Operator, &api.path("/settle"), Value::Null).await;
    assert_eq!(asked.status, 202);
    assert_eq!(asked.json, json!({"subscriptionId": api.id, "status": "requested"}));
    let flush = SettlementRequest::Flush { subscription: api.id.clone() };
    assert_eq!(*api.aws.requests.lock().unwrap(), [(flush, 0)]);
    let trail = api.get(Role::Operator, &api.path("/audit")).await.json;
    assert_eq!(trail["items"][0]["action"], "settlement.requested");
    assert_eq!(trail["items"][0]["actor"], json!({"kind": "caller", "id": "someone"}));

    let nobody = format!("/marketplace/subscriptions/{}/settle", id_of(OTHER_LICENSE));
    let absent = api.post(Role::Operator, &nobody, Value::Null).await;
    assert_eq!(absent.problem(), (404, "unknown_subscription"));
    assert_eq!(api.aws.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_audit_trail_names_who_did_what() {
    let api = Api::new();
    api.change("PUT", "", "*", json!({"suspended": true})).await;
    api.change("PUT", "", "*", json!({"suspended": false})).await;
    let first = api.get(Role::Operator, &api.path("/audit?limit=1")).await;
    let entry = &first.json["items"][0];
    assert_eq!(entry["actor"], json!({"kind": "caller", "id": "someone"}));
    assert_eq!((&entry["sequence"], &entry["action"]), (&json!(1), &json!("hold.set")));
    assert_eq!(entry["changes"]["status"], json!({"from": "ACTIVE", "to": "SUSPENDED"}));
    let cursor = first.json["nextCursor"].as_str().unwrap();
    let second = api.get(Role::Operator, &api.path(&format!("/audit?cursor={cursor}"))).await;
    assert_eq!(second.json["items"][0]["previous"], entry["hash"]);
}
