//! The Agreement service (F§5).

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use simulator::switches::{CppoVisibility, OnOff};
use simulator::{Bought, Pricing, Purchase};

use crate::harness::{Answer, Aws, BUYER, START, at, epoch, member, options, seats};

type Filters<'a> = &'a [(&'a str, &'a str)];

const SELLER: &str = "444455556666";

async fn describe(aws: &Aws, bought: &Bought) -> Answer {
    aws.call("DescribeAgreement", json!({ "agreementId": bought.agreement_id })).await
}

async fn search(aws: &Aws, filters: &[(&str, &str)], more: Value) -> Answer {
    let mut all = vec![("PartyType", "Proposer"), ("AgreementType", "PurchaseAgreement")];
    all.extend(filters);
    let filters: Vec<Value> =
        all.iter().map(|(name, value)| json!({ "name": name, "values": [value] })).collect();
    let mut body = json!({ "catalog": "AWSMarketplace", "filters": filters });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    aws.call("SearchAgreements", body).await
}

fn ids(answer: &Answer) -> Vec<&str> {
    let found = answer.body["agreementViewSummaries"].as_array();
    let found = found.unwrap_or_else(|| panic!("{answer:?}"));
    found.iter().map(|it| it["agreementId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_pay_as_you_go_agreement_is_described_without_an_end() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let answer = describe(&aws, &bought).await;
    let expected = json!({
        "agreementId": bought.agreement_id, "initialAgreementId": bought.agreement_id,
        "acceptor": { "accountId": BUYER }, "proposer": { "accountId": SELLER },
        "startTime": epoch(START), "acceptanceTime": epoch(START),
        "agreementType": "PurchaseAgreement", "status": "ACTIVE",
        "estimatedCharges": { "currencyCode": "USD", "agreementValue": "0" },
        "proposalSummary": {
            "resources": [{ "id": "prod-abcdefghijklm", "type": "SaaSProduct" }],
            "offerId": bought.offer_id,
        },
    });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn a_contract_is_described_with_its_end_and_what_happens_then() {
    let aws = Aws::start(Pricing::Contract).await;
    let bought = aws.subscriber(Purchase {
        entitlements: seats(3),
        auto_renew: true,
        ..Purchase::default()
    });
    let answer = describe(&aws, &bought).await.body;
    assert_eq!(answer["endTime"], json!(epoch("2027-11-10T10:00:00Z")));
    assert_eq!(answer["endTimeBehavior"]["type"], "RENEW");
    assert_eq!(answer["endTimeBehavior"]["renewalSummary"]["offerId"], json!(bought.offer_id));
    aws.simulator.set_auto_renew(&bought.agreement_id, false).unwrap();
    let expected = json!({ "type": "EXPIRE", "reasonCode": "ACCEPTOR_RENEW_OPTED_OUT" });
    assert_eq!(describe(&aws, &bought).await.body["endTimeBehavior"], expected);
}

#[tokio::test]
async fn a_trial_shows_until_it_turns_paid() {
    let aws = Aws::start(Pricing::Usage).await;
    let trial = Purchase { free_trial: Some(7), ..Purchase::default() };
    let bought = aws.simulator.buy(trial).unwrap();
    let summary = json!({ "trialEndTime": epoch("2026-11-17T10:00:00Z") });
    assert_eq!(describe(&aws, &bought).await.body["freeTrialSummary"], summary);
    aws.set("2026-11-17T10:00:00Z");
    assert_eq!(describe(&aws, &bought).await.body.get("freeTrialSummary"), None);
}

#[tokio::test]
async fn cbor_describes_the_same_with_tagged_times() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let service = "AWSMPCommerceService_v20200301";
    let body = json!({ "agreementId": bought.agreement_id });
    let (status, answer) = aws.cbor(service, "DescribeAgreement", &body).await;
    assert_eq!(status, 200);
    let expected = Cbor::Tag(1, Box::new(Cbor::Float(1_794_304_800.0)));
    assert_eq!(member(&answer, "startTime"), &expected);
    assert_eq!(member(&answer, "status").as_text(), Some("ACTIVE"));
    let body = json!({ "agreementId": "agmt-none" });
    let (status, error) = aws.cbor(service, "DescribeAgreement", &body).await;
    assert_eq!(status, 404);
    let name = member(&error, "__type").as_text().unwrap();
    assert_eq!(name, "com.amazonaws.marketplaceagreement#ResourceNotFoundException");
    let filters = json!([
        { "name": "PartyType", "values": ["Proposer"] },
        { "name": "AgreementType", "values": ["PurchaseAgreement"] },
    ]);
    let (_, found) = aws.cbor(service, "SearchAgreements", &json!({ "filters": filters })).await;
    assert_eq!(member(&found, "agreementViewSummaries").as_array().unwrap().len(), 1);
    for operation in ["GetAgreementTerms", "GetAgreementEntitlements"] {
        let body = json!({ "agreementId": bought.agreement_id });
        assert_eq!(aws.cbor(service, operation, &body).await.0, 200, "{operation}");
    }
    let body = json!({ "agreementId": bought.agreement_id, "reasonCode": "OTHER" });
    let (status, sent) = aws.cbor(service, "SendAgreementCancellationRequest", &body).await;
    assert_eq!((status, member(&sent, "status").as_text()), (200, Some("PENDING_APPROVAL")));
}

#[tokio::test]
async fn a_search_finds_by_any_combination_of_filters() {
    let aws = Aws::start(Pricing::Usage).await;
    let old = aws.subscriber(Purchase::default());
    aws.set("2026-11-11T10:00:00Z");
    let other = Purchase { account: "222222222222".into(), ..Purchase::default() };
    let new = aws.simulator.buy(other).unwrap();
    aws.simulator.cancel(&old.agreement_id).unwrap();
    let (old_id, new_id) = (old.agreement_id.as_str(), new.agreement_id.as_str());
    let cases: [(Filters<'_>, Vec<&str>); 8] = [
        (&[("Status", "ACTIVE")], vec![new_id]),
        (&[("Status", "CANCELLED")], vec![old_id]),
        (&[("AcceptorAccountId", BUYER)], vec![old_id]),
        (&[("LicenseArn", &new.license_arn)], vec![new_id]),
        (&[("OfferId", &new.offer_id), ("Status", "CANCELLED")], vec![]),
        (&[("BeforeStartTime", "2026-11-11T00:00:00Z")], vec![old_id]),
        (&[("InitialAgreementId", old_id)], vec![old_id]),
        (&[("ResourceIdentifier", "prod-other")], vec![]),
    ];
    for (filters, expected) in cases {
        assert_eq!(ids(&search(&aws, filters, json!({})).await), expected, "{filters:?}");
    }
    let after = [("AfterLastUpdateTime", "2026-11-11T09:59:59Z")];
    assert_eq!(ids(&search(&aws, &after, json!({})).await).len(), 2);
    for (order, expected) in [(None, [old_id, new_id]), (Some("DESCENDING"), [new_id, old_id])] {
        let sort = json!({ "sort": { "sortBy": "StartTime", "sortOrder": order } });
        assert_eq!(ids(&search(&aws, &[], sort).await), expected);
    }
    for bad in [("Colour", "red"), ("BeforeEndTime", "soon"), ("PartyType", "Guest")] {
        let refused = search(&aws, &[bad], json!({})).await;
        assert_eq!((refused.status, refused.error()), (400, "ValidationException"), "{bad:?}");
    }
    let without = aws.call("SearchAgreements", json!({ "filters": [] })).await;
    assert_eq!(without.error(), "ValidationException");
}

#[tokio::test]
async fn a_search_goes_page_by_page() {
    let aws = Aws::start(Pricing::Usage).await;
    for account in 0..7 {
        let account = format!("10000000000{account}");
        aws.simulator.buy(Purchase { account, ..Purchase::default() }).unwrap();
    }
    for (empty_pages, expected) in
        [(OnOff::Off, vec![3, 3, 1]), (OnOff::On, vec![0, 3, 0, 3, 0, 1])]
    {
        aws.simulator.switches(|it| it.empty_pages = empty_pages);
        let (mut sizes, mut next) = (Vec::new(), Value::Null);
        loop {
            let page = search(&aws, &[], json!({ "maxResults": 3, "nextToken": next })).await;
            sizes.push(ids(&page).len());
            next = page.body.get("nextToken").cloned().unwrap_or_default();
            if next.is_null() {
                break;
            }
        }
        assert_eq!(sizes, expected);
    }
}

#[tokio::test]
async fn an_agreement_that_changes_between_two_pages_hides_no_other() {
    let aws = Aws::start(Pricing::Usage).await;
    for account in 0..4 {
        let account = format!("10000000000{account}");
        aws.subscriber(Purchase { account, ..Purchase::default() });
    }
    let sort = json!({ "sortBy": "LastUpdateTime" });
    let first = search(&aws, &[], json!({ "maxResults": 2, "sort": sort })).await;
    aws.simulator.issue_advisory(ids(&first)[0]).unwrap();
    let next = first.body["nextToken"].clone();
    let rest = search(&aws, &[], json!({ "sort": sort, "nextToken": next })).await;
    assert_eq!(ids(&rest).len(), 3);
    assert_eq!(ids(&rest)[2], ids(&first)[0]);
}

#[tokio::test]
async fn a_resellers_agreement_is_hidden_as_switched() {
    let aws = Aws::start(Pricing::Usage).await;
    let reseller = Some("777766665555".to_owned());
    let bought = aws.subscriber(Purchase { reseller, ..Purchase::default() });
    let expected = [
        (CppoVisibility::Denied, 403, 0),
        (CppoVisibility::Describe, 200, 0),
        (CppoVisibility::Full, 200, 1),
    ];
    for (visibility, status, found) in expected {
        aws.simulator.switches(|it| it.cppo_visibility = visibility);
        assert_eq!(describe(&aws, &bought).await.status, status, "{visibility:?}");
        assert_eq!(ids(&search(&aws, &[], json!({})).await).len(), found, "{visibility:?}");
    }
}

#[tokio::test]
async fn a_stranger_is_denied_and_an_acceptor_sees_its_own() {
    let mut options = options(Pricing::Usage);
    options.accounts.insert("AKIDBUYER".into(), BUYER.into());
    options.accounts.insert("AKIDOTHER".into(), "999988887777".into());
    let aws = Aws::with(options).await;
    let bought = aws.subscriber(Purchase::default());
    let body = json!({ "agreementId": bought.agreement_id });
    let call = |key| aws.signed("DescribeAgreement", body.clone(), key, "us-east-1");
    assert_eq!(call("AKIDBUYER").await.status, 200);
    assert_eq!(call("AKIDOTHER").await.error(), "AccessDeniedException");
}

#[tokio::test]
async fn terms_tell_of_validity_prices_renewal_and_trial() {
    let aws = Aws::start(Pricing::ContractWithConsumption).await;
    let bought = aws.subscriber(Purchase {
        entitlements: seats(4),
        free_trial: Some(30),
        ..Purchase::default()
    });
    let body = json!({ "agreementId": bought.agreement_id });
    let terms = aws.call("GetAgreementTerms", body).await.body["acceptedTerms"].clone();
    let names: Vec<&String> = terms
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_object().unwrap().keys().next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "validityTerm",
            "usageBasedPricingTerm",
            "configurableUpfrontPricingTerm",
            "freeTrialPricingTerm",
            "renewalTerm"
        ]
    );
    assert_eq!(terms[3]["freeTrialPricingTerm"]["duration"], "P30D");
}

#[tokio::test]
async fn an_entitlement_is_pending_then_provisioned_then_gone() {
    let aws = Aws::start(Pricing::Contract).await;
    let status = async |bought: &Bought| {
        let body = json!({ "agreementId": bought.agreement_id });
        let answer = aws.call("GetAgreementEntitlements", body).await.body;
        let it = &answer["agreementEntitlements"][0];
        format!("{} {}", it["status"].as_str().unwrap(), it["statusReasonCode"].as_str().unwrap())
    };
    let contract = Purchase { entitlements: seats(1), ..Purchase::default() };
    let future = Purchase { starts: Some(at("2026-12-01T00:00:00Z")), ..contract.clone() };
    let future = aws.simulator.buy(future).unwrap();
    assert_eq!(status(&future).await, "SCHEDULED FUTURE_START_DATE");
    let failed = aws.simulator.buy(Purchase { fails: true, ..contract.clone() }).unwrap();
    assert_eq!(status(&failed).await, "FAILED INVALID_PAYMENT_INSTRUMENT");
    let bought = aws.simulator.buy(contract).unwrap();
    assert_eq!(status(&bought).await, "PENDING PROVISIONING_IN_PROGRESS");
    aws.pass("60s");
    assert_eq!(status(&bought).await, "PROVISIONED AGREEMENT_ACTIVE");
    aws.simulator.expire(&bought.agreement_id).unwrap();
    assert_eq!(status(&bought).await, "DEPROVISIONED AGREEMENT_INACTIVE");
}

#[tokio::test]
async fn a_cancellation_request_is_approved_by_silence_after_a_week() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    aws.take();
    let body = json!({ "agreementId": bought.agreement_id, "reasonCode": "TEST_AGREEMENT" });
    let sent = aws.call("SendAgreementCancellationRequest", body.clone()).await;
    assert_eq!(sent.body["status"], "PENDING_APPROVAL");
    assert!(sent.body["agreementCancellationRequestId"].as_str().unwrap().starts_with("acr-"));
    let again = aws.call("SendAgreementCancellationRequest", body).await;
    assert_eq!((again.status, again.error()), (409, "ConflictException"));
    aws.pass("168h");
    assert_eq!(describe(&aws, &bought).await.body["status"], "CANCELLED");
    assert_eq!(
        aws.told(),
        [
            "Agreement Cancellation Request Pending Approval - Proposer",
            "Agreement Cancellation Request Approved - Proposer",
            "Purchase Agreement Ended - Proposer",
        ]
    );
    let bad = json!({ "agreementId": bought.agreement_id, "reasonCode": "BORED" });
    let bad = aws.call("SendAgreementCancellationRequest", bad).await;
    assert_eq!(bad.error(), "ValidationException");
}

#[tokio::test]
async fn a_rejected_cancellation_request_changes_nothing() {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let body = json!({ "agreementId": bought.agreement_id, "reasonCode": "OTHER" });
    aws.call("SendAgreementCancellationRequest", body).await;
    aws.simulator.reject_cancellation(&bought.agreement_id).unwrap();
    aws.pass("400h");
    assert_eq!(describe(&aws, &bought).await.body["status"], "ACTIVE");
}
