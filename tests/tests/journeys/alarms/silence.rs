//! What does not run: missing data is what is alarmed.

use lambda_shell::metrics;
use local::SystemOptions;
use simulator::Fault;

use super::{Watch, watched};
use crate::story::{PayAsYouGo, Story};

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
async fn checks_that_do_not_run() {
    let watch = Watch::default();
    let options = SystemOptions {
        metrics: watch.metrics(),
        reconciles: false,
        ..SystemOptions::of(PayAsYouGo)
    };
    let story = Story::with(options).await;
    story.subscriber("111122223333").await;
    story.hours(25).await;
    assert!(watch.values(metrics::CONSERVATION_CHECKS).is_empty());
    assert!(watch.values(metrics::RISK_CHECKS).is_empty());
    assert!(watch.values(metrics::RECONCILE_RUNS).is_empty());
    assert!(!watch.values(metrics::SETTLEMENT_RUNS).is_empty(), "only the checks stand still");
    story.end().await;
}

/// It runs and comes to no end: that is silence as well.
#[tokio::test]
async fn a_reconcile_that_aws_does_not_answer() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("SearchAgreements");
    });
    story.hours(3).await;
    assert_eq!(watch.sum(metrics::RECONCILE_RUNS), 0);
    assert!(watch.sum(metrics::RECONCILE_FAILED) > 0);
    story.system.may_stay_unsettled();
}
