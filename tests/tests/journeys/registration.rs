//! Ways in: before the events, after them, twice, without a license yet, from another listing.

use simulator::switches::ResolveLicenseArn;

use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};

#[tokio::test]
async fn a_buyer_who_registers_before_the_license_is_active_waits_and_then_gets_in() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "PENDING");
    assert!(!story.has_access(&buyer).await, "nothing is granted at the landing page");
    assert!(story.told(&buyer).is_empty());
    story.minutes(2).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.told(&buyer), ["provision"]);
    assert_eq!(story.shown(&buyer).await["tenant"]["state"], "ready", "the platform confirmed");
    story.end().await;
}

#[tokio::test]
async fn a_buyer_who_registers_days_after_the_events_gets_in_at_once() {
    let story = Story::begin(ContractWithConsumption).await;
    let buyer = story.buy("111122223333");
    story.hours(50).await;
    assert_eq!(story.status(&buyer).await, "PENDING");
    assert!(!story.has_access(&buyer).await);
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.told(&buyer), ["provision"]);
    story.end().await;
}

#[tokio::test]
async fn a_buyer_who_never_registers_has_no_access_and_owes_nothing() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.hours(30).await;
    assert!(!story.has_access(&buyer).await);
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    assert!(story.told(&buyer).is_empty());
    story.end().await;
}

#[tokio::test]
async fn landing_twice_and_completing_twice_is_fine_and_provisions_once() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.land(&buyer).await;
    story.minutes(2).await;
    story.land(&buyer).await;
    story.register(&buyer).await;
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.told(&buyer), ["provision"]);
    story.end().await;
}

#[tokio::test]
async fn the_platform_writes_to_who_registered_once_and_to_a_corrected_address_again() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    assert!(story.written_to(&buyer).is_empty());
    story.register_as(&buyer, "jo@exmaple.com").await;
    story.register_as(&buyer, "jo@exmaple.com").await;
    assert_eq!(story.written_to(&buyer), ["jo@exmaple.com"], "the same form twice is one mail");
    story.minutes(2).await;
    assert_eq!(story.written_to(&buyer).len(), 1, "the activation is no registration");
    story.register_as(&buyer, "jo@example.com").await;
    assert_eq!(story.written_to(&buyer), ["jo@exmaple.com", "jo@example.com"]);
    assert_eq!(story.told(&buyer), ["provision"]);
    let deeds = story.audit(&buyer).await;
    assert!(deeds.contains(&("buyer".to_owned(), "registration.changed".to_owned())), "{deeds:?}");
    story.end().await;
}

#[tokio::test]
async fn a_notice_of_a_registration_holds_no_personal_data_and_the_contact_is_read_over_the_api() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.land(&buyer).await;
    let path = format!("/marketplace/subscriptions/{}/contact", subscription_id(&buyer));
    let absent = story.call("GET", &path, None).await;
    assert_eq!((absent.status, &absent.body["code"]), (404, &"not_registered".into()));
    story.register(&buyer).await;
    let notices = story.system.tenant_notices().unwrap();
    assert_eq!(notices[0].kind.as_str(), "registered");
    let told = serde_json::to_string(&notices).unwrap();
    assert!(!told.contains("Acme") && !told.contains("Jo") && !told.contains('@'), "{told}");
    let contact = story.call("GET", &path, None).await.body;
    for (field, text) in
        [("company", "Acme Ltd"), ("contact", "Jo Doe"), ("email", "jo@example.com")]
    {
        assert_eq!(contact[field], text);
    }
    story.end().await;
}

#[tokio::test]
async fn a_registration_without_a_license_is_joined_when_the_license_is_known() {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().switches(|switches| {
        switches.resolve_license_arn = ResolveLicenseArn::AfterLicenseUpdated;
    });
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    let path = format!("/marketplace/subscriptions/{}", subscription_id(&buyer));
    assert_eq!(
        story.call("GET", &path, None).await.status,
        404,
        "AWS has not told the license yet"
    );
    assert!(story.written_to(&buyer).is_empty(), "there is nothing to write about yet");
    story.minutes(2).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    assert_eq!(story.told(&buyer), ["provision"]);
    assert_eq!(story.written_to(&buyer), ["jo@example.com"]);
    story.end().await;
}

#[tokio::test]
async fn a_license_known_from_events_is_found_when_the_token_does_not_name_it() {
    let story = Story::begin(ContractWithConsumption).await;
    story.system.simulator().switches(|switches| {
        switches.resolve_license_arn = ResolveLicenseArn::AbsentFirstCall;
    });
    let buyer = story.buy("111122223333");
    story.minutes(2).await;
    story.register(&buyer).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.end().await;
}

#[tokio::test]
async fn an_older_listing_registers_by_customer_identifier_and_is_told_over_sns() {
    let story = Story::begin(PayAsYouGo).await;
    let purchase = simulator::Purchase { legacy: true, ..story.purchase("111122223333") };
    let buyer = story.system.simulator().buy(purchase).unwrap();
    story.register(&buyer).await;
    story.minutes(2).await;
    assert_eq!(story.status(&buyer).await, "ACTIVE");
    story.uses(&buyer, "scans", "7").await;
    story.minutes(70).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 7);
    story.uses(&buyer, "scans", "2").await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 9);
    assert_eq!(story.status(&buyer).await, "CANCELLED");
    story.end().await;
}
