//! Deduplication: by value, per hour and Region, first write wins (F§3.3).

use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::switches::{
    EchoTimestamp, IdenticalResend, IdenticalResendId, ResendAfterWindow, ResultOrder,
    SameKeyInBatch,
};
use simulator::{Bought, Pricing, Purchase};

use crate::harness::{Aws, epoch, usage, with};

const HOUR: &str = "2026-11-10T10:00:00Z";

async fn metered() -> (Aws, Bought, Value) {
    let aws = Aws::start(Pricing::Usage).await;
    let bought = aws.subscriber(Purchase::default());
    let record = usage(&bought, HOUR, 17);
    (aws, bought, record)
}

fn billed(aws: &Aws) -> Decimal {
    aws.simulator.invoice().iter().map(|line| line.quantity).sum()
}

#[tokio::test]
async fn the_first_write_wins_and_another_quantity_is_a_duplicate() {
    let (aws, _, record) = metered().await;
    assert_eq!(aws.meter(std::slice::from_ref(&record)).await.statuses(), ["Success"]);
    let more = with(&record, json!({ "Quantity": 18 }));
    assert_eq!(aws.meter(&[more]).await.statuses(), ["DuplicateRecord"]);
    assert_eq!(billed(&aws), Decimal::from(17));
}

#[tokio::test]
async fn seventeen_and_seventeen_point_nothing_are_one_record() {
    let (aws, _, record) = metered().await;
    let first = aws.meter(std::slice::from_ref(&record)).await;
    for text in ["17", "17.0", "17.000000"] {
        let again = with(&record, json!({ "Quantity": null, "QuantityAsDecimal": text }));
        let again = aws.meter(&[again]).await;
        assert_eq!(again.statuses(), ["Success"], "{text}");
        assert_eq!(again.record_id(), first.record_id());
    }
    assert_eq!(billed(&aws), Decimal::from(17));
}

#[tokio::test]
async fn two_stamps_in_one_hour_are_one_record() {
    let (aws, _, record) = metered().await;
    aws.meter(std::slice::from_ref(&record)).await;
    let later = with(&record, json!({ "Timestamp": epoch("2026-11-10T10:01:00Z"), "Quantity": 1 }));
    assert_eq!(aws.meter(&[later]).await.statuses(), ["DuplicateRecord"]);
}

#[tokio::test]
async fn each_region_bills_for_itself() {
    let (aws, _, record) = metered().await;
    for region in ["us-east-1", "eu-central-1"] {
        let body = json!({ "UsageRecords": [record] });
        let answer = aws.signed("BatchMeterUsage", body, "AKID", region).await;
        assert_eq!(answer.statuses(), ["Success"]);
    }
    assert_eq!(billed(&aws), Decimal::from(34));
    let regions: Vec<_> =
        aws.simulator.invoice()[0].records.iter().map(|it| it.region.clone()).collect();
    assert_eq!(regions, ["eu-central-1", "us-east-1"]);
}

#[tokio::test]
async fn an_identical_resend_can_be_switched_to_duplicate_or_to_a_new_id() {
    let (aws, _, record) = metered().await;
    let record = std::slice::from_ref(&record);
    let first = aws.meter(record).await;
    aws.simulator.switches(|it| it.identical_resend = IdenticalResend::Duplicate);
    assert_eq!(aws.meter(record).await.statuses(), ["DuplicateRecord"]);
    aws.simulator.switches(|it| {
        it.identical_resend = IdenticalResend::Success;
        it.identical_resend_id = IdenticalResendId::New;
    });
    let again = aws.meter(record).await;
    assert_eq!(again.statuses(), ["Success"]);
    assert_ne!(again.record_id(), first.record_id());
    assert_eq!(billed(&aws), Decimal::from(17));
}

#[tokio::test]
async fn a_key_twice_in_one_request_is_a_resend_unless_switched() {
    let (aws, _, record) = metered().await;
    let other = with(&record, json!({ "Quantity": 3 }));
    let batch = [record.clone(), record, other];
    assert_eq!(aws.meter(&batch).await.statuses(), ["Success", "Success", "DuplicateRecord"]);
    aws.simulator.switches(|it| it.same_key_in_batch = SameKeyInBatch::Reject);
    assert_eq!(aws.meter(&batch).await.error(), "ValidationException");
}

#[tokio::test]
async fn a_resend_after_the_window_is_not_subscribed_unless_switched() {
    let (aws, bought, record) = metered().await;
    let record = std::slice::from_ref(&record);
    aws.meter(record).await;
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    aws.pass("2h");
    assert_eq!(aws.meter(record).await.statuses(), ["CustomerNotSubscribed"]);
    aws.simulator.switches(|it| it.resend_after_window = ResendAfterWindow::AsBefore);
    assert_eq!(aws.meter(record).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn the_echo_can_be_cut_to_the_hour_and_the_results_shuffled() {
    let (aws, _, record) = metered().await;
    aws.simulator.switches(|it| {
        it.echo_timestamp = EchoTimestamp::Hour;
        it.result_order = ResultOrder::Shuffled;
    });
    aws.set("2026-11-10T20:00:00Z");
    let hours = (0..10).map(|hour| epoch(HOUR) + hour * 3600 + 59);
    let batch: Vec<Value> = hours.map(|it| with(&record, json!({ "Timestamp": it }))).collect();
    let answer = aws.meter(&batch).await;
    let results = answer.body["Results"].as_array().unwrap();
    let echoed = |it: &Value| it["UsageRecord"]["Timestamp"].as_i64().unwrap();
    let mut hours: Vec<i64> = results.iter().map(echoed).collect();
    assert!(!hours.is_sorted());
    hours.sort_unstable();
    assert_eq!(hours, (0..10).map(|hour| epoch(HOUR) + hour * 3600).collect::<Vec<_>>());
}
