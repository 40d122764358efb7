#![doc = include_str!("../README.md")]

mod config;
mod report;
mod trigger;

use app::conservation::{CheckReport, check};
use app::ports::Store;
use app::reconcile::{ReconcileReport, Truth, reconcile};
use app::risk::{Risk, keep, measure};
use app::settlement::Budget;
use app::usage::{LapseReport, release_lapsed};
use app::{Clock, Context};
use jiff::Timestamp;
use lambda_shell::failure::Failure;
use lambda_shell::metrics::{self, Metric, Metrics};
use serde::Serialize;
use serde_json::Value;

pub use config::{Config, ProductId};
pub use trigger::Task;

/// What the reconciler works with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// What a task did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The conservation check.
    Conservation(CheckReport),
    /// The reconcile of notices.
    Notices(ReconcileReport),
    /// The measurement of risks.
    Risk(Risk),
    /// The release of reservations.
    Reservations(LapseReport),
}

/// Does the task that the event names, within `budget`.
///
/// # Errors
/// An event of another kind, or a task that failed. What was done until then stays done.
pub async fn handle<S: Store, A: Truth>(
    deps: &Deps<S, A>,
    event: Value,
    budget: &Budget,
) -> Result<Answer, Failure> {
    let Deps { context, clock, metrics } = deps;
    let now = clock.now();
    match Task::read(&event).map_err(Failure::UnknownEvent)? {
        Task::Conservation => {
            let checked = check(context, clock, budget).await;
            let report = counted(metrics, now, metrics::CONSERVATION_FAILED, checked)?;
            report::conservation(metrics, now, &report);
            Ok(Answer::Conservation(report))
        }
        Task::Notices => {
            let reconciled = reconcile(context, clock, budget).await;
            let report = counted(metrics, now, metrics::RECONCILE_FAILED, reconciled)?;
            report::notices(metrics, now, &report);
            Ok(Answer::Notices(report))
        }
        Task::Risk => {
            let risk = measure(context, clock, budget).await?;
            let currency = context.listing.catalog.currency();
            report::risk(metrics, now, &risk, currency);
            // The metrics first: what cannot be kept must not stop the alarm.
            keep(context, &risk, now).await?;
            Ok(Answer::Risk(risk))
        }
        Task::Reservations => {
            let report = release_lapsed(context, clock, budget).await?;
            report::reservations(metrics, now, &report);
            Ok(Answer::Reservations(report))
        }
    }
}

/// Counts a failure before it is told.
fn counted<T>(
    metrics: &Metrics,
    now: Timestamp,
    failed: Metric,
    done: Result<T, app::Error>,
) -> Result<T, app::Error> {
    done.inspect_err(|_| metrics.emit(now, &[(failed, 1)]))
}
