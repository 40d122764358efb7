//! Every alarm's metric moves when its fault is injected, and none moves on a good day.

mod doors;
mod money;
mod silence;

use std::sync::{Arc, Mutex};

use domain::catalog::PricingModel;
use lambda_shell::metrics::{self, Metric, Metrics};
use local::SystemOptions;
use serde_json::Value;
use template::Template;

use crate::story::{PayAsYouGo, Story};

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

/// What the metric is called in these sources: `RecordsParked` is `RECORDS_PARKED`.
fn constant(metric: &str) -> String {
    let mut constant = String::new();
    for letter in metric.chars() {
        if letter.is_ascii_uppercase() && !constant.is_empty() {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    format!("metrics::{constant}")
}

/// An alarm that is added without its fault is found here. What AWS's own services measure is theirs to move.
#[test]
fn every_alarm_on_a_metric_of_ours_has_its_fault_injected() {
    let faults = [
        include_str!("doors.rs"),
        include_str!("money.rs"),
        include_str!("silence.rs"),
        // The local bus never refuses a notice.
        include_str!("../../../../functions/tenant-notifier/tests/notifier.rs"),
    ]
    .concat();
    let mut without = Vec::new();
    for alarm in Template::read().unwrap().alarms() {
        for metric in alarm.metrics.iter().filter(|metric| !metric.namespace.starts_with("AWS/")) {
            let constant = constant(&metric.name);
            let wanted = match metric.dimensions.get(metrics::REASON) {
                Some(reason) => format!("because({constant}, \"{reason}\")"),
                None => format!("({constant})"),
            };
            if !faults.contains(&wanted) {
                without.push(format!("{} has no test that asks for {wanted}", alarm.name));
            }
        }
    }
    assert!(without.is_empty(), "{without:#?}");
}
