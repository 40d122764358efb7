//! Every alarm's metric moves when its fault is injected, and none moves on a good day.

use std::sync::{Arc, Mutex};

use app::ports::Usage;
use domain::catalog::PricingModel;
use domain::quantity::Quantity;
use lambda_shell::metrics::{self, Metric, Metrics};
use local::SystemOptions;
use serde_json::{Value, json};
use simulator::Fault;

use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};

/// The lines that `CloudWatch` would take.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Vec<Value>>>);

impl Watch {
    fn metrics(&self) -> Metrics {
        let lines = self.0.clone();
        Metrics::to(move |line| lines.lock().unwrap().push(serde_json::from_str(line).unwrap()))
    }

    fn values(&self, metric: Metric) -> Vec<u64> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter_map(|line| line[metric.name].as_u64()).collect()
    }

    fn sum(&self, metric: Metric) -> u64 {
        self.values(metric).iter().sum()
    }

    fn most(&self, metric: Metric) -> u64 {
        self.values(metric).into_iter().max().unwrap_or_default()
    }

    fn because(&self, metric: Metric, reason: &str) -> u64 {
        let lines = self.0.lock().unwrap();
        let of_reason = lines.iter().filter(|line| line[metrics::REASON] == reason);
        of_reason.filter_map(|line| line[metric.name].as_u64()).sum()
    }

    fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

async fn watched(pricing: PricingModel) -> (Story, Watch) {
    let watch = Watch::default();
    let options = SystemOptions { metrics: watch.metrics(), ..SystemOptions::of(pricing) };
    (Story::with(options).await, watch)
}

/// What no alarm may see on a good day, and what every alarm needs to see.
#[tokio::test]
async fn on_a_good_day_nothing_is_alarmed_and_everything_is_alive() {
    let (story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "40").await;
    story.hours(25).await;
    for quiet in [
        metrics::WEBHOOK_FAILED,
        metrics::NOTICES_FAILED,
        metrics::SUBMISSION_FAILURES,
        metrics::SUBSCRIPTION_CREATION_FAILED,
        metrics::SETTLEMENT_FAILED,
        metrics::RECORDS_PARKED,
        metrics::PARKED_OPEN,
        metrics::CONSERVATION_BROKEN,
        metrics::CONSERVATION_FAILED,
        metrics::RECONCILE_REPAIRS,
        metrics::RECONCILE_FAILED,
        metrics::UNREGISTERED_TOO_LONG,
        metrics::TENANT_NOTICES_FAILED,
    ] {
        assert_eq!(watch.sum(quiet), 0, "{}", quiet.name);
    }
    assert!(watch.most(metrics::OLDEST_UNSETTLED_HOURS) < 6);
    assert_eq!(watch.values(metrics::SUBMISSION_SUCCESS_RATE), [100]);
    assert_eq!(watch.sum(metrics::SETTLEMENT_RUNS), 25);
    assert_eq!(watch.sum(metrics::RISK_CHECKS), 25);
    assert_eq!(watch.sum(metrics::RECONCILE_RUNS), 50);
    assert!(watch.sum(metrics::CONSERVATION_CHECKS) >= 4);
    assert_eq!(watch.sum(metrics::SUBSCRIPTIONS_CREATED), 1);
    assert!(watch.sum(metrics::ESTIMATED_REVENUE) > 0);
    let onboarding = watch.values(metrics::ONBOARDING_TIME);
    assert!(onboarding.len() == 1 && onboarding[0] < 600_000, "within minutes: {onboarding:?}");
    story.end().await;
}

#[tokio::test]
async fn failed_webhook_processing() {
    let (story, watch) = watched(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("GetEntitlements");
    });
    let at = story.now() + jiff::SignedDuration::from_mins(1);
    let event = json!({
        "version": "0", "id": "again", "detail-type": "License Updated - Manufacturer",
        "source": "aws.agreement-marketplace", "account": "444455556666", "time": at,
        "region": "us-east-1", "resources": [], "detail": {
            "requestId": "again", "agreement": {"id": buyer.agreement_id},
            "license": {"arn": buyer.license_arn}, "acceptor": {"accountId": buyer.account},
            "product": {"code": simulator::Product::default().code},
        },
    })
    .to_string();
    let proof = story.sign(&event, story.now());
    assert_eq!(story.webhook(&event, Some(&proof)).await.status, 503);
    assert_eq!(watch.sum(metrics::WEBHOOK_FAILED), 1);
    assert_eq!(watch.sum(metrics::NOTICES_FAILED), 1);
    assert!(watch.because(metrics::WEBHOOK_REQUESTS, "failed") == 1);
    story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
    story.end().await;
}

#[tokio::test]
async fn subscription_creation_errors_at_both_doors() {
    let (mut story, watch) = watched(ContractWithConsumption).await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("GetEntitlements");
    });
    let license =
        "arn:aws:license-manager::294406891311:license:l-00000000000000000000000000000001";
    let body = json!({"licenseArn": license, "account": "111122223333"});
    let refused = story.call("POST", "/marketplace/subscriptions", Some(body)).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(watch.sum(metrics::SUBSCRIPTION_CREATION_FAILED), 1, "at the API");
    watch.forget();
    story.buy("111122223333");
    story.minutes(2).await;
    assert!(watch.sum(metrics::SUBSCRIPTION_CREATION_FAILED) > 0, "by a notification");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn high_onboarding_time() {
    let watch = Watch::default();
    let options = SystemOptions {
        metrics: watch.metrics(),
        platform: false,
        ..SystemOptions::of(PayAsYouGo)
    };
    let story = Story::with(options).await;
    let buyer = story.subscriber("111122223333").await;
    story.hours(30).await;
    let path = format!("/marketplace/subscriptions/{}/tenant", subscription_id(&buyer));
    let confirmed = story.call("PUT", &path, Some(json!({"tenantId": "acme"}))).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    assert!(watch.most(metrics::ONBOARDING_TIME) >= 30 * 3_600_000);
    story.end().await;
}

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
async fn a_scheduler_that_does_not_run() {
    let (story, watch) = watched(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.system.pause_schedule(true).unwrap();
    story.uses(&buyer, "scans", "40").await;
    watch.forget();
    story.hours(7).await;
    assert!(watch.values(metrics::SETTLEMENT_RUNS).is_empty(), "missing data is what is alarmed");
    assert!(watch.most(metrics::OLDEST_UNSETTLED_HOURS) >= 6, "told by the reconciler");
    story.system.pause_schedule(false).unwrap();
    story.end().await;
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

#[tokio::test]
async fn a_buyer_who_paid_and_never_registered() {
    let (story, watch) = watched(PayAsYouGo).await;
    story.buy("111122223333");
    story.hours(24).await;
    assert_eq!(watch.most(metrics::UNREGISTERED_TOO_LONG), 0);
    story.hours(2).await;
    assert_eq!(watch.most(metrics::UNREGISTERED_TOO_LONG), 1);
    story.end().await;
}

#[tokio::test]
async fn a_notification_that_was_lost_and_one_that_cannot_be_made_up_for_now() {
    let (story, watch) = watched(PayAsYouGo).await;
    story.system.simulator().faults(|faults| {
        faults.drop = Fault::next(1).only("License Updated");
        faults.internal_error = Fault::next(9).only("GetAgreementEntitlements");
    });
    story.buy("111122223333");
    story.hours(3).await;
    assert!(watch.sum(metrics::RECONCILE_FAILED) > 0);
    assert_eq!(watch.because(metrics::RECONCILE_REPAIRS, "license-updated"), 1);
    story.end().await;
}

#[tokio::test]
async fn a_message_that_nobody_can_read_ends_in_the_dead_letter_queue() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    story.system.inject_notice("no notification").unwrap();
    story.minutes(15).await;
    assert!(watch.sum(metrics::NOTICES_UNREADABLE) > 0);
    assert_eq!(story.system.bus().dead_letters().unwrap().len(), 1, "AWS counts its depth");
    story.system.may_stay_unsettled();
}
