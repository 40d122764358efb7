//! Hours, month ends, late usage, final hours, and a scheduler that runs twice, late, or not to the end.

use app::ports::Usage;
use domain::metering::RecordStatus;
use jiff::SignedDuration;
use serde_json::json;
use simulator::Fault;

use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};

#[tokio::test]
async fn usage_is_counted_once_however_often_it_is_reported() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let event = json!({"key": "scan-1", "dimension": "scans", "quantity": "5", "at": story.now()});
    let other = json!({"key": "scan-1", "dimension": "scans", "quantity": "6", "at": story.now()});
    let answer = story.report(&buyer, &[event.clone(), event.clone()]).await;
    let outcomes = |body: &serde_json::Value| -> Vec<String> {
        body["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(outcomes(&answer.body), ["accepted", "duplicate"]);
    let answer = story.report(&buyer, &[event, other]).await;
    assert_eq!(outcomes(&answer.body), ["duplicate", "refused"]);
    assert_eq!(answer.body["results"][1]["code"], "key_conflict");
    story.hours(2).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 5);
    story.end().await;
}

#[tokio::test]
async fn late_usage_is_in_the_next_hours_record() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let morning = story.now();
    story.uses(&buyer, "scans", "5").await;
    story.hours(30).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 5);
    story.used_at(&buyer, "scans", "2", morning).await;
    story.hours(2).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 7);
    story.end().await;
}

#[tokio::test]
async fn usage_in_the_hour_in_progress_of_a_cancellation_is_billed() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.hours(5).await;
    story.uses(&buyer, "scans", "11").await;
    story.system.simulator().cancel(&buyer.agreement_id).unwrap();
    story.minutes(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 11, "flushed at once");
    story.minutes(20).await;
    story.uses(&buyer, "scans", "4").await;
    story.hours(2).await;
    assert_eq!(
        story.invoiced(&buyer, "scans", "2026-11"),
        15,
        "what came within the final hour as well"
    );
    let late = json!({"key": "late", "dimension": "scans", "quantity": "1", "at": story.now()});
    let refused = story.report(&buyer, &[late]).await;
    assert_eq!(refused.body["results"][0]["code"], "subscription_ended", "{refused:?}");
    story.end().await;
}

#[tokio::test]
async fn a_month_is_settled_between_three_and_six_on_the_first() {
    let story = Story::begin_at(ContractWithConsumption, "2026-11-30T20:00:00Z").await;
    let buyer = story.subscriber("111122223333").await;
    story.until("2026-11-30T23:59:30Z").await;
    let november = story.now();
    story.uses(&buyer, "scans", "520").await;
    story.until("2026-12-01T02:59:00Z").await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0, "the last hour waits for late usage");
    story.used_at(&buyer, "scans", "7", november).await;
    story.until("2026-12-01T05:59:00Z").await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 27);
    story.used_at(&buyer, "scans", "3", november).await;
    story.until("2026-12-01T08:00:00Z").await;
    assert_eq!(
        story.invoiced(&buyer, "scans", "2026-11"),
        27,
        "later usage belongs to the month then open"
    );
    assert_eq!(
        story.meter(&buyer, "scans", "2026-12").await.aggregate.to_string(),
        "3",
        "carried over"
    );
    story.end().await;
}

#[tokio::test]
async fn a_record_that_waits_at_the_month_end_goes_out_at_five_fifty_nine() {
    let story = Story::begin_at(PayAsYouGo, "2026-11-30T22:00:00Z").await;
    let buyer = story.subscriber("111122223333").await;
    story.until("2026-11-30T23:59:00Z").await;
    story.uses(&buyer, "scans", "9").await;
    story
        .system
        .simulator()
        .faults(|faults| faults.internal_error = Fault::permille(1000).only("BatchMeterUsage"));
    story.until("2026-12-01T05:59:00Z").await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0);
    story.system.simulator().faults(|faults| faults.internal_error = Fault::default());
    story.system.run_schedule().await.unwrap();
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 9);
    story.end().await;
}

#[tokio::test]
async fn what_aws_did_not_take_until_six_is_parked_for_a_human_and_never_sent_again() {
    let mut story = Story::begin_at(PayAsYouGo, "2026-11-30T22:00:00Z").await;
    let buyer = story.subscriber("111122223333").await;
    story.until("2026-11-30T23:59:00Z").await;
    story.uses(&buyer, "scans", "9").await;
    story
        .system
        .simulator()
        .faults(|faults| faults.internal_error = Fault::permille(1000).only("BatchMeterUsage"));
    story.until("2026-12-01T06:00:00Z").await;
    story.system.simulator().faults(|faults| faults.internal_error = Fault::default());
    story.hours(3).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0);
    let meter = story.meter(&buyer, "scans", "2026-11").await;
    assert_eq!((meter.parked, meter.is_settled()), (9, true));
    let month = "2026-11".parse().unwrap();
    let records = story
        .system
        .store()
        .records(&subscription_id(&buyer), month, None, 10)
        .await
        .unwrap()
        .items;
    assert!(matches!(records[0].status, RecordStatus::Parked { .. }), "{records:?}");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn a_scheduler_that_was_away_for_five_hours_loses_nothing() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.system.pause_schedule(true).unwrap();
    for _ in 0..5 {
        story.uses(&buyer, "scans", "3").await;
        story.hours(1).await;
    }
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0);
    story.system.pause_schedule(false).unwrap();
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 15);
    story.end().await;
}

#[tokio::test]
async fn two_schedulers_at_once_bill_once() {
    let story = Story::begin(PayAsYouGo).await;
    let mut buyers = Vec::new();
    for n in 0..4 {
        let buyer = story.subscriber(&format!("11112222333{n}")).await;
        for dimension in ["scans", "findings", "api-calls", "ai-sessions"] {
            story.uses(&buyer, dimension, "5").await;
        }
        buyers.push(buyer);
    }
    story.system.pause_schedule(true).unwrap();
    story.hours(1).await;
    let runs = tokio::join!(
        story.system.run_scheduler(),
        story.system.run_scheduler(),
        story.system.run_scheduler()
    );
    for report in [runs.0.unwrap(), runs.1.unwrap(), runs.2.unwrap()] {
        assert_eq!(report["failed"], 0, "{report}");
    }
    for buyer in &buyers {
        for dimension in ["scans", "findings", "api-calls", "ai-sessions"] {
            assert_eq!(story.invoiced(buyer, dimension, "2026-11"), 5);
        }
    }
    story.system.pause_schedule(false).unwrap();
    story.end().await;
}

#[tokio::test]
async fn a_scheduler_that_dies_between_the_call_and_the_booking_bills_once() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "8").await;
    story.system.pause_schedule(true).unwrap();
    story.hours(1).await;
    // Killed at every point of its run, a hundred times: what it left behind is what the next run starts from.
    for polls in 1..100 {
        story.system.run_scheduler_and_die_after(polls).await;
        assert!(story.invoiced(&buyer, "scans", "2026-11") <= 8, "never more than due");
    }
    story.system.pause_schedule(false).unwrap();
    story.hours(1).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 8);
    story.end().await;
}

#[tokio::test]
async fn an_idle_subscription_sends_a_zero_an_hour_when_the_seller_wants_it() {
    let options = local::SystemOptions { heartbeat: true, ..local::SystemOptions::of(PayAsYouGo) };
    let story = Story::with(options).await;
    let buyer = story.subscriber("111122223333").await;
    story.minutes(4 * 60 + 10).await;
    let lines = story.system.simulator().invoice();
    assert_eq!(lines.iter().map(|line| line.records.len()).sum::<usize>(), 4, "{lines:?}");
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0);
    story.uses(&buyer, "scans", "6").await;
    story.hours(1).await;
    assert_eq!(
        story.invoiced(&buyer, "scans", "2026-11"),
        6,
        "a zero never takes the place of usage"
    );
    story.end().await;
}

#[tokio::test]
async fn a_batch_with_a_poison_record_bills_the_others_in_the_same_run() {
    let mut story = Story::begin(PayAsYouGo).await;
    let mut buyers = Vec::new();
    for n in 0..7 {
        let buyer = story.subscriber(&format!("11112222334{n}")).await;
        story.uses(&buyer, "scans", "5").await;
        buyers.push(buyer);
    }
    // A license that AWS does not know: whatever names it sinks its whole batch.
    let unknown = simulator::Bought {
        license_arn:
            "arn:aws:license-manager::294406891311:license:l-0000000000000000000000000000dead"
                .into(),
        agreement_id: "agmt-unknown".into(),
        ..buyers[0].clone()
    };
    let event = json!({
        "version": "0", "id": "poison", "detail-type": "License Updated - Manufacturer",
        "source": "aws.agreement-marketplace", "account": "444455556666", "time": story.now(), "region": "us-east-1",
        "resources": [], "detail": {
            "requestId": "poison", "agreement": {"id": unknown.agreement_id}, "license": {"arn": unknown.license_arn},
            "product": {"code": simulator::Product::default().code}, "acceptor": {"accountId": unknown.account},
        },
    });
    story.system.inject_notice(&event.to_string()).unwrap();
    story.system.deliver().await.unwrap();
    story.uses(&unknown, "findings", "1").await;
    let before = story.system.simulator().calls().len();
    story.hours(1).await;
    for buyer in &buyers {
        assert_eq!(story.invoiced(buyer, "scans", "2026-11"), 5);
    }
    let meter = story.meter(&unknown, "findings", "2026-11").await;
    assert!(
        meter.pending.is_some(),
        "the poison stays frozen; it may become right, or expires with its window"
    );
    let calls = story.system.simulator().calls();
    let metering =
        calls[before..].iter().filter(|call| call.operation == "BatchMeterUsage").count();
    assert!(metering <= 7, "{metering} calls for 8 records");
    story.hours(25).await;
    let meter = story.meter(&unknown, "findings", "2026-11").await;
    assert_eq!(
        (meter.parked, meter.is_settled()),
        (1, true),
        "parked with its reason when its window has closed"
    );
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn usage_before_the_activation_is_kept_and_billed_after_it() {
    let story = Story::begin(PayAsYouGo).await;
    story
        .system
        .simulator()
        .switches(|switches| switches.license_updated_delay = SignedDuration::from_hours(3));
    let buyer = story.buy("111122223333");
    story.register(&buyer).await;
    story.uses(&buyer, "scans", "5").await;
    story.hours(2).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 0);
    story.hours(3).await;
    assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 5);
    story.end().await;
}
