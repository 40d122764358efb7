//! Each pricing model, from the purchase to the last bill.

use serde_json::json;

use crate::story::{Contract, ContractWithConsumption, PayAsYouGo, Story, subscription_id};

#[tokio::test]
async fn pay_as_you_go_bills_everything_from_the_first_unit() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "40").await;
    story.uses(&buyer, "api-calls", "0.6").await;
    story.minutes(70).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 40);
    assert_eq!(story.invoiced(&buyer, "api-calls", "2026-11"), 0, "six tenths are not a unit yet");
    story.uses(&buyer, "api-calls", "0.4").await;
    story.uses(&buyer, "users", "12").await;
    story.uses(&buyer, "users", "9").await;
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "api-calls", "2026-11"), 1, "fractions carry over");
    assert_eq!(
        story.invoiced(&buyer, "users", "2026-11"),
        12,
        "a peak bills its largest level once"
    );
    story.end().await;
}

#[tokio::test]
async fn a_contract_with_consumption_bills_what_goes_beyond_the_plan() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    let shown = story.shown(&buyer).await;
    assert_eq!(shown["plan"]["id"], "STANDARD", "the entitlement names the plan: {shown}");
    story.uses(&buyer, "scans", "500").await;
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0, "five hundred scans are included");
    story.uses(&buyer, "scans", "30").await;
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 30);

    let mut larger = story.purchase("111122223333").entitlements;
    larger.clear();
    larger.insert("premium".to_owned(), 1.into());
    story.system.simulator().amend(&buyer.agreement_id, larger).unwrap();
    story.minutes(5).await;
    assert_eq!(story.shown(&buyer).await["plan"]["id"], "PREMIUM");
    assert_eq!(story.told(&buyer), ["provision", "quotaReached", "planChanged"]);
    story.uses(&buyer, "scans", "1400").await;
    story.hours(1).await;
    assert_eq!(
        story.invoiced(&buyer, "scans", "2026-11"),
        30,
        "an upgrade takes nothing back and includes the rest"
    );
    story.uses(&buyer, "scans", "75").await;
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 35, "five beyond two thousand");
    story.end().await;
}

#[tokio::test]
async fn a_contract_is_never_metered_and_blocks_beyond_what_was_bought() {
    let story = Story::begin(Contract).await;
    let buyer = story.subscriber("111122223333").await;
    let consume = |key: &str, quantity: &str| json!({"key": key, "dimension": "scans", "quantity": quantity, "at": story.now()});
    let path =
        format!("/marketplace/subscriptions/{}/entitlements/consume", subscription_id(&buyer));
    assert_eq!(story.call("POST", &path, Some(consume("a", "499"))).await.status, 200);
    assert_eq!(story.call("POST", &path, Some(consume("b", "1"))).await.status, 200);
    let full = story.call("POST", &path, Some(consume("c", "1"))).await;
    assert_eq!((full.status, full.code()), (409, "quota_exceeded"));
    let again = story.call("POST", &path, Some(consume("b", "1"))).await;
    assert_eq!(again.status, 200, "a repeat is not denied because it filled the quota itself");
    story.hours(3).await;
    assert!(story.system.simulator().invoice().is_empty());
    story.end().await;
}

#[tokio::test]
async fn concurrent_reservations_never_overshoot_a_quota() {
    let story = Story::begin(Contract).await;
    let buyer = story.subscriber("111122223333").await;
    let path =
        format!("/marketplace/subscriptions/{}/entitlements/consume", subscription_id(&buyer));
    let ask = |n: u32| {
        let body = json!({"key": format!("k{n}"), "dimension": "scans", "quantity": "100", "at": story.now()});
        let (story, path) = (&story, &path);
        async move { story.call("POST", path, Some(body)).await.status }
    };
    let answers = tokio::join!(ask(1), ask(2), ask(3), ask(4), ask(5), ask(6), ask(7), ask(8));
    let answers: [u16; 8] = answers.into();
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 5, "{answers:?}");
    story.end().await;
}
