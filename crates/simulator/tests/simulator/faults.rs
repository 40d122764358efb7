//! Things that go wrong on purpose, and quotas.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::switches::LostResponse;
use simulator::{Fault, Pricing, Purchase, Stopwatch};

use crate::harness::{Aws, CODE, options, usage};

const HOUR: &str = "2026-11-10T10:00:00Z";

async fn metered() -> (Aws, Value) {
    let aws = Aws::start(Pricing::Usage).await;
    let record = usage(&aws.subscriber(Purchase::default()), HOUR, 17);
    (aws, record)
}

#[tokio::test]
async fn a_throttled_call_has_no_effect_and_agreements_say_429() {
    let (aws, record) = metered().await;
    aws.simulator.faults(|it| it.throttle = Fault::next(1).only("BatchMeterUsage"));
    let throttled = aws.meter(std::slice::from_ref(&record)).await;
    assert_eq!((throttled.status, throttled.error()), (400, "ThrottlingException"));
    assert_eq!(aws.simulator.invoice(), []);
    assert_eq!(aws.meter(&[record]).await.statuses(), ["Success"]);
    aws.simulator.faults(|it| it.throttle = Fault::next(1));
    let throttled = aws.call("DescribeAgreement", json!({ "agreementId": "a" })).await;
    assert_eq!((throttled.status, throttled.error()), (429, "ThrottlingException"));
}

#[tokio::test]
async fn an_internal_error_has_no_effect() {
    let (aws, record) = metered().await;
    aws.simulator.faults(|it| it.internal_error = Fault::permille(1000));
    let failed = aws.meter(&[record]).await;
    assert_eq!((failed.status, failed.error()), (500, "InternalServiceErrorException"));
    let failed = aws.call("DescribeAgreement", json!({ "agreementId": "a" })).await;
    assert_eq!((failed.status, failed.error()), (500, "InternalServerException"));
    assert_eq!(aws.simulator.invoice(), []);
}

#[tokio::test]
async fn a_lost_response_breaks_the_connection_after_the_effect() {
    let (aws, record) = metered().await;
    aws.simulator.faults(|it| it.lost_response = Fault::next(1));
    let body = json!({ "UsageRecords": [record] }).to_string();
    let request = aws.request("BatchMeterUsage", body, "AKID", "us-east-1");
    let broken = match request.send().await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    assert_eq!(aws.simulator.invoice().len(), 1);
    let call = aws.simulator.calls().pop().unwrap();
    assert!(call.lost);
    assert_eq!(call.answer["Results"][0]["Status"], "Success");
    aws.simulator.switches(|it| it.lost_response = LostResponse::InternalError);
    aws.simulator.faults(|it| it.lost_response = Fault::next(1));
    let other = usage(&aws.subscriber(Purchase::default()), HOUR, 1);
    assert_eq!(aws.meter(&[other]).await.status, 500);
    assert_eq!(aws.simulator.invoice().len(), 2);
}

#[tokio::test]
async fn unprocessed_records_come_back_unbilled() {
    let (aws, record) = metered().await;
    aws.simulator.faults(|it| it.unprocessed = Fault::next(1));
    let answer = aws.meter(std::slice::from_ref(&record)).await;
    assert_eq!(answer.statuses(), Vec::<&str>::new());
    assert_eq!(answer.body["UnprocessedRecords"], json!([record]));
    assert_eq!(aws.simulator.invoice(), []);
    assert_eq!(aws.meter(&[record]).await.statuses(), ["Success"]);
}

#[tokio::test]
async fn rates_are_switches_too() {
    let (aws, record) = metered().await;
    aws.simulator.switches(|it| it.set("unprocessed_rate", "1").unwrap());
    assert_eq!(aws.meter(&[record]).await.statuses(), Vec::<&str>::new());
}

#[tokio::test]
async fn expired_credentials_are_told_from_an_expired_token_by_the_status() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.faults(|it| it.expired_credentials = Fault::next(1));
    let refused = aws.call("ResolveCustomer", json!({ "RegistrationToken": "t" })).await;
    assert_eq!((refused.status, refused.error()), (403, "ExpiredTokenException"));
}

#[tokio::test]
async fn notifications_are_dropped_doubled_delayed_and_reordered() {
    let aws = Aws::start(Pricing::Usage).await;
    aws.simulator.faults(|it| it.drop = Fault::next(1).only("Purchase Agreement Created"));
    aws.subscriber(Purchase::default());
    assert_eq!(aws.told(), ["License Updated - Manufacturer"]);

    aws.simulator.faults(|it| it.duplicate = Fault::next(1).only("License Updated"));
    aws.subscriber(Purchase::default());
    let told = aws.take();
    assert_eq!(told.len(), 3);
    assert_eq!(told[1].body, told[2].body);
    assert_ne!(told[1].id, told[2].id);

    aws.simulator.faults(|it| {
        it.delay = Fault::next(1).only("Purchase Agreement Created");
        it.delay_by = "1h".parse().unwrap();
    });
    aws.subscriber(Purchase::default());
    assert_eq!(aws.told(), ["License Updated - Manufacturer"]);
    aws.pass("1h");
    assert_eq!(aws.told(), ["Purchase Agreement Created - Proposer"]);

    aws.simulator.faults(|it| it.reorder = Fault::permille(1000));
    let overtaken = (0..20).any(|_| {
        aws.subscriber(Purchase::default());
        aws.pass("1h");
        aws.told().first().is_some_and(|it| it.starts_with("License Updated"))
    });
    assert!(overtaken);
}

#[tokio::test]
async fn quotas_run_on_real_time_and_can_be_switched_off() {
    let mut options = options(Pricing::Usage);
    let (stopwatch, hand) = Stopwatch::manual();
    options.stopwatch = stopwatch;
    options.switches.metering_rps = 10;
    options.switches.entitlement_rps = 20;
    options.switches.agreement_rps = 5;
    options.switches.agreement_detail_rps = 10;
    let aws = Aws::with(options).await;
    let bought = aws.subscriber(Purchase::default());
    let agreement = json!({ "agreementId": bought.agreement_id });
    let quotas = [
        ("BatchMeterUsage", json!({ "UsageRecords": [] }), 10, 400),
        ("GetEntitlements", json!({ "ProductCode": CODE }), 20, 400),
        ("DescribeAgreement", agreement.clone(), 5, 429),
        ("GetAgreementTerms", agreement, 10, 429),
    ];
    for (operation, body, quota, status) in quotas {
        for _ in 0..quota {
            assert_eq!(aws.call(operation, body.clone()).await.status, 200, "{operation}");
        }
        let refused = aws.call(operation, body.clone()).await;
        assert_eq!((refused.status, refused.error()), (status, "ThrottlingException"));
        hand.advance(Duration::from_secs(1));
        assert_eq!(aws.call(operation, body).await.status, 200, "{operation}");
    }
    let other_region =
        aws.signed("BatchMeterUsage", json!({ "UsageRecords": [] }), "AKID", "eu-west-1").await;
    assert_eq!(other_region.status, 200);
    aws.simulator.switches(|it| it.agreement_rps = 0);
    for _ in 0..50 {
        let body = json!({ "agreementId": bought.agreement_id });
        assert_eq!(aws.call("DescribeAgreement", body).await.status, 200);
    }
}

#[tokio::test]
async fn two_runs_with_one_seed_are_the_same() {
    let run = async || {
        let (aws, record) = metered().await;
        let answer = aws.meter(&[record]).await;
        (answer.body, aws.simulator.notifications(), aws.simulator.agreements())
    };
    assert_eq!(run().await, run().await);
}
