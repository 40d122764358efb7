//! Several licenses, ends, renewals, replacements: what happens to one license must not happen to another.

use simulator::switches::{LicenseOnRenew, LicenseOnReplace, LicenseOnResubscribe};
use simulator::{Fault, Purchase};

use crate::story::{ContractWithConsumption, PayAsYouGo, Story};

#[tokio::test]
async fn two_licenses_of_one_account_are_metered_apart_and_end_apart() {
    let story = Story::begin(PayAsYouGo).await;
    let first = story.subscriber("111122223333").await;
    let second = story.subscriber("111122223333").await;
    story.uses(&first, "scans", "10").await;
    story.uses(&second, "scans", "20").await;
    story.system.simulator().cancel(&first.agreement_id).unwrap();
    story.minutes(5).await;
    assert_eq!(story.status(&first).await, "CANCELLING");
    assert!(!story.has_access(&first).await);
    assert!(story.has_access(&second).await, "an end is never per account");
    story.hours(2).await;
    story.uses(&second, "scans", "1").await;
    story.hours(2).await;
    assert_eq!(story.invoiced(&first, "scans", "2026-11"), 10);
    assert_eq!(story.invoiced(&second, "scans", "2026-11"), 21);
    assert_eq!(story.told(&first), ["provision", "revoke"]);
    assert_eq!(story.told(&second), ["provision"]);
    story.end().await;
}

#[tokio::test]
async fn a_buyer_comes_back_under_a_new_license() {
    let story = Story::begin(PayAsYouGo).await;
    let before = story.subscriber("111122223333").await;
    story.uses(&before, "scans", "3").await;
    story.system.simulator().cancel(&before.agreement_id).unwrap();
    story.minutes(20).await;
    let after = story.subscriber("111122223333").await;
    assert_ne!(before.license_arn, after.license_arn);
    story.uses(&after, "scans", "4").await;
    story.hours(3).await;
    assert_eq!(story.invoiced(&before, "scans", "2026-11"), 3);
    assert_eq!(story.invoiced(&after, "scans", "2026-11"), 4);
    story.end().await;
}

#[tokio::test]
async fn a_buyer_comes_back_under_the_same_license() {
    let story = Story::begin(PayAsYouGo).await;
    story
        .system
        .simulator()
        .switches(|switches| switches.license_on_resubscribe = LicenseOnResubscribe::Same);
    let before = story.subscriber("111122223333").await;
    story.uses(&before, "scans", "3").await;
    story.system.simulator().cancel(&before.agreement_id).unwrap();
    story.hours(5).await;
    assert_eq!(story.status(&before).await, "CANCELLED");
    let after = story.buy("111122223333");
    assert_eq!(before.license_arn, after.license_arn);
    story.minutes(5).await;
    assert_eq!(story.status(&after).await, "ACTIVE", "a newer update opens the license again");
    story.uses(&after, "scans", "4").await;
    story.hours(2).await;
    assert_eq!(story.invoiced(&after, "scans", "2026-11"), 7);
    assert_eq!(story.told(&after), ["provision", "revoke", "resume"]);
    story.end().await;
}

#[tokio::test]
async fn a_renewal_of_the_same_license_goes_on_without_a_break() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "505").await;
    let renewed = story.system.simulator().renew(&buyer.agreement_id).unwrap();
    assert_eq!(renewed.license_arn, buyer.license_arn);
    story.minutes(10).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.uses(&buyer, "scans", "1").await;
    story.hours(3).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 6);
    assert_eq!(
        story.told(&buyer),
        ["provision", "quotaReached"],
        "the platform notices nothing of a renewal"
    );
    assert_eq!(story.shown(&buyer).await["agreement"]["id"], renewed.agreement_id);
    story.end().await;
}

#[tokio::test]
async fn a_renewal_under_a_new_license_continues_the_tenant() {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().switches(|switches| switches.license_on_renew = LicenseOnRenew::New);
    let before = story.subscriber("111122223333").await;
    let tenant = story.shown(&before).await["tenant"]["id"].clone();
    story.uses(&before, "scans", "510").await;
    let after = story.system.simulator().renew(&before.agreement_id).unwrap();
    assert_ne!(before.license_arn, after.license_arn);
    story.minutes(10).await;
    let shown = story.shown(&after).await;
    assert_eq!(shown["status"], "ACTIVE", "no new registration is asked for: {shown}");
    assert_eq!(shown["tenant"]["id"], tenant);
    assert!(story.written_to(&after).is_empty(), "who goes on is not welcomed again");
    story.uses(&after, "scans", "501").await;
    story.hours(3).await;
    assert_eq!(story.invoiced(&before, "scans", "2026-11"), 10);
    assert_eq!(story.invoiced(&after, "scans", "2026-11"), 1);
    story.end().await;
}

#[tokio::test]
async fn a_replacement_keeps_the_buyer_in_whether_its_license_is_new_or_not() {
    for on_replace in [LicenseOnReplace::New, LicenseOnReplace::Same] {
        let story = Story::begin(ContractWithConsumption).await;
        story.system.simulator().switches(|switches| switches.license_on_replace = on_replace);
        let before = story.subscriber("111122223333").await;
        let premium = [("premium".to_owned(), 1.into())].into();
        let after = story.system.simulator().replace(&before.agreement_id, premium).unwrap();
        story.minutes(10).await;
        let shown = story.shown(&after).await;
        assert_eq!(
            (&shown["status"], &shown["plan"]["id"]),
            (&"ACTIVE".into(), &"PREMIUM".into()),
            "{shown}"
        );
        assert!(story.has_access(&after).await);
        story.uses(&after, "scans", "2003").await;
        story.hours(2).await;
        assert_eq!(story.invoiced(&after, "scans", "2026-11"), 3);
        story.end().await;
    }
}

#[tokio::test]
async fn a_stale_update_after_the_end_does_not_open_the_license_again() {
    let story = Story::begin(PayAsYouGo).await;
    let held = Fault { operations: ["License Updated".to_owned()].into(), ..Fault::next(1) };
    story.system.simulator().faults(|faults| {
        faults.delay = held;
        faults.delay_by = jiff::SignedDuration::from_hours(3);
    });
    let buyer = story.buy("111122223333");
    story.minutes(5).await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(2).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    story.hours(3).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED", "the update was older than the end");
    assert!(!story.has_access(&buyer).await);
    story.end().await;
}

#[tokio::test]
async fn an_advisory_holds_access_until_it_is_resolved() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.system.simulator().issue_advisory(&buyer.agreement_id).unwrap();
    story.minutes(2).await;
    assert_eq!(story.status(&buyer).await, "SUSPENDED");
    assert!(!story.has_access(&buyer).await);
    story.system.simulator().resolve_advisory(&buyer.agreement_id).unwrap();
    story.minutes(2).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.told(&buyer), ["provision", "suspend", "resume"]);
    story.end().await;
}

#[tokio::test]
async fn an_expired_contract_is_shown_as_expired() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "503").await;
    story.system.simulator().expire(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    assert_eq!(story.status(&buyer).await, "EXPIRED");
    assert_eq!(
        story.invoiced(&buyer, "scans", "2026-11"),
        3,
        "the final hour is billed on the terms that were bought"
    );
    story.end().await;
}

#[tokio::test]
async fn the_seller_asks_aws_to_cancel_and_access_goes_on_until_aws_does() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let path = format!("/marketplace/subscriptions/{}", crate::story::subscription_id(&buyer));
    let etag = story.call("GET", &path, None).await.etag.unwrap();
    let asked = story.call_with("DELETE", &path, None, &[("if-match", &etag)]).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    assert!(story.has_access(&buyer).await);
    story.hours(7 * 24 + 3).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    story.end().await;
}

#[tokio::test]
async fn a_failed_payment_never_gives_access() {
    let story = Story::begin(PayAsYouGo).await;
    let purchase = Purchase { fails: true, legacy: true, ..story.purchase("111122223333") };
    let buyer = story.system.simulator().buy(purchase).unwrap();
    story.register(&buyer).await;
    story.minutes(10).await;
    assert!(!story.has_access(&buyer).await);
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    story.end().await;
}
