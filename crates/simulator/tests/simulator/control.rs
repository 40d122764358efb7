//! The control API does what the library does.

use serde_json::{Value, json};
use simulator::Pricing;

use crate::harness::{Aws, BUYER};

#[tokio::test]
async fn a_buyers_life_can_be_driven_over_http() {
    let aws = Aws::start(Pricing::ContractWithConsumption).await;
    let purchase = json!({ "account": BUYER, "entitlements": { "seats": "3" } });
    let bought = aws.control("purchases", purchase).await;
    assert_eq!(bought.status, 200, "{bought:?}");
    let id = bought.body["agreement_id"].as_str().unwrap();
    let form = aws.control(&format!("agreements/{id}/fulfilment-form"), json!({})).await;
    assert!(form.body["x-amzn-marketplace-token"].is_string());
    let clock = aws.control("clock", json!({ "advance": "1h" })).await;
    assert_eq!(clock.body["now"], "2026-11-10T11:00:00Z");
    let due = aws.control("notifications", Value::Null).await;
    let due = due.body.as_array().unwrap();
    assert_eq!(due.len(), 2);
    let first = format!("notifications/{}/acknowledge", due[0]["id"]);
    assert_eq!(aws.control(&first, json!({})).await.status, 200);
    assert_eq!(aws.control(&first, json!({})).await.status, 404);
    let amend = json!({ "entitlements": { "seats": 5 } });
    assert_eq!(aws.control(&format!("agreements/{id}/amend"), amend).await.status, 200);
    for act in ["issue-advisory", "resolve-advisory", "renew"] {
        assert_eq!(aws.control(&format!("agreements/{id}/{act}"), json!({})).await.status, 200);
    }
    let over = aws.control(&format!("agreements/{id}/cancel"), json!({})).await;
    assert_eq!(over.status, 409);
    let unknown = aws.control("agreements/agmt-none/cancel", json!({})).await;
    assert_eq!(unknown.status, 404);
    let nonsense = aws.control(&format!("agreements/{id}/dance"), json!({})).await;
    assert_eq!(nonsense.status, 404);
    assert_eq!(aws.control("agreements", Value::Null).await.body.as_array().unwrap().len(), 2);
    let all = aws.control("notifications?all=true", Value::Null).await;
    assert!(all.body.as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn switches_and_faults_are_merged_and_bad_ones_refused() {
    let aws = Aws::start(Pricing::Usage).await;
    let changed = aws.control("switches", json!({ "token_ttl": "30m", "empty_pages": "on" })).await;
    assert_eq!((changed.status, &changed.body["token_ttl"]), (200, &json!("30m")));
    assert_eq!(aws.control("switches", json!({ "colour": "red" })).await.status, 400);
    let faults = json!({ "throttle": { "next": 1, "operations": ["ResolveCustomer"] } });
    assert_eq!(aws.control("faults", faults).await.status, 200);
    assert_eq!(aws.control("faults", json!({ "throttle": { "often": true } })).await.status, 400);
    let throttled = aws.call("ResolveCustomer", json!({ "RegistrationToken": "t" })).await;
    assert_eq!(throttled.error(), "ThrottlingException");
    assert_eq!(aws.control("clock", json!({ "leap": 1 })).await.status, 400);
    assert_eq!(aws.control("health", Value::Null).await.body, json!({ "ok": true }));
}

#[tokio::test]
async fn calls_and_the_invoice_can_be_read() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.call("ResolveCustomer", json!({ "RegistrationToken": "t" })).await;
    let calls = aws.control("calls", Value::Null).await.body;
    assert_eq!(calls[0]["operation"], "ResolveCustomer");
    assert_eq!(calls[0]["protocol"], "json11");
    assert_eq!(calls[0]["status"], 400);
    assert!(!calls.to_string().contains("Credential"));
    assert_eq!(aws.control("invoice", Value::Null).await.body, json!([]));
}
