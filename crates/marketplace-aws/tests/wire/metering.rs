//! BatchMeterUsage: fact sheet §3.

use std::collections::BTreeMap;

use app::ports::{MeteringService, OutgoingRecord, RecordAnswer, SubmitError};
use domain::ids::LicenseRef;
use domain::metering::{Allocation, Tags};
use marketplace_aws::Metering;
use serde_json::{Value, json};

use crate::harness::{ACCOUNT, LICENSE, Line, PRODUCT};

const HOUR: &str = "2026-11-24T07Z";
const SECONDS: i64 = 1_795_503_600;

fn record(dimension: &str, quantity: u64) -> OutgoingRecord {
    OutgoingRecord {
        license: LicenseRef::License { arn: LICENSE.parse().unwrap() },
        account: Some(ACCOUNT.parse().unwrap()),
        dimension: dimension.parse().unwrap(),
        hour: HOUR.parse().unwrap(),
        quantity,
        allocations: Vec::new(),
    }
}

fn legacy(dimension: &str, quantity: u64) -> OutgoingRecord {
    OutgoingRecord {
        license: LicenseRef::Legacy {
            product: PRODUCT.parse().unwrap(),
            customer: "X01EXAMPLEX".parse().unwrap(),
        },
        ..record(dimension, quantity)
    }
}

fn echo(dimension: &str, quantity: u64, seconds: i64) -> Value {
    json!({
        "Timestamp": seconds, "Dimension": dimension, "Quantity": quantity,
        "CustomerAWSAccountId": ACCOUNT, "LicenseArn": LICENSE,
    })
}

fn result(dimension: &str, quantity: u64, status: &str) -> Value {
    json!({
        "UsageRecord": echo(dimension, quantity, SECONDS), "Status": status,
        "MeteringRecordId": format!("id-of-{dimension}"),
    })
}

fn answer(results: &[Value]) -> (u16, Value) {
    (200, json!({ "Results": results, "UnprocessedRecords": [] }))
}

async fn submit(line: &Line, records: &[OutgoingRecord]) -> Result<Vec<RecordAnswer>, SubmitError> {
    let metering = Metering::connect(&line.config, "eu-west-1");
    metering.submit(&PRODUCT.parse().unwrap(), records).await
}

fn accepted(dimension: &str) -> RecordAnswer {
    RecordAnswer::Accepted(Some(format!("id-of-{dimension}").parse().unwrap()))
}

#[tokio::test]
async fn a_license_goes_out_with_its_account_and_without_product_or_customer() {
    let line = Line::answering([answer(&[result("scans", 17, "Success")])]);
    assert_eq!(submit(&line, &[record("scans", 17)]).await.unwrap(), [accepted("scans")]);
    let sent: Value = serde_json::from_str(&line.body()).unwrap();
    assert_eq!(sent, json!({ "UsageRecords": [echo("scans", 17, SECONDS)] }));
}

#[tokio::test]
async fn an_older_customer_goes_out_under_the_product_and_without_account() {
    let line = Line::answering([answer(&[])]);
    submit(&line, &[legacy("scans", 17)]).await.unwrap();
    let sent: Value = serde_json::from_str(&line.body()).unwrap();
    let record = json!({
        "Timestamp": SECONDS, "Dimension": "scans", "Quantity": 17,
        "CustomerIdentifier": "X01EXAMPLEX",
    });
    assert_eq!(sent, json!({ "ProductCode": PRODUCT, "UsageRecords": [record] }));
}

#[tokio::test]
async fn the_body_is_signed_and_measured_as_it_is_sent_in_the_metering_region() {
    let line = Line::answering([answer(&[])]);
    submit(&line, &[record("scans", 17)]).await.unwrap();
    assert_eq!(line.host(), "metering.marketplace.eu-west-1.amazonaws.com");
    assert_eq!(line.header("x-amz-target"), "AWSMPMeteringService.BatchMeterUsage");
    assert_eq!(line.header("content-length"), line.body().len().to_string());
    assert!(line.header("authorization").contains("/eu-west-1/aws-marketplace/aws4_request"));
}

#[tokio::test]
async fn an_empty_text_inside_a_value_is_left_alone() {
    let line = Line::answering([answer(&[])]);
    let odd = r#""CustomerIdentifier":"","#;
    submit(&line, &[record(odd, 1)]).await.unwrap();
    let sent: Value = serde_json::from_str(&line.body()).unwrap();
    assert_eq!(sent, json!({ "UsageRecords": [echo(odd, 1, SECONDS)] }));
}

#[tokio::test]
async fn results_are_matched_by_key_in_any_order_and_with_the_hour_echoed() {
    let mut other_hour = result("scans", 1, "CustomerNotSubscribed");
    other_hour["UsageRecord"]["Timestamp"] = json!(SECONDS - 1);
    let mut other_license = result("scans", 1, "CustomerNotSubscribed");
    other_license["UsageRecord"]["LicenseArn"] = json!(LICENSE.replace("cdef", "0000"));
    let mut other_account = result("scans", 1, "CustomerNotSubscribed");
    other_account["UsageRecord"]["CustomerAWSAccountId"] = json!("999988887777");
    let mut to_the_minute = result("users", 2, "Success");
    to_the_minute["UsageRecord"]["Timestamp"] = json!(SECONDS + 3599);
    let line = Line::answering([answer(&[
        other_hour,
        other_license,
        other_account,
        to_the_minute,
        result("scans", 1, "Success"),
    ])]);
    let answers = submit(&line, &[record("scans", 1), record("users", 2)]).await.unwrap();
    assert_eq!(answers, [accepted("scans"), accepted("users")]);
}

#[tokio::test]
async fn a_duplicate_is_billed_once_when_aws_echoes_our_quantity_and_never_when_another() {
    let duplicate = |quantity| answer(&[result("scans", quantity, "DuplicateRecord")]);
    let line = Line::answering([duplicate(17), duplicate(18)]);
    let records = [record("scans", 17)];
    assert_eq!(submit(&line, &records).await.unwrap(), [RecordAnswer::AlreadyHeld]);
    assert_eq!(submit(&line, &records).await.unwrap(), [RecordAnswer::HeldDifferently]);
}

#[tokio::test]
async fn what_is_not_said_to_be_billed_is_not() {
    let line = Line::answering([(
        200,
        json!({
            "Results": [
                result("scans", 1, "CustomerNotSubscribed"),
                result("users", 2, "PerhapsOneDay"),
            ],
            "UnprocessedRecords": [echo("findings", 3, SECONDS)],
        }),
    )]);
    let records =
        [record("scans", 1), record("users", 2), record("findings", 3), record("forgotten", 4)];
    assert_eq!(
        submit(&line, &records).await.unwrap(),
        [
            RecordAnswer::NotSubscribed,
            RecordAnswer::Unprocessed,
            RecordAnswer::Unprocessed,
            RecordAnswer::Unprocessed,
        ]
    );
}

#[tokio::test]
async fn batches_that_aws_would_bill_twice_or_refuse_are_not_sent() {
    let line = Line::answering([]);
    let unknown_account = OutgoingRecord { account: None, ..record("scans", 1) };
    let half_an_arn = OutgoingRecord {
        license: LicenseRef::License {
            arn: "aws:license-manager:us-east-1:444455556666:l-0123".parse().unwrap(),
        },
        ..record("scans", 1)
    };
    let many = (0..26).map(|n| record(&format!("d{n}"), 1)).collect();
    let batches: [(Vec<OutgoingRecord>, &str); 6] = [
        (vec![record("scans", 1), legacy("scans", 1)], "MixedPaths"),
        (vec![record("scans", 1), record("scans", 2)], "RepeatedKey"),
        (many, "TooManyRecords"),
        (vec![record("scans", 2_147_483_648)], "QuantityTooLarge"),
        (vec![unknown_account], "InvalidLicenseException"),
        (vec![half_an_arn], "InvalidLicenseException"),
    ];
    for (batch, reason) in batches {
        match submit(&line, &batch).await {
            Err(SubmitError::BadRecord { code, .. }) => assert_eq!(code, reason),
            other => panic!("{reason}: {other:?}"),
        }
    }
    assert_eq!(line.calls(), 0);
}

#[tokio::test]
async fn the_largest_quantity_and_the_largest_batch_go_out() {
    let line = Line::answering([answer(&[]), answer(&[])]);
    submit(&line, &[record("scans", 2_147_483_647)]).await.unwrap();
    let batch: Vec<_> = (0..25).map(|n| record(&format!("d{n}"), 0)).collect();
    submit(&line, &batch).await.unwrap();
    assert_eq!(line.calls(), 2);
}

#[tokio::test]
async fn allocations_go_out_with_their_tags_and_the_untagged_one_without_a_list() {
    let line = Line::answering([answer(&[result("scans", 17, "Success")])]);
    let tags = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Tags::try_from(pairs.collect::<BTreeMap<_, _>>()).unwrap()
    };
    let allocations = vec![
        Allocation { tags: tags(&[("Team", "a"), ("CostCenter", "42")]), quantity: 10 },
        Allocation { tags: Tags::default(), quantity: 7 },
    ];
    let tagged = OutgoingRecord { allocations, ..record("scans", 17) };
    assert_eq!(submit(&line, &[tagged]).await.unwrap(), [accepted("scans")]);
    let sent: Value = serde_json::from_str(&line.body()).unwrap();
    assert_eq!(
        sent["UsageRecords"][0]["UsageAllocations"],
        json!([
            {"AllocatedUsageQuantity": 10, "Tags": [{"Key": "CostCenter", "Value": "42"}, {"Key": "Team", "Value": "a"}]},
            {"AllocatedUsageQuantity": 7},
        ])
    );
}

#[tokio::test]
async fn a_record_without_tags_has_no_allocations() {
    let line = Line::answering([answer(&[result("scans", 17, "Success")])]);
    submit(&line, &[record("scans", 17)]).await.unwrap();
    assert!(!line.body().contains("UsageAllocations"));
}
