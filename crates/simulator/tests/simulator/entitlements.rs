//! `GetEntitlements` (F§4).

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use serde_json::{Value, json};
use simulator::switches::{EntitlementValueType, EntitlementVisible, OnOff};
use simulator::{Pricing, Purchase};

use crate::harness::{Answer, Aws, BUYER, CODE, epoch, member, options, seats};

fn contract(account: &str) -> Purchase {
    Purchase { account: account.into(), entitlements: seats(10), ..Purchase::default() }
}

async fn get(aws: &Aws, members: Value) -> Answer {
    let mut body = json!({ "ProductCode": CODE });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    aws.call("GetEntitlements", body).await
}

fn list(answer: &Answer) -> &Vec<Value> {
    answer.body["Entitlements"].as_array().unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn an_entitlement_shows_with_license_updated_and_goes_with_the_contract() {
    let aws = Aws::start(Pricing::Contract).await;
    let bought = aws.simulator.buy(contract(BUYER)).unwrap();
    assert_eq!(list(&get(&aws, json!({})).await).len(), 0);
    aws.simulator.switches(|it| it.entitlement_visible = EntitlementVisible::AtAgreement);
    assert_eq!(list(&get(&aws, json!({})).await).len(), 1);
    aws.simulator.switches(|it| it.entitlement_visible = EntitlementVisible::WithLicenseUpdated);
    aws.pass("60s");
    let shown = get(&aws, json!({})).await;
    let expected = json!({
        "ProductCode": CODE, "Dimension": "seats", "CustomerAWSAccountId": BUYER,
        "Value": { "IntegerValue": 10 }, "ExpirationDate": epoch("2027-11-10T10:00:00Z"),
        "LicenseArn": bought.license_arn,
    });
    assert_eq!(list(&shown), &vec![expected]);
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    assert_eq!(list(&get(&aws, json!({})).await).len(), 0);
}

#[tokio::test]
async fn filters_are_or_inside_a_key_and_and_across_keys() {
    let aws = Aws::start(Pricing::Contract).await;
    let mut both = seats(1);
    both.insert("projects".into(), 2.into());
    let one = aws.subscriber(Purchase { entitlements: both, ..contract("111111111111") });
    aws.subscriber(contract("222222222222"));
    let count = async |filter: Value| list(&get(&aws, json!({ "Filter": filter })).await).len();
    assert_eq!(count(json!({})).await, 3);
    assert_eq!(count(json!({ "LICENSE_ARN": [one.license_arn] })).await, 2);
    assert_eq!(count(json!({ "DIMENSION": ["seats"] })).await, 2);
    let accounts = json!(["111111111111", "222222222222"]);
    assert_eq!(count(json!({ "CUSTOMER_AWS_ACCOUNT_ID": accounts })).await, 3);
    let across = json!({ "DIMENSION": ["projects"], "CUSTOMER_AWS_ACCOUNT_ID": ["222222222222"] });
    assert_eq!(count(across).await, 0);
    for bad in [
        json!({ "COLOUR": ["red"] }),
        json!({ "DIMENSION": [] }),
        json!({ "CUSTOMER_IDENTIFIER": ["a"], "CUSTOMER_AWS_ACCOUNT_ID": ["b"] }),
    ] {
        assert_eq!(get(&aws, json!({ "Filter": bad })).await.error(), "InvalidParameterException");
    }
}

#[tokio::test]
async fn pages_hold_twenty_five_at_most_and_may_be_empty() {
    let aws = Aws::start(Pricing::Contract).await;
    for account in 0..30 {
        aws.simulator.buy(contract(&format!("1000000000{account:02}"))).unwrap();
    }
    aws.pass("60s");
    for (empty_pages, size, expected) in [
        (OnOff::Off, None, vec![25, 5]),
        (OnOff::Off, Some(15), vec![15, 15]),
        (OnOff::On, None, vec![0, 25, 0, 5]),
    ] {
        aws.simulator.switches(|it| it.empty_pages = empty_pages);
        let (mut sizes, mut next) = (Vec::new(), Value::Null);
        loop {
            let page = get(&aws, json!({ "NextToken": next, "MaxResults": size })).await;
            sizes.push(list(&page).len());
            next = page.body.get("NextToken").cloned().unwrap_or_default();
            if next.is_null() {
                break;
            }
        }
        assert_eq!(sizes, expected);
    }
    assert_eq!(get(&aws, json!({ "MaxResults": 26 })).await.error(), "InvalidParameterException");
    assert_eq!(get(&aws, json!({ "NextToken": "?" })).await.error(), "InvalidParameterException");
}

#[tokio::test]
async fn a_value_has_the_type_of_its_dimension() {
    let mut options = options(Pricing::Contract);
    let dimensions = &mut options.product.dimensions;
    dimensions.get_mut("projects").unwrap().value_type = Some(EntitlementValueType::String);
    options.switches.entitlement_value_type =
        BTreeMap::from([("seats".into(), EntitlementValueType::Double)]);
    let aws = Aws::with(options).await;
    let mut entitlements = BTreeMap::from([("seats".to_owned(), "2.5".parse().unwrap())]);
    entitlements.insert("projects".into(), 3.into());
    aws.subscriber(Purchase { entitlements, ..Purchase::default() });
    let shown = get(&aws, json!({})).await;
    let values: Vec<&Value> = list(&shown).iter().map(|it| &it["Value"]).collect();
    assert_eq!(values, [&json!({ "StringValue": "3" }), &json!({ "DoubleValue": 2.5 })]);
}

#[tokio::test]
async fn cbor_tells_the_same_with_tagged_times() {
    let aws = Aws::start(Pricing::Contract).await;
    let bought = aws.subscriber(contract(BUYER));
    let body = json!({ "ProductCode": CODE, "Filter": { "LICENSE_ARN": [bought.license_arn] } });
    let (status, answer) = aws.cbor("AWSMPEntitlementService", "GetEntitlements", &body).await;
    assert_eq!(status, 200);
    let entitlement = &member(&answer, "Entitlements").as_array().unwrap()[0];
    assert_eq!(member(entitlement, "LicenseArn").as_text(), Some(bought.license_arn.as_str()));
    let expected = Cbor::Tag(1, Box::new(Cbor::Float(1_825_840_800.0)));
    assert_eq!(member(entitlement, "ExpirationDate"), &expected);
    let (status, error) = aws.cbor("AWSMPEntitlementService", "GetEntitlements", &json!({})).await;
    assert_eq!(status, 400);
    let name = member(&error, "__type").as_text().unwrap();
    assert_eq!(name, "com.amazonaws.marketplaceentitlementservice#InvalidParameterException");
}

#[tokio::test]
async fn pay_as_you_go_has_no_entitlements_and_others_products_are_refused() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.subscriber(Purchase::default());
    assert_eq!(list(&get(&aws, json!({})).await).len(), 0);
    let wrong = get(&aws, json!({ "ProductCode": "prod-abcdefghijklm" })).await;
    assert_eq!((wrong.status, wrong.error()), (400, "InvalidParameterException"));
}

#[tokio::test]
async fn entitlements_exist_in_one_region_only() {
    let aws = Aws::start(Pricing::Contract).await;
    let body = json!({ "ProductCode": CODE });
    let refused = aws.signed("GetEntitlements", body, "AKID", "eu-central-1").await;
    assert_eq!((refused.status, refused.error()), (403, "InvalidSignatureException"));
}
