//! Samples are the fact sheet's: §6.3, §6.4, §7.2, §7.4.

use domain::notice::{
    AgreementChange, Channel, EndStatus, Intent, LegacyChange, LicenseChange, NoticeBody,
};
use serde_json::json;

use super::*;

const TAIL: &str = "l-0123456789abcdef0123456789abcdef";

fn event(detail_type: &str, detail: &Value) -> Value {
    json!({
        "version": "0", "id": "envelope-1", "detail-type": detail_type,
        "source": "aws.agreement-marketplace", "account": "444455556666",
        "time": "2026-08-30T21:36:03Z", "region": "us-east-1",
        "resources": ["arn:aws:aws-marketplace::aws:agreement:agmt-abcd1234efgh5678ijkl9012m"],
        "detail": detail,
    })
}

fn created() -> Value {
    json!({
        "requestId": "request-1", "catalog": "AWSMarketplace",
        "agreement": {
            "id": "agmt-abcd1234efgh5678ijkl9012m", "intent": "NEW", "status": "ACTIVE",
            "acceptanceTime": "2026-06-26T21:36:03Z", "startTime": "2026-08-30T21:36:03Z",
            "endTime": "2027-05-30T21:36:03Z",
        },
        "resaleAuthorization": { "id": null },
        "acceptor": { "accountId": "111122223333" }, "proposer": { "accountId": "444455556666" },
        "offer": { "id": "offer-abcdefghijklm" },
    })
}

fn licensed() -> Value {
    json!({
        "requestId": "request-1", "catalog": "AWSMarketplace",
        "agreement": { "id": "agmt-abcd1234efgh5678ijkl9012m" },
        "product": { "code": "abcd1234efgh5678ijkl9012m", "id": "prod-abcdefghijklm" },
        "license": { "arn": format!("arn:aws:license-manager::294406891311:license:{TAIL}") },
        "acceptor": { "accountId": "111122223333" }, "proposer": { "accountId": "444455556666" },
        "offer": { "id": "offer-abcdefghijklm" },
    })
}

fn read(event: &Value) -> Result<Notice, Unreadable> {
    from_event_bridge(event.to_string().as_bytes())
}

/// The sample with a member set or, by null, emptied.
fn with(sample: &Value, path: &str, value: Value) -> Value {
    let mut sample = sample.clone();
    *sample.pointer_mut(path).unwrap() = value;
    sample
}

fn change(detail_type: &str, detail: &Value) -> AgreementChange {
    match read(&event(detail_type, detail)).unwrap().body {
        NoticeBody::Agreement { agreement, account, change } => {
            assert_eq!(agreement.as_str(), "agmt-abcd1234efgh5678ijkl9012m");
            assert_eq!(account, Some("111122223333".parse().unwrap()));
            change
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_agreement_tells_its_offer_and_its_end() {
    let notice = read(&event("Purchase Agreement Created - Proposer", &created())).unwrap();
    assert_eq!(notice.channel, Channel::EventBridge);
    assert_eq!(notice.at, "2026-08-30T21:36:03Z".parse().unwrap());
    for role in ["Proposer", "Manufacturer"] {
        assert_eq!(
            change(&format!("Purchase Agreement Created - {role}"), &created()),
            AgreementChange::Created {
                intent: Intent::New,
                previous: None,
                offer: Some("offer-abcdefghijklm".parse().unwrap()),
                ends: Some("2027-05-30T21:36:03Z".parse().unwrap()),
            }
        );
    }
}

#[test]
fn a_renewal_names_the_agreement_before_it() {
    let mut renewed = with(&created(), "/agreement/intent", json!("RENEW"));
    renewed["agreement"]["previousAgreementId"] = json!("agmt-before");
    renewed["agreement"]["endTime"] = json!("2027-05-30T23:59:59.999Z");
    let AgreementChange::Created { intent, previous, ends, .. } =
        change("Purchase Agreement Created - Proposer", &renewed)
    else {
        panic!("not created");
    };
    assert_eq!((intent, previous), (Intent::Renew, Some("agmt-before".parse().unwrap())));
    assert_eq!(ends, Some("2027-05-30T23:59:59.999Z".parse().unwrap()));
}

#[test]
fn pay_as_you_go_never_ends() {
    for end in ["9999-01-01T00:00:00Z", "9999-12-30T23:59:59.999Z"] {
        let endless = with(&created(), "/agreement/endTime", json!(end));
        let AgreementChange::Created { ends, .. } =
            change("Purchase Agreement Created - Proposer", &endless)
        else {
            panic!("not created");
        };
        assert_eq!(ends, None, "{end}");
    }
}

#[test]
fn an_amendment_tells_whether_it_renews_where_aws_does() {
    let manufacturer = with(&created(), "/agreement/intent", json!("AMEND"));
    let mut proposer = manufacturer.clone();
    proposer["agreement"]["autoRenewalEnabled"] = json!(true);
    let ends = Some("2027-05-30T21:36:03Z".parse().unwrap());
    assert_eq!(
        change("Purchase Agreement Amended - Proposer", &proposer),
        AgreementChange::Amended { auto_renew: Some(true), ends }
    );
    assert_eq!(
        change("Purchase Agreement Amended - Manufacturer", &manufacturer),
        AgreementChange::Amended { auto_renew: None, ends }
    );
}

#[test]
fn an_end_tells_how_and_needs_no_offer() {
    for (status, how) in [
        ("CANCELLED", EndStatus::Cancelled),
        ("EXPIRED", EndStatus::Expired),
        ("TERMINATED", EndStatus::Terminated),
        ("RENEWED", EndStatus::Renewed),
        ("REPLACED", EndStatus::Replaced),
        ("ROLLED_BACK", EndStatus::Other),
    ] {
        let ended = json!({
            "requestId": "request-1", "catalog": "AWSMarketplace",
            "agreement": { "id": "agmt-abcd1234efgh5678ijkl9012m", "status": status },
            "resaleAuthorization": { "id": null },
            "acceptor": { "accountId": "111122223333" },
            "proposer": { "accountId": "444455556666" },
        });
        let change = change("Purchase Agreement Ended - Proposer", &ended);
        assert_eq!(change, AgreementChange::Ended { how });
    }
}

#[test]
fn an_advisory_comes_and_goes() {
    for (news, expected) in [
        ("Issued", AgreementChange::AdvisoryIssued),
        ("Resolved", AgreementChange::AdvisoryResolved),
    ] {
        let kind = format!("Purchase Agreement Advisory {news} - Manufacturer");
        assert_eq!(change(&kind, &created()), expected);
    }
}

#[test]
fn license_events_carry_product_agreement_and_account_in_either_role_and_either_arn_form() {
    let sample_form = format!("aws:license-manager:us-east-1:444455556666:{TAIL}");
    for (kind, expected) in [
        ("License Updated - Manufacturer", LicenseChange::Updated),
        ("License Updated - Proposer", LicenseChange::Updated),
        ("License Deprovisioned - Manufacturer", LicenseChange::Deprovisioned),
    ] {
        for detail in [licensed(), with(&licensed(), "/license/arn", json!(sample_form))] {
            match read(&event(kind, &detail)).unwrap().body {
                NoticeBody::License { license, agreement, product, account, change } => {
                    assert_eq!((license.tail(), change), (TAIL, expected));
                    assert_eq!(agreement.as_str(), "agmt-abcd1234efgh5678ijkl9012m");
                    assert_eq!(product.as_str(), "abcd1234efgh5678ijkl9012m");
                    assert_eq!(account.as_str(), "111122223333");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_copies_of_one_event_are_one_notice_and_nothing_else_is() {
    let id = |event: &Value| read(event).unwrap().id;
    let updated = event("License Updated - Manufacturer", &licensed());
    let copy = with(&updated, "/detail-type", json!("License Updated - Proposer"));
    let copy = with(&copy, "/id", json!("envelope-2"));
    assert_eq!(id(&updated), id(&copy));
    let other_license = format!("arn:aws:license-manager::294406891311:license:{TAIL}0");
    for different in [
        with(&updated, "/detail-type", json!("License Deprovisioned - Manufacturer")),
        with(&updated, "/detail-type", json!("Purchase Agreement Advisory Issued - Manufacturer")),
        with(&updated, "/detail/requestId", json!("request-2")),
        with(&updated, "/detail/license/arn", json!(other_license)),
    ] {
        assert_ne!(id(&updated), id(&different), "{different}");
    }
}

#[test]
fn without_a_request_id_the_envelope_tells_repeats_apart() {
    let first =
        event("License Updated - Manufacturer", &with(&licensed(), "/requestId", json!(null)));
    let second = with(&first, "/id", json!("envelope-2"));
    assert_eq!(read(&first).unwrap().id, read(&first).unwrap().id);
    assert_ne!(read(&first).unwrap().id, read(&second).unwrap().id);
}

#[test]
fn what_nobody_has_heard_of_is_kept_by_its_name() {
    for kind in [
        "Spend Threshold Reached",
        "Purchase Agreement Ending - Proposer",
        "Agreement Cancellation Request Validation Failed - Proposer",
        "Läuft # anders – als gedacht",
    ] {
        let notice = read(&event(kind, &json!({ "anything": true }))).unwrap();
        assert_eq!(notice.body, NoticeBody::Unknown { kind: kind.to_owned() });
    }
}

#[test]
fn a_known_kind_that_lacks_something_names_it_and_nothing_more() {
    let license = event("License Updated - Manufacturer", &licensed());
    let agreement = event("Purchase Agreement Created - Proposer", &created());
    let ended = with(&agreement, "/detail-type", json!("Purchase Agreement Ended - Proposer"));
    for (event, path) in [
        (&license, "/detail/license/arn"),
        (&license, "/detail/product/code"),
        (&license, "/detail/agreement/id"),
        (&license, "/detail/acceptor/accountId"),
        (&agreement, "/detail/agreement/id"),
        (&agreement, "/detail/agreement/intent"),
        (&ended, "/detail/agreement/status"),
        (&license, "/time"),
        (&license, "/source"),
    ] {
        let error = read(&with(event, path, json!(null))).unwrap_err();
        assert_eq!(error, Unreadable::Missing(path));
    }
    let secret = with(&license, "/detail/acceptor/accountId", json!("buyer@example.com"));
    let text = format!("{0} {0:?}", read(&secret).unwrap_err());
    assert!(text.contains("/detail/acceptor/accountId") && !text.contains("buyer"), "{text}");
}

#[test]
fn only_aws_and_a_source_allowed_by_name_are_believed() {
    let foreign =
        with(&event("License Updated - Manufacturer", &licensed()), "/source", json!("our.tests"));
    let bytes = foreign.to_string().into_bytes();
    assert_eq!(from_event_bridge(&bytes), Err(Unreadable::ForeignSource));
    assert_eq!(from_sqs_body(&bytes), Err(Unreadable::ForeignSource));
    let sources = Sources::with_test("our.tests".to_owned());
    assert!(sources.event_bridge(&bytes).is_ok() && sources.sqs_body(&bytes).is_ok());
    let aws = event("License Updated - Manufacturer", &licensed()).to_string();
    assert!(sources.event_bridge(aws.as_bytes()).is_ok());
    let other = with(&foreign, "/source", json!("aws.marketplacecatalog")).to_string();
    assert_eq!(sources.event_bridge(other.as_bytes()), Err(Unreadable::ForeignSource));
}

fn envelope(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "message-1",
        "TopicArn": "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-n0123",
        "Message": message, "Timestamp": "2026-05-02T00:54:06.655Z", "SignatureVersion": "1",
    })
}

fn told(message: &str) -> Result<LegacyChange, Unreadable> {
    let notice = from_sns(envelope(message).to_string().as_bytes())?;
    assert_eq!((notice.channel, notice.id.as_str()), (Channel::Sns, "message-1"));
    assert_eq!(notice.at, "2026-05-02T00:54:06.655Z".parse().unwrap());
    match notice.body {
        NoticeBody::Legacy { product, customer, change } => {
            assert_eq!(product.as_str(), "n0123EXAMPLEXXXXXXXXXXXX");
            assert_eq!(customer.as_str(), "X01EXAMPLEX");
            Ok(change)
        }
        other => panic!("{other:?}"),
    }
}

/// As AWS prints it, with its leading space and its trailing comma.
fn sample(action: &str) -> String {
    format!(
        r#"{{ "action": "{action}", "customer-identifier": " X01EXAMPLEX",
           "product-code": "n0123EXAMPLEXXXXXXXXXXXX", }}"#
    )
}

#[test]
fn every_action_of_the_older_topics_is_read_as_aws_prints_it() {
    for (action, expected) in [
        ("subscribe-success", LegacyChange::Subscribed { offer: None, free_trial: false }),
        ("subscribe-fail", LegacyChange::Failed),
        ("unsubscribe-pending", LegacyChange::Unsubscribing),
        ("unsubscribe-success", LegacyChange::Unsubscribed),
        ("entitlement-updated", LegacyChange::EntitlementUpdated),
    ] {
        assert_eq!(told(&sample(action)), Ok(expected));
    }
}

#[test]
fn the_free_trial_flag_is_a_text() {
    for (flag, free_trial) in
        [(json!("true"), true), (json!("false"), false), (json!(true), true), (json!(null), false)]
    {
        let message = json!({
            "action": "subscribe-success", "customer-identifier": "X01EXAMPLEX",
            "product-code": "n0123EXAMPLEXXXXXXXXXXXX", "offer-identifier": "offer-abcexample123",
            "isFreeTrialTermPresent": flag,
        });
        let offer = Some("offer-abcexample123".parse().unwrap());
        let expected = LegacyChange::Subscribed { offer, free_trial };
        assert_eq!(told(&message.to_string()), Ok(expected));
    }
}

#[test]
fn a_message_may_be_encoded_twice() {
    let twice = json!(sample("unsubscribe-pending")).to_string();
    assert_eq!(told(&twice), Ok(LegacyChange::Unsubscribing));
}

#[test]
fn an_unknown_action_is_kept_by_its_name() {
    let notice = from_sns(envelope(r#"{"action":"new-action"}"#).to_string().as_bytes()).unwrap();
    assert_eq!(notice.body, NoticeBody::Unknown { kind: "new-action".to_owned() });
}

#[test]
fn an_older_message_that_lacks_something_names_it() {
    let no_product = r#"{"action":"unsubscribe-pending","customer-identifier":"X01EXAMPLEX"}"#;
    assert_eq!(told(no_product), Err(Unreadable::Missing("/product-code")));
    let no_customer = r#"{"action":"unsubscribe-pending","product-code":"n0123"}"#;
    assert_eq!(told(no_customer), Err(Unreadable::Missing("/customer-identifier")));
    for message in ["not json", "[]", "\"\\\"\\\"\"", "{}"] {
        let error = told(message).unwrap_err();
        assert!(matches!(error, Unreadable::Missing("/Message" | "/action")), "{message}: {error}");
    }
}

#[test]
fn a_confirmation_is_not_a_notification() {
    let confirmation = with(&envelope("two\nlines"), "/Type", json!("SubscriptionConfirmation"));
    let read = from_sns(confirmation.to_string().as_bytes());
    assert_eq!(read, Err(Unreadable::NotANotification));
}

#[test]
fn a_queue_carries_events_bare_and_messages_in_their_envelope() {
    let event = event("License Updated - Manufacturer", &licensed());
    assert_eq!(from_sqs_body(event.to_string().as_bytes()), read(&event));
    let envelope = envelope(&sample("subscribe-fail")).to_string();
    assert_eq!(from_sqs_body(envelope.as_bytes()), from_sns(envelope.as_bytes()));
    assert!(from_sqs_body(envelope.as_bytes()).is_ok());
    for body in ["", "not json", "[]", "\"text\""] {
        assert_eq!(from_sqs_body(body.as_bytes()), Err(Unreadable::NotJson), "{body}");
    }
}
