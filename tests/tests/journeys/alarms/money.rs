//! What AWS does not take, and what does not add up.

use app::ports::Usage;
use domain::quantity::Quantity;
use lambda_shell::metrics;
use serde_json::json;
use simulator::Fault;
use simulator::switches::DuplicateEcho;

use super::watched;
use crate::story::{PayAsYouGo, Story};

/// AWS takes nothing for a day: submissions fail, the oldest usage grows old, money is at risk, and in the end lost.
#[tokio::test]
async fn usage_that_aws_does_not_take() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "40").await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("BatchMeterUsage");
    });
    story.hours(3).await;
    assert!(watch.sum(metrics::SUBMISSION_FAILURES) > 0);
    assert_eq!(watch.values(metrics::SUBMISSION_SUCCESS_RATE).last(), Some(&0));
    assert!(watch.most(metrics::OLDEST_UNSETTLED_HOURS) < 6);
    let at_risk = watch.most(metrics::MONEY_AT_RISK);
    assert!(at_risk > 0);
    story.hours(5).await;
    let oldest = watch.most(metrics::OLDEST_UNSETTLED_HOURS);
    assert!((6..18).contains(&oldest), "{oldest}");
    story.hours(12).await;
    assert!(watch.most(metrics::OLDEST_UNSETTLED_HOURS) >= 18);
    assert_eq!(watch.sum(metrics::RECORDS_PARKED), 0);
    story.hours(8).await;
    assert_eq!(watch.because(metrics::RECORDS_PARKED, "expired"), 1);
    assert_eq!(watch.most(metrics::PARKED_OPEN), 1);
    story.system.may_stay_unsettled();
}

/// AWS refuses our credentials: the run itself fails, and the age is told all the same.
#[tokio::test]
async fn credentials_that_aws_refuses() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "40").await;
    story.system.simulator().faults(|faults| {
        faults.expired_credentials = Fault::permille(1000).only("BatchMeterUsage");
    });
    story.hours(8).await;
    assert!(watch.sum(metrics::SETTLEMENT_FAILED) > 0);
    assert!(watch.most(metrics::OLDEST_UNSETTLED_HOURS) >= 6);
    story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 40, "nothing was lost");
    let dead = story.system.bus().dead_letters().unwrap();
    assert!(
        !dead.is_empty(),
        "each failed run was repeated and set aside: its queue's depth is alarmed"
    );
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn a_meter_that_does_not_add_up() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "40").await;
    story.hours(2).await;
    let meter = story.meter(&buyer, "scans", "2026-11").await;
    let mut wrong = meter.clone();
    wrong.aggregate = meter.aggregate.plus(Quantity::whole(1));
    wrong.revision += 1;
    let _ = story.system.store().save_meter(&wrong, meter.revision).await.unwrap();
    story.hours(6).await;
    assert!(watch.sum(metrics::CONSERVATION_BROKEN) >= 1);
    story.system.may_stay_unsettled();
}

/// AWS tells nothing of this license's end until it is over, and then takes nothing for it.
#[tokio::test]
async fn usage_that_is_left_when_its_license_is_over() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "5").await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("BatchMeterUsage");
    });
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.hours(3).await;
    assert_eq!(watch.because(metrics::RECORDS_PARKED, "closed"), 1);
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn a_record_that_aws_refuses_for_good() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "5").await;
    story.system.simulator().faults(|faults| faults.unknown_dimension = Fault::permille(1000));
    story.hours(2).await;
    assert_eq!(watch.because(metrics::RECORDS_PARKED, "rejected"), 1);
    story.system.may_stay_unsettled();
}

/// Another program of the seller meters the same license in the same hour, and AWS keeps the first quantity. It is seen
/// where AWS's answer shows what it holds.
#[tokio::test]
async fn a_record_that_someone_else_has_sent_with_another_quantity() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    story.system.simulator().switches(|it| it.duplicate_echo = DuplicateEcho::Held);
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "5").await;
    let record = json!({
        "Timestamp": story.now().as_second(), "CustomerAWSAccountId": buyer.account,
        "LicenseArn": buyer.license_arn, "Dimension": "scans", "Quantity": 3,
    });
    meter_as_another_program(&story, &json!({"UsageRecords": [record]})).await;
    story.hours(2).await;
    assert_eq!(watch.because(metrics::RECORDS_PARKED, "mismatched"), 1);
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 3, "the first is what AWS bills");
    story.system.may_stay_unsettled();
}

async fn meter_as_another_program(story: &Story, body: &serde_json::Value) {
    let answer = reqwest::Client::new()
        .post(story.system.marketplace_url())
        .header("x-amz-target", "AWSMPMeteringService.BatchMeterUsage")
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=other/20261124/us-east-1/aws-marketplace/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0000",
        )
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success() && text.contains("\"Success\""), "{status}: {text}");
}
