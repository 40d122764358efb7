//! A notification is lost, and the state is right within a day: each of them, with the audit entry that says who
//! repaired it.

use app::ports::{Memos, Task};
use serde_json::json;
use simulator::switches::LicenseOnReplace;
use simulator::{Bought, Fault, Purchase};

use crate::story::{Contract, ContractWithConsumption, PayAsYouGo, Story, subscription_id};

fn drop_next(story: &Story, count: u32, kinds: &[&str]) {
    let fault = kinds.iter().fold(Fault::next(count), |fault, kind| fault.only(kind));
    story.system.simulator().faults(|faults| faults.drop = fault);
}

#[tokio::test]
async fn a_lost_activation() {
    for pricing in [PayAsYouGo, ContractWithConsumption, Contract] {
        let story = Story::begin(pricing).await;
        drop_next(&story, 1, &["License Updated"]);
        let buyer = story.buy("111122223333");
        story.minutes(2).await;
        story.register(&buyer).await;
        assert_eq!(story.status(&buyer).await, "PENDING");
        story.hours(1).await;
        assert_eq!(story.status(&buyer).await, "ACTIVE", "{pricing}");
        assert!(story.has_access(&buyer).await);
        assert!(story.was_repaired(&buyer, "license-updated").await);
        assert_eq!(story.told(&buyer), ["provision"]);
        if pricing != Contract {
            story.uses(&buyer, "scans", "507").await;
            story.hours(2).await;
            let due = if pricing == PayAsYouGo { 507 } else { 7 };
            assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), due);
        }
        story.end().await;
    }
}

#[tokio::test]
async fn a_whole_purchase_that_nobody_told() {
    let story = Story::begin(ContractWithConsumption).await;
    drop_next(&story, 2, &["Purchase Agreement Created", "License Updated"]);
    let buyer = story.buy("111122223333");
    story.hours(1).await;
    assert!(story.was_repaired(&buyer, "license-updated").await, "the buyer never came by");
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.shown(&buyer).await["plan"]["id"], "STANDARD");
    story.end().await;
}

#[tokio::test]
async fn an_end_that_nobody_told_is_found_within_the_final_hour_and_its_last_usage_is_billed() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "30").await;
    story.minutes(25).await;
    drop_next(&story, 2, &["Purchase Agreement Ended", "License Deprovisioned"]);
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.uses(&buyer, "scans", "4").await;
    story.minutes(45).await;
    assert_eq!(story.status(&buyer).await, "CANCELLING");
    assert!(story.was_repaired(&buyer, "agreement-ended").await);
    story.hours(2).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 34);
    assert_eq!(story.told(&buyer), ["provision", "revoke"]);
    story.end().await;
}

#[tokio::test]
async fn a_lost_deprovisioning_of_a_license_that_was_replaced() {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().switches(|it| it.license_on_replace = LicenseOnReplace::New);
    let buyer = story.subscriber("111122223333").await;
    drop_next(&story, 1, &["License Deprovisioned"]);
    let premium = [("premium".to_owned(), 1.into())].into();
    let after = story.system.simulator().replace(&buyer.agreement_id, premium).unwrap();
    assert_ne!(after.license_arn, buyer.license_arn);
    story.minutes(5).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE", "a replacement by itself ends nothing");
    story.hours(3).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert!(story.was_repaired(&buyer, "license-deprovisioned").await);
    assert_eq!(story.status(&after).await, "ACTIVE");
    assert!(story.has_access(&after).await);
    story.end().await;
}

#[tokio::test]
async fn a_lost_deprovisioning_of_a_license_that_was_replaced_before_its_activation_was_told() {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().switches(|it| it.license_on_replace = LicenseOnReplace::New);
    drop_next(&story, 2, &["License Updated", "License Deprovisioned"]);
    let buyer = story.buy("111122223333");
    story.minutes(2).await;
    story.register(&buyer).await;
    let premium = [("premium".to_owned(), 1.into())].into();
    story.system.simulator().replace(&buyer.agreement_id, premium).unwrap();
    assert_eq!(story.status(&buyer).await, "PENDING");
    story.hours(3).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert!(story.was_repaired(&buyer, "license-deprovisioned").await);
    story.end().await;
}

#[tokio::test]
async fn a_renewal_of_which_nothing_was_told() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    drop_next(&story, 3, &["Purchase Agreement", "License"]);
    let renewed = story.system.simulator().renew(&buyer.agreement_id).unwrap();
    assert_eq!(renewed.license_arn, buyer.license_arn);
    story.hours(2).await;
    let shown = story.shown(&buyer).await;
    assert_eq!(shown["agreement"]["id"], renewed.agreement_id.as_str(), "{shown}");
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert!(
        story.was_repaired(&buyer, "agreement-created").await
            || story.was_repaired(&buyer, "entitlements").await,
        "{:?}",
        story.audit(&buyer).await
    );
    assert!(story.was_repaired(&buyer, "agreement-ended").await, "the former one was renewed");
    assert_eq!(story.told(&buyer), ["provision"]);
    story.end().await;
}

#[tokio::test]
async fn a_lost_amendment_of_what_was_bought() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.minutes(20).await;
    drop_next(&story, 2, &["Purchase Agreement Amended", "License Updated"]);
    let premium = [("premium".to_owned(), 1.into())].into();
    story.system.simulator().amend(&buyer.agreement_id, premium).unwrap();
    story.hours(2).await;
    assert_eq!(story.shown(&buyer).await["plan"]["id"], "PREMIUM");
    assert!(story.was_repaired(&buyer, "entitlements").await);
    assert_eq!(story.told(&buyer), ["provision", "planChanged"]);
    story.end().await;
}

#[tokio::test]
async fn a_lost_word_of_the_renewal_being_switched_off() {
    let story = Story::begin(Contract).await;
    let purchase = Purchase { auto_renew: true, ..story.purchase("111122223333") };
    let buyer = story.system.simulator().buy(purchase).unwrap();
    story.minutes(2).await;
    story.register(&buyer).await;
    drop_next(&story, 1, &["Purchase Agreement Amended"]);
    story.system.simulator().set_auto_renew(&buyer.agreement_id, false).unwrap();
    story.hours(2).await;
    let shown = story.shown(&buyer).await;
    assert_eq!(shown["agreement"]["autoRenew"], false, "{shown}");
    assert!(story.was_repaired(&buyer, "agreement-amended").await);
    story.end().await;
}

/// No notification ever tells that a payment failed, lost or not.
#[tokio::test]
async fn a_purchase_whose_payment_failed_after_the_buyer_registered() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    story.system.simulator().fail_subscription(&buyer.agreement_id).unwrap();
    story.minutes(5).await;
    assert_eq!(story.status(&buyer).await, "PENDING");
    story.hours(2).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert!(!story.has_access(&buyer).await);
    story.end().await;
}

/// An older listing's contract has no agreement to ask for, but its entitlements say that it is over.
#[tokio::test]
async fn a_lost_end_of_an_older_listings_contract() {
    let story = Story::begin(Contract).await;
    let ends = Some(story.now() + jiff::SignedDuration::from_hours(24 * 3));
    let purchase = Purchase { legacy: true, ends, ..story.purchase("111122223333") };
    let buyer = story.system.simulator().buy(purchase).unwrap();
    story.minutes(5).await;
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.hours(70).await;
    drop_next(&story, 9, &["entitlement-updated", "unsubscribe"]);
    story.hours(30).await;
    assert!(!story.has_access(&buyer).await);
    assert!(story.was_repaired(&buyer, "license-deprovisioned").await);
    story.end().await;
}

/// SNS tells of a customer, AWS's search of a license: both are the same purchase, and it is billed once.
#[tokio::test]
async fn a_purchase_of_an_older_listing_is_not_taken_up_a_second_time() {
    let story = Story::begin(PayAsYouGo).await;
    let purchase = Purchase { legacy: true, ..story.purchase("111122223333") };
    let buyer = story.system.simulator().buy(purchase).unwrap();
    story.minutes(5).await;
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.hours(26).await;
    assert_eq!(story.subscriptions().await.len(), 1);
    story.end().await;
}

#[tokio::test]
async fn what_was_told_in_time_is_not_repaired() {
    for pricing in [PayAsYouGo, ContractWithConsumption] {
        let story = Story::begin(pricing).await;
        let buyer = story.subscriber("111122223333").await;
        story.hours(26).await;
        story.system.simulator().cancel(&buyer.agreement_id).unwrap();
        story.hours(3).await;
        let audit = story.audit(&buyer).await;
        assert!(audit.iter().all(|(who, _)| who != "reconciler"), "{audit:?}");
        story.end().await;
    }
}

#[tokio::test]
async fn another_listings_agreements_are_left_alone() {
    let story = Story::begin(PayAsYouGo).await;
    drop_next(&story, 2, &["Purchase Agreement Created", "License Updated"]);
    let other = story.buy_from_another_listing();
    story.hours(3).await;
    let ids: Vec<_> = story.subscriptions().await.into_iter().map(|state| state.id).collect();
    assert!(!ids.contains(&subscription_id(&other)));
    story.end().await;
}

async fn watermark(story: &Story) -> Option<String> {
    let known = story.call("GET", "/marketplace/checks/notices", None).await.body;
    known["watermark"].as_str().map(str::to_owned)
}

async fn waiting(story: &Story) -> Vec<String> {
    let known = story.call("GET", "/marketplace/checks/notices", None).await.body;
    let ids = known["waiting"].as_array().unwrap();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The watermark moves over an agreement only when that is as it should be or kept by name; pages and failures change
/// nothing about it.
#[tokio::test]
async fn the_watermark_forgets_no_agreement_whatever_fails() {
    let story = Story::begin(PayAsYouGo).await;
    story.system.simulator().faults(|faults| faults.drop = Fault::permille(1000));
    // More than AWS puts on a page.
    let buyers: Vec<Bought> = (0..52).map(|n| story.buy(&format!("{:012}", 100 + n))).collect();
    // The SDK asks three times: two agreements cannot be looked at.
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::next(6).only("GetAgreementEntitlements");
    });
    story.minutes(19).await;
    assert_eq!(watermark(&story).await, None);
    story.minutes(2).await;
    assert!(watermark(&story).await.is_some(), "all of them were read");
    assert_eq!(waiting(&story).await.len(), 2, "what could not be looked at is kept by name");
    assert_eq!(story.subscriptions().await.len(), 50, "nothing is taken from an error");
    story.minutes(30).await;
    assert!(waiting(&story).await.is_empty());
    for buyer in &buyers {
        assert!(story.was_repaired(buyer, "license-updated").await);
    }
    let before = watermark(&story).await;
    let late = story.buy("222233334444");
    story.minutes(15).await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::next(3).only("SearchAgreements");
    });
    assert!(story.system.run_task("notices").await.is_err());
    assert_eq!(watermark(&story).await, before, "what could not be read is not passed over");
    story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
    story.minutes(20).await;
    assert!(watermark(&story).await > before);
    assert!(story.was_repaired(&late, "license-updated").await);
    story.end().await;
}

#[tokio::test]
async fn two_reconciles_at_once_repair_once() {
    let story = Story::begin(PayAsYouGo).await;
    drop_next(&story, 1, &["License Updated"]);
    let buyer = story.buy("111122223333");
    story.minutes(15).await;
    let system = &story.system;
    let (one, other) = tokio::join!(system.run_task("notices"), system.run_task("notices"));
    let finished = [one.unwrap(), other.unwrap()].map(|report| report["finished"].clone());
    assert!(finished.contains(&json!(true)), "{finished:?}");
    let audit = story.audit(&buyer).await;
    let repairs = audit.iter().filter(|(who, _)| who == "reconciler").count();
    assert_eq!(repairs, 1, "{audit:?}");
    let memo = story.system.store().memo(Task::Notices).await.unwrap().unwrap();
    assert!(memo.body.contains("watermark"), "{}", memo.body);
    story.end().await;
}
