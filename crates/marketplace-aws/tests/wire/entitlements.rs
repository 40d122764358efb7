//! GetEntitlements: fact sheet §4.

use std::collections::BTreeMap;

use app::Error;
use app::ports::EntitlementService;
use domain::entitlement::EntitledValue;
use domain::ids::LicenseRef;
use domain::quantity::Quantity;
use jiff::Timestamp;
use marketplace_aws::Entitlements;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, LICENSE, Line, PRODUCT, cbor, refusal};

type Answer = Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error>;

fn license() -> LicenseRef {
    LicenseRef::License { arn: LICENSE.parse().unwrap() }
}

fn entitlement(dimension: &str, value: &Value) -> Value {
    json!({
        "ProductCode": PRODUCT, "Dimension": dimension, "CustomerAWSAccountId": ACCOUNT,
        "Value": value, "ExpirationDate": "2027-11-24T00:00:00Z", "LicenseArn": LICENSE,
    })
}

fn page(entitlements: &[Value], next: Option<&str>) -> (u16, ciborium::Value) {
    let page = match next {
        Some(next) => json!({ "Entitlements": entitlements, "NextToken": next }),
        None => json!({ "Entitlements": entitlements }),
    };
    (200, cbor(&page))
}

async fn ask(line: &Line, license: &LicenseRef) -> Answer {
    let entitlements = Entitlements::connect(&line.config);
    entitlements.entitlements(&PRODUCT.parse().unwrap(), license).await
}

async fn value(value: Value) -> Result<EntitledValue, Error> {
    let line = Line::answering_in_cbor([page(&[entitlement("seats", &value)], None)]);
    Ok(ask(&line, &license()).await?.0.remove("seats").unwrap())
}

fn amount(text: &str) -> EntitledValue {
    EntitledValue::Amount(text.parse::<Quantity>().unwrap())
}

#[tokio::test]
async fn a_license_is_asked_for_in_us_east_1_whatever_the_region() {
    let line = Line::answering_in_cbor([page(&[], None)]);
    assert_eq!(ask(&line, &license()).await.unwrap(), (BTreeMap::new(), None));
    assert_eq!(line.host(), "entitlement.marketplace.us-east-1.amazonaws.com");
    assert_eq!(line.path(), "service/AWSMPEntitlementService/operation/GetEntitlements");
    assert_eq!(
        line.cbor_bodies(),
        [json!({
            "ProductCode": PRODUCT, "Filter": { "LICENSE_ARN": [LICENSE] }, "MaxResults": 25,
        })]
    );
}

#[tokio::test]
async fn an_older_customer_is_asked_for_by_its_identifier() {
    let customer = LicenseRef::Legacy {
        product: PRODUCT.parse().unwrap(),
        customer: "X01EXAMPLEX".parse().unwrap(),
    };
    let mut seats = entitlement("seats", &json!({ "IntegerValue": 10 }));
    seats.as_object_mut().unwrap().remove("LicenseArn");
    let line = Line::answering_in_cbor([page(&[seats], None)]);
    let (values, _) = ask(&line, &customer).await.unwrap();
    assert_eq!(values.get("seats"), Some(&amount("10")));
    let filter = &line.cbor_bodies()[0]["Filter"];
    assert_eq!(*filter, json!({ "CUSTOMER_IDENTIFIER": ["X01EXAMPLEX"] }));
}

#[tokio::test]
async fn every_type_of_value_keeps_its_meaning_and_its_exact_amount() {
    assert_eq!(value(json!({ "IntegerValue": 10 })).await.unwrap(), amount("10"));
    for (double, text) in [(0.1, "0.1"), (10.0, "10"), (2.675, "2.675"), (1e9, "1000000000")] {
        assert_eq!(
            value(json!({ "DoubleValue": double })).await.unwrap(),
            amount(text),
            "{double}"
        );
    }
    let on = value(json!({ "BooleanValue": true })).await.unwrap();
    assert_eq!(on, EntitledValue::Flag(true));
    let text = value(json!({ "StringValue": "10" })).await.unwrap();
    assert_eq!(text, EntitledValue::Text("10".to_owned()));
}

#[tokio::test]
async fn a_value_that_is_no_amount_is_an_error_and_not_nothing() {
    for double in [-1.0, 1e300] {
        let error = value(json!({ "DoubleValue": double })).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{double}: {error:?}");
    }
}

#[tokio::test]
async fn pages_are_followed_through_empty_ones_and_the_earliest_date_counts() {
    let mut projects = entitlement("projects", &json!({ "IntegerValue": 3 }));
    projects["ExpirationDate"] = json!("2027-01-31T00:00:00Z");
    let line = Line::answering_in_cbor([
        page(&[], Some("one")),
        page(&[entitlement("seats", &json!({ "IntegerValue": 10 }))], Some("two")),
        page(&[], Some("three")),
        page(&[projects], None),
    ]);
    let (values, earliest) = ask(&line, &license()).await.unwrap();
    assert_eq!(values.keys().collect::<Vec<_>>(), ["projects", "seats"]);
    assert_eq!(earliest, Some("2027-01-31T00:00:00Z".parse().unwrap()));
    let tokens: Vec<Value> =
        line.cbor_bodies().iter().map(|body| body["NextToken"].clone()).collect();
    assert_eq!(tokens, [Value::Null, json!("one"), json!("two"), json!("three")]);
}

#[tokio::test]
async fn pages_without_end_are_an_error() {
    let line = Line::answering_in_cbor((0..200).map(|_| page(&[], Some("again"))));
    let error = ask(&line, &license()).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert_eq!(line.calls(), 100);
}

#[tokio::test]
async fn a_license_known_in_part_is_found_among_all() {
    let (_, tail) = LICENSE.rsplit_once(':').unwrap();
    let part = format!("aws:license-manager:us-east-1:444455556666:{tail}");
    let part = LicenseRef::License { arn: part.parse().unwrap() };
    let mut other = entitlement("seats", &json!({ "IntegerValue": 99 }));
    other["LicenseArn"] = json!(LICENSE.replace("cdef", "0000"));
    other["ExpirationDate"] = json!("2026-12-01T00:00:00Z");
    let own = entitlement("seats", &json!({ "IntegerValue": 10 }));
    let line = Line::answering_in_cbor([page(&[own, other], None)]);
    let (values, earliest) = ask(&line, &part).await.unwrap();
    assert_eq!(values.get("seats"), Some(&amount("10")));
    assert_eq!(earliest, Some("2027-11-24T00:00:00Z".parse().unwrap()));
    assert_eq!(line.cbor_bodies()[0].get("Filter"), None);
}

#[tokio::test(start_paused = true)]
async fn no_failure_is_ever_an_empty_answer() {
    for (status, code, transient) in [
        (400, "ThrottlingException", true),
        (500, "InternalServiceErrorException", true),
        (400, "InvalidParameterException", false),
        (403, "AccessDeniedException", false),
    ] {
        let answer = cbor(&refusal(code, "no"));
        let line = Line::answering_in_cbor((0..9).map(|_| (status, answer.clone())));
        let error = ask(&line, &license()).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{code}: {error:?}");
    }
}
