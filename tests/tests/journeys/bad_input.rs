//! Bad input: each kind has a stable code of its own, and changes nothing.

use serde_json::{Value, json};

use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};

#[tokio::test]
async fn a_report_that_cannot_be_billed_is_refused_by_name_and_the_others_count() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let now = story.now();
    let event = |key: &str, dimension: &str, quantity: &str, at: &str| json!({"key": key, "dimension": dimension, "quantity": quantity, "at": at});
    let now = now.to_string();
    let reports = [
        event("a", "scans", "1", &now),
        event("b", "teleports", "1", &now),
        event("c", "scans", "-1", &now),
        event("d", "scans", "0.1234567", &now),
        event("e", "scans", "many", &now),
        event("f", "scans", "1", "2027-01-01T00:00:00Z"),
        event("g", "scans", "1", "2026-10-01T00:00:00Z"),
        event("h", "scans", "1", "yesterday"),
        event("", "scans", "1", &now),
    ];
    let answer = story.report(&buyer, &reports).await;
    let codes: Vec<&str> = answer.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["code"].as_str().unwrap_or("accepted"))
        .collect();
    assert_eq!(
        codes,
        [
            "accepted",
            "unknown_dimension",
            "invalid_quantity",
            "invalid_quantity",
            "invalid_quantity",
            "future_hour",
            "too_late",
            "invalid_time",
            "invalid_key"
        ]
    );
    assert_eq!(story.meter(&buyer, "scans", "2026-11").await.aggregate.to_string(), "1");
    story.end().await;
}

#[tokio::test]
async fn requests_that_are_wrong_as_a_whole_have_codes_of_their_own() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    let before = story.shown(&buyer).await;
    let path = format!("/marketplace/subscriptions/{}", subscription_id(&buyer));
    let etag = story.call("GET", &path, None).await.etag.unwrap();
    let nobody = "/marketplace/subscriptions/sub_00000000000000000000000000000000";
    let expect = |answer: crate::story::Answer, status: u16, code: &str| {
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    };
    expect(story.call("GET", nobody, None).await, 404, "unknown_subscription");
    expect(
        story.call("GET", "/marketplace/subscriptions/not-an-id", None).await,
        404,
        "unknown_subscription",
    );
    let events: Vec<Value> = (0..101)
        .map(|n| json!({"key": format!("k{n}"), "dimension": "scans", "quantity": "1", "at": story.now()}))
        .collect();
    expect(
        story.call("POST", &format!("{path}/meter"), Some(json!({"events": events}))).await,
        422,
        "batch_too_large",
    );
    expect(
        story.call("PUT", &path, Some(json!({"plan": "BASIC"}))).await,
        428,
        "precondition_required",
    );
    let stale = [("if-match", "\"999\"")];
    expect(
        story.call_with("PUT", &path, Some(json!({"plan": "BASIC"})), &stale).await,
        412,
        "precondition_failed",
    );
    let current = [("if-match", etag.as_str())];
    expect(
        story.call_with("PUT", &path, Some(json!({"plan": "GOLD"})), &current).await,
        422,
        "unknown_plan",
    );
    expect(
        story.call_with("PUT", &path, Some(json!({"plan": "BASIC"})), &current).await,
        409,
        "plan_from_entitlement",
    );
    expect(
        story.call("GET", &format!("{path}/billing?month=November"), None).await,
        400,
        "invalid_month",
    );
    expect(
        story.raw("POST", &format!("{path}/meter"), "application/json", "{\"events\": [").await,
        400,
        "malformed_json",
    );
    expect(
        story.raw("POST", &format!("{path}/meter"), "text/plain", "{}").await,
        415,
        "unsupported_media_type",
    );
    assert_eq!(story.shown(&buyer).await, before, "nothing changed");
    story.end().await;
}

#[tokio::test]
async fn tokens_that_are_wrong_say_what_to_do() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    let token = |value: &str| vec![("x-amzn-marketplace-token".to_owned(), value.to_owned())];
    let answer = story.post_form_for_json("/marketplace/register", &token("nonsense")).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_registration_token"));
    let form = story.system.simulator().fulfilment_form(&buyer.agreement_id).unwrap();
    story.hours(5).await;
    let answer = story.post_form_for_json("/marketplace/register", &form).await;
    assert_eq!((answer.status, answer.code()), (400, "expired_registration_token"));
    let foreign = story.buy_from_another_listing();
    let form = story.system.simulator().fulfilment_form(&foreign.agreement_id).unwrap();
    let answer = story.post_form_for_json("/marketplace/register", &form).await;
    assert_eq!((answer.status, answer.code()), (403, "foreign_product"));
    let none = story.post_form_for_json("/marketplace/register/complete", &token("x")).await;
    assert_eq!(none.status, 400, "{none:?}");
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.end().await;
}

#[tokio::test]
async fn a_webhook_without_a_proof_changes_nothing() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let body = json!({
        "id": "report-1",
        "type": "usage.reported",
        "subscriptionId": subscription_id(&buyer),
        "events": [{"key": "w1", "dimension": "scans", "quantity": 3, "at": story.now()}],
    })
    .to_string();
    let unsigned = story.webhook(&body, None).await;
    assert_eq!((unsigned.status, unsigned.code()), (401, "missing_signature"));
    let now = story.now();
    let forged = story
        .webhook(
            &body,
            Some(&story.sign_with("another secret of thirty-two characters", &body, now)),
        )
        .await;
    assert_eq!((forged.status, forged.code()), (401, "bad_signature"));
    let old = now - jiff::SignedDuration::from_secs(301);
    let stale = story.webhook(&body, Some(&story.sign(&body, old))).await;
    assert_eq!((stale.status, stale.code()), (401, "stale_signature"));
    let right = story.webhook(&body, Some(&story.sign(&body, now))).await;
    assert_eq!(right.status, 200, "{right:?}");
    let again = story.webhook(&body, Some(&story.sign(&body, now))).await;
    assert_eq!(again.status, 200, "{again:?}");
    story.hours(2).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 3);
    story.end().await;
}

#[tokio::test]
async fn a_notification_that_cannot_be_read_is_set_aside_and_the_others_go_through() {
    let mut story = Story::begin(PayAsYouGo).await;
    story
        .system
        .inject_notice("{\"detail-type\": \"License Updated - Manufacturer\", \"detail\": ")
        .unwrap();
    let buyer = story.subscriber("111122223333").await;
    story.hours(2).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    let dead = story.system.bus().dead_letters().unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn a_notification_of_an_unknown_kind_is_stored_and_acknowledged() {
    let story = Story::begin(PayAsYouGo).await;
    let event = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Purchase Agreement Ending - Proposer",
        "source": "aws.agreement-marketplace", "account": "444455556666", "time": story.now(), "region": "us-east-1",
        "resources": [], "detail": {"requestId": "6a7e8feb-b491-4cf7-a9f1-bf3703467719"},
    });
    story.system.inject_notice(&event.to_string()).unwrap();
    story.minutes(10).await;
    assert!(story.system.bus().dead_letters().unwrap().is_empty());
    story.end().await;
}
