//! What the seller is told over the life of an agreement (F§6 to 8).

use serde_json::{Value, json};
use simulator::switches::{
    EndedOffer, EndedOnChain, EventLicenseArn, FutureDatedCreated, LegacyEvents, LicenseEventRole,
    LicenseOnRenew, LicenseOnReplace, LicenseOnResubscribe, OnOff, PaygEventEndTime,
    RenewalCreatedEvent, SnsAccountId,
};
use simulator::{Channel, Pricing, Purchase};

use crate::harness::{Aws, BUYER, CODE, at, kind, message, seats};

const CREATED: &str = "Purchase Agreement Created - Proposer";
const AMENDED: &str = "Purchase Agreement Amended - Proposer";
const ENDED: &str = "Purchase Agreement Ended - Proposer";
const UPDATED: &str = "License Updated - Manufacturer";
const DEPROVISIONED: &str = "License Deprovisioned - Manufacturer";

fn contract() -> Purchase {
    Purchase { entitlements: seats(10), ..Purchase::default() }
}

#[tokio::test]
async fn a_subscription_is_told_as_a_live_listing_records_it() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.simulator.buy(Purchase::default()).unwrap();
    let created = aws.take();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].channel, Channel::EventBridge);
    let event = &created[0].body;
    let strip = |event: &Value| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove("id").unwrap();
        event["detail"].as_object_mut().unwrap().remove("requestId").unwrap();
        event
    };
    let expected = json!({
        "version": "0", "detail-type": CREATED, "source": "aws.agreement-marketplace",
        "account": "444455556666", "time": "2026-11-10T10:00:00Z", "region": "us-east-1",
        "resources": [format!("arn:aws:aws-marketplace::aws:agreement:{}", bought.agreement_id)],
        "detail": {
            "catalog": "AWSMarketplace", "acceptor": { "accountId": BUYER },
            "proposer": { "accountId": "444455556666" }, "offer": { "id": bought.offer_id },
            "resaleAuthorization": { "id": null },
            "agreement": {
                "id": bought.agreement_id, "intent": "NEW", "status": "ACTIVE",
                "acceptanceTime": "2026-11-10T10:00:00Z", "startTime": "2026-11-10T10:00:00Z",
                "endTime": "9999-01-01T00:00:00Z",
            },
        },
    });
    assert_eq!(strip(event), expected);

    assert_eq!(aws.simulator.next_notification_at(), Some(at("2026-11-10T10:01:00Z")));
    aws.pass("60s");
    let updated = aws.take();
    assert_eq!(updated[0].body["detail-type"], UPDATED);
    let mut detail = strip(&updated[0].body)["detail"].take();
    assert_eq!(detail["license"]["arn"], json!(bought.license_arn));
    assert_eq!(detail["product"], json!({ "code": CODE, "id": "prod-abcdefghijklm" }));
    let keys = detail.as_object_mut().unwrap();
    let keys: Vec<&str> = keys.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["acceptor", "agreement", "catalog", "license", "offer", "product", "proposer"]
    );

    aws.simulator.cancel(&bought.agreement_id).unwrap();
    let ended = aws.take();
    let agreement = json!({ "id": bought.agreement_id, "status": "CANCELLED" });
    assert_eq!(ended[0].body["detail"]["agreement"], agreement);
    assert_eq!(ended[0].body["detail"].get("offer"), None);
    aws.pass("30s");
    assert_eq!(aws.told(), [DEPROVISIONED]);
    assert_eq!(aws.simulator.notifications_pending(), 0);
}

#[tokio::test]
async fn event_content_follows_the_switches() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| {
        it.event_license_arn = EventLicenseArn::DocForm;
        it.ended_offer = EndedOffer::Include;
        it.payg_event_end_time = PaygEventEndTime::Omit;
        it.license_event_role = LicenseEventRole::Both;
    });
    let bought = aws.subscriber(Purchase::default());
    let told = aws.take();
    assert_eq!(told[0].body["detail"]["agreement"].get("endTime"), None);
    let kinds: Vec<String> = told.iter().map(kind).collect();
    assert_eq!(kinds, [CREATED, UPDATED, "License Updated - Proposer"]);
    let tail = bought.license_arn.rsplit(':').next().unwrap();
    let arn = format!("aws:license-manager:us-east-1:444455556666:{tail}");
    assert_eq!(told[1].body["detail"]["license"]["arn"], json!(arn));
    aws.simulator.terminate(&bought.agreement_id).unwrap();
    let ended = &aws.take()[0].body["detail"];
    assert_eq!(ended["offer"]["id"], json!(bought.offer_id));
    assert_eq!(ended["agreement"]["status"], "TERMINATED");
}

#[tokio::test]
async fn a_resellers_agreement_is_told_to_the_manufacturer() {
    let aws = Aws::start(Pricing::Usage).await;
    let reseller = Some("777766665555".to_owned());
    aws.subscriber(Purchase { reseller, ..Purchase::default() });
    let told = aws.take();
    assert_eq!(kind(&told[0]), "Purchase Agreement Created - Manufacturer");
    let detail = &told[0].body["detail"];
    assert_eq!(detail["proposer"]["accountId"], "777766665555");
    assert!(detail["resaleAuthorization"]["id"].as_str().unwrap().starts_with("resaleauthz-"));
}

#[tokio::test]
async fn an_agreement_cancelled_before_its_license_updated_is_never_updated() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.simulator.buy(Purchase::default()).unwrap();
    aws.pass("10s");
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.pass("1h");
    assert_eq!(aws.told(), [CREATED, ENDED, DEPROVISIONED]);
}

#[tokio::test]
async fn a_failed_subscription_is_told_on_no_bus() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.buy(Purchase { fails: true, ..Purchase::default() }).unwrap();
    let late = aws.simulator.buy(Purchase::default()).unwrap();
    aws.simulator.fail_subscription(&late.agreement_id).unwrap();
    aws.pass("2h");
    assert_eq!(aws.told(), Vec::<String>::new());
    let active = aws.subscriber(Purchase::default());
    assert!(aws.simulator.fail_subscription(&active.agreement_id).is_err());
}

#[tokio::test]
async fn an_amendment_changes_the_entitlements_of_the_same_license() {
    let aws = Aws::start(Pricing::Contract).await;
    let bought = aws.subscriber(contract());
    aws.take();
    let amended = aws.simulator.amend(&bought.agreement_id, seats(25)).unwrap();
    assert_eq!(amended.license_arn, bought.license_arn);
    let body = json!({ "ProductCode": CODE });
    let value = async |body: &Value| {
        let answer = aws.call("GetEntitlements", body.clone()).await;
        answer.body["Entitlements"][0]["Value"]["IntegerValue"].as_i64()
    };
    assert_eq!(value(&body).await, Some(10));
    aws.pass("60s");
    assert_eq!(value(&body).await, Some(25));
    let told = aws.take();
    assert_eq!(told.iter().map(kind).collect::<Vec<_>>(), [AMENDED, UPDATED]);
    let detail = &told[0].body["detail"];
    assert_eq!(detail["agreement"]["intent"], "AMEND");
    assert_eq!(detail["agreement"]["autoRenewalEnabled"], false);
    assert_eq!(detail["product"]["id"], "prod-abcdefghijklm");
}

#[tokio::test]
async fn a_contract_renews_itself_at_its_end_and_keeps_its_license() {
    let aws = Aws::start(Pricing::Contract).await;
    let bought = aws.subscriber(Purchase { auto_renew: true, ..contract() });
    aws.take();
    aws.set("2027-11-10T12:00:00Z");
    let told = aws.take();
    assert_eq!(told.iter().map(kind).collect::<Vec<_>>(), [ENDED, CREATED, UPDATED]);
    assert_eq!(told[0].body["detail"]["agreement"]["status"], "RENEWED");
    assert_eq!(told[0].body["time"], "2027-11-10T10:00:00Z");
    let created = &told[1].body["detail"];
    assert_eq!(created["agreement"]["intent"], "RENEW");
    assert_eq!(created["agreement"]["previousAgreementId"], json!(bought.agreement_id));
    assert_eq!(told[2].body["detail"]["license"]["arn"], json!(bought.license_arn));
    let agreements = aws.simulator.agreements();
    let renewed = agreements.iter().find(|it| it.previous_id.is_some()).unwrap();
    assert_eq!(renewed.initial_id, bought.agreement_id);
    assert_eq!(renewed.starts, at("2027-11-10T10:00:00Z"));
}

#[tokio::test]
async fn a_contract_without_renewal_expires_at_its_end() {
    let aws = Aws::start(Pricing::Contract).await;
    aws.subscriber(Purchase { ends: Some(at("2026-11-20T23:59:59.999Z")), ..contract() });
    aws.take();
    aws.set("2026-11-21T00:00:00Z");
    let ended = aws.take();
    assert_eq!(ended[0].body["detail"]["agreement"]["status"], "EXPIRED");
    aws.pass("30s");
    assert_eq!(aws.told(), [DEPROVISIONED]);
}

#[tokio::test]
async fn a_replacement_has_a_new_license_and_ends_the_old_one() {
    let aws = Aws::start(Pricing::Contract).await;
    let old = aws.subscriber(contract());
    aws.take();
    let new = aws.simulator.replace(&old.agreement_id, seats(20)).unwrap();
    assert_ne!(new.license_arn, old.license_arn);
    aws.pass("60s");
    assert_eq!(aws.told(), [ENDED, CREATED, DEPROVISIONED, UPDATED]);
}

#[tokio::test]
async fn chains_follow_the_switches() {
    let aws = Aws::start(Pricing::Contract).await;
    aws.simulator.switches(|it| {
        it.license_on_renew = LicenseOnRenew::New;
        it.license_on_replace = LicenseOnReplace::Same;
        it.ended_on_chain = EndedOnChain::Off;
        it.renewal_created_event = RenewalCreatedEvent::Off;
    });
    let first = aws.subscriber(contract());
    aws.take();
    let second = aws.simulator.renew(&first.agreement_id).unwrap();
    aws.pass("60s");
    assert_ne!(second.license_arn, first.license_arn);
    assert_eq!(aws.told(), [DEPROVISIONED, UPDATED]);
    let third = aws.simulator.replace(&second.agreement_id, seats(1)).unwrap();
    aws.pass("60s");
    assert_eq!(third.license_arn, second.license_arn);
    assert_eq!(aws.told(), [CREATED, UPDATED]);
}

#[tokio::test]
async fn a_returning_buyer_has_a_new_license_unless_switched() {
    let aws = Aws::start(Pricing::Usage).await;
    let first = aws.subscriber(Purchase::default());
    aws.simulator.cancel(&first.agreement_id).unwrap();
    let second = aws.subscriber(Purchase::default());
    assert_ne!(second.license_arn, first.license_arn);
    aws.simulator.cancel(&second.agreement_id).unwrap();
    aws.simulator.switches(|it| it.license_on_resubscribe = LicenseOnResubscribe::Same);
    let third = aws.subscriber(Purchase::default());
    assert_eq!(third.license_arn, second.license_arn);
}

#[tokio::test]
async fn a_license_that_a_returning_buyer_takes_up_again_is_not_deprovisioned() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| it.license_on_resubscribe = LicenseOnResubscribe::Same);
    let first = aws.subscriber(Purchase::default());
    aws.take();
    aws.simulator.cancel(&first.agreement_id).unwrap();
    aws.pass("10s");
    assert_eq!(aws.told(), [ENDED]);
    aws.simulator.buy(Purchase::default()).unwrap();
    aws.pass("2h");
    assert_eq!(aws.told(), [CREATED, UPDATED]);
}

#[tokio::test]
async fn a_returning_buyers_license_is_deprovisioned_when_the_new_agreement_ends_before_its_start()
{
    let aws = Aws::start(Pricing::Contract).await;
    aws.simulator.switches(|it| it.license_on_resubscribe = LicenseOnResubscribe::Same);
    let first = aws.subscriber(contract());
    aws.take();
    aws.simulator.cancel(&first.agreement_id).unwrap();
    let future = Purchase { starts: Some(at("2026-12-01T00:00:00Z")), ..contract() };
    let second = aws.simulator.buy(future).unwrap();
    assert_eq!(second.license_arn, first.license_arn);
    aws.simulator.cancel(&second.agreement_id).unwrap();
    aws.set("2026-12-02T00:00:00Z");
    assert_eq!(aws.told(), [ENDED, DEPROVISIONED]);
}

#[tokio::test]
async fn a_license_that_is_replaced_before_it_is_active_and_kept_becomes_active_when_it_was_to_be()
{
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| it.license_on_replace = LicenseOnReplace::Same);
    let first = aws.simulator.buy(Purchase::default()).unwrap();
    aws.pass("30s");
    let second =
        aws.simulator.replace(&first.agreement_id, std::collections::BTreeMap::default()).unwrap();
    assert_eq!(second.license_arn, first.license_arn);
    aws.pass("30s");
    let record = crate::harness::usage(&second, "2026-11-10T10:01:00Z", 1);
    assert_eq!(aws.meter(&[record]).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn one_account_holds_several_agreements_at_once() {
    let aws = Aws::start(Pricing::Usage).await;
    let one = aws.subscriber(Purchase::default());
    let two = aws.subscriber(Purchase::default());
    assert_ne!(one.license_arn, two.license_arn);
    aws.simulator.cancel(&one.agreement_id).unwrap();
    assert!(aws.simulator.agreements().iter().any(|it| it.id == two.agreement_id));
}

#[tokio::test]
async fn a_future_dated_contract_is_told_when_it_starts_unless_switched() {
    let aws = Aws::start(Pricing::Contract).await;
    let future = Purchase { starts: Some(at("2026-12-01T00:00:00Z")), ..contract() };
    aws.simulator.buy(future.clone()).unwrap();
    assert_eq!(aws.told(), Vec::<String>::new());
    aws.set("2026-12-01T00:01:00Z");
    assert_eq!(aws.told(), [CREATED, UPDATED]);
    aws.simulator.switches(|it| it.future_dated_created = FutureDatedCreated::Sign);
    let starts = Some(at("2026-12-05T00:00:00Z"));
    aws.simulator.buy(Purchase { starts, ..future }).unwrap();
    assert_eq!(aws.told(), [CREATED]);
}

#[tokio::test]
async fn a_contract_cancelled_before_its_start_is_never_told() {
    let aws = Aws::start(Pricing::Contract).await;
    let future = Purchase { starts: Some(at("2026-12-01T00:00:00Z")), ..contract() };
    let bought = aws.simulator.buy(future).unwrap();
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.set("2026-12-02T00:00:00Z");
    assert_eq!(aws.told(), Vec::<String>::new());
}

#[tokio::test]
async fn a_license_that_was_never_updated_cannot_be_metered() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.simulator.buy(Purchase::default()).unwrap();
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.pass("5m");
    let record = crate::harness::usage(&bought, "2026-11-10T10:00:00Z", 1);
    assert_eq!(aws.meter(&[record]).await.statuses(), ["CustomerNotSubscribed"]);
}

#[tokio::test]
async fn advisories_do_not_end_an_agreement() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    aws.take();
    aws.simulator.issue_advisory(&bought.agreement_id).unwrap();
    aws.simulator.resolve_advisory(&bought.agreement_id).unwrap();
    let told = aws.take();
    assert_eq!(kind(&told[0]), "Purchase Agreement Advisory Issued - Manufacturer");
    assert_eq!(told[0].body["detail"]["advisory"]["issuedAt"], "2026-11-10T10:01:00Z");
    assert_eq!(kind(&told[1]), "Purchase Agreement Advisory Resolved - Manufacturer");
}

#[tokio::test]
async fn a_legacy_product_hears_over_its_topics() {
    let aws = Aws::start(Pricing::ContractWithConsumption).await;
    let bought = aws.subscriber(Purchase { legacy: true, ..contract() });
    let told = aws.take();
    assert_eq!(
        told.iter().map(kind).collect::<Vec<_>>(),
        ["subscribe-success", "entitlement-updated"]
    );
    assert_eq!(told[0].channel, Channel::SubscriptionTopic);
    assert_eq!(told[1].channel, Channel::EntitlementTopic);
    let expected = json!({
        "action": "subscribe-success", "customer-identifier": bought.customer_identifier,
        "product-code": CODE, "offer-identifier": bought.offer_id,
        "isFreeTrialTermPresent": "false",
    });
    assert_eq!(message(&told[0]), expected);
    assert_eq!(told[0].body["Type"], "Notification");
    assert_eq!(told[0].body["Timestamp"], "2026-11-10T10:01:00.000Z");
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    assert_eq!(aws.told(), ["unsubscribe-pending"]);
    aws.pass("1h");
    assert_eq!(aws.told(), ["entitlement-updated", "unsubscribe-success"]);
}

#[tokio::test]
async fn a_legacy_buyer_who_returns_in_time_is_never_unsubscribed() {
    let aws = Aws::start(Pricing::Usage).await;
    let legacy = Purchase { legacy: true, ..Purchase::default() };
    let first = aws.subscriber(legacy.clone());
    aws.simulator.cancel(&first.agreement_id).unwrap();
    aws.pass("30m");
    let second = aws.subscriber(legacy);
    assert_eq!(second.customer_identifier, first.customer_identifier);
    aws.pass("5h");
    assert_eq!(aws.told(), ["subscribe-success", "unsubscribe-pending", "subscribe-success"]);
}

#[tokio::test]
async fn a_legacy_payment_that_fails_is_told() {
    let aws = Aws::start(Pricing::Usage).await;
    let legacy = Purchase { legacy: true, ..Purchase::default() };
    aws.simulator.switches(|it| it.set("sns_account_id", "present").unwrap());
    aws.simulator.buy(Purchase { fails: true, ..legacy.clone() }).unwrap();
    aws.pass("60s");
    let told = aws.take();
    assert_eq!(message(&told[0])["action"], "subscribe-fail");
    assert_eq!(message(&told[0])["customer-aws-account-id"], BUYER);
    let late = aws.simulator.buy(legacy).unwrap();
    aws.simulator.fail_subscription(&late.agreement_id).unwrap();
    aws.pass("2h");
    assert_eq!(aws.told(), ["subscribe-fail"]);
}

#[tokio::test]
async fn legacy_messages_follow_the_switches() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| {
        it.legacy_events = LegacyEvents::Both;
        it.sns_payload_quirks = OnOff::On;
        it.sns_raw_delivery = OnOff::On;
        it.sns_account_id = SnsAccountId::Absent;
    });
    aws.subscriber(Purchase { legacy: true, ..Purchase::default() });
    let told = aws.take();
    assert_eq!(told.len(), 3);
    let raw = &told.iter().find(|it| it.channel == Channel::SubscriptionTopic).unwrap().body;
    assert_eq!(raw["action"], "subscribe-success");
    assert!(raw["customer-identifier"].as_str().unwrap().starts_with(' '));
}

#[tokio::test]
async fn a_spend_threshold_and_silence_about_free_products_are_switches() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.switches(|it| it.spend_threshold = OnOff::On);
    let bought = aws.subscriber(Purchase::default());
    aws.take();
    let hours = ["2026-11-10T10:00:00Z", "2026-11-10T10:01:00Z"];
    for hour in hours {
        aws.meter(&[crate::harness::usage(&bought, hour, 1)]).await;
    }
    assert_eq!(aws.told(), ["Spend Threshold Reached"]);
    aws.simulator.switches(|it| {
        it.free_products = vec![CODE.into()];
        it.set("free_product_license_events", "off").unwrap();
    });
    aws.subscriber(Purchase::default());
    assert_eq!(aws.told(), [CREATED]);
}

#[tokio::test]
async fn the_marketplace_refuses_impossible_purchases() {
    let aws = Aws::start(Pricing::Contract).await;
    let refused = [
        Purchase { account: "1".into(), ..contract() },
        Purchase { account: "444455556666".into(), ..contract() },
        Purchase { product_code: Some("none".into()), ..contract() },
        Purchase { entitlements: seats(0), ..contract() },
        Purchase { entitlements: [("gold".to_owned(), 1.into())].into(), ..contract() },
        Purchase::default(),
        Purchase { free_trial: Some(6), ..contract() },
        Purchase { starts: Some(at("2026-11-09T00:00:00Z")), ..contract() },
        Purchase { ends: Some(at("2026-11-10T10:00:00Z")), ..contract() },
    ];
    for purchase in refused {
        assert!(aws.simulator.buy(purchase.clone()).is_err(), "{purchase:?}");
    }
    aws.simulator.buy(Purchase { free_trial: Some(7), ..contract() }).unwrap();
    assert!(aws.simulator.buy(Purchase { free_trial: Some(7), ..contract() }).is_err());
    assert_eq!(aws.simulator.agreements().len(), 1);
}
