#![doc = include_str!("../README.md")]

mod config;
mod report;
mod trigger;

use app::ports::{EntitlementService, MeteringService, SettlementQueue, SettlementRequest, Store};
use app::settlement::{Budget, RunReport, flush, run};
use app::{Clock, Context};
use jiff::Timestamp;
use lambda_shell::batch::{BatchResponse, Failed, each};
use lambda_shell::failure::Failure;
use lambda_shell::logs::Chain;
use lambda_shell::metrics::{self, Metrics};
use serde::Serialize;
use serde_json::Value;

pub use config::Config;
pub use lambda_shell::budget::budget;

use trigger::Trigger;

/// Requests of one batch at work at the same time; they share one pace.
const AT_ONCE: usize = 4;

/// What the scheduler works with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// The answer to an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the schedule: what the run did.
    Run(Box<RunReport>),
    /// To the queue: which messages to deliver again.
    Queue(BatchResponse),
}

/// Does what the event asks for, within `budget`.
///
/// # Errors
/// An event of another kind, or a scheduled run that failed. What was booked until then stays booked.
pub async fn handle<S, A>(
    deps: &Deps<S, A>,
    event: Value,
    budget: &Budget,
) -> Result<Answer, Failure>
where
    S: Store,
    A: MeteringService + EntitlementService + SettlementQueue + Sync,
{
    let now = deps.clock.now();
    match Trigger::read(event).map_err(Failure::UnknownEvent)? {
        Trigger::Schedule => {
            let report = run(&deps.context, &deps.clock, budget).await.inspect_err(|_| {
                deps.metrics.emit(now, &[(metrics::SETTLEMENT_FAILED, 1)]);
            })?;
            let currency = deps.context.listing.catalog.currency();
            report::run(&deps.metrics, now, &report, currency);
            Ok(Answer::Run(Box::new(report)))
        }
        Trigger::Queue(requests) => {
            let serve = |request| serve(deps, request, budget, now);
            Ok(Answer::Queue(each(requests, AT_ONCE, serve).await))
        }
    }
}

/// Serves one request, and logs why when it is not served.
async fn serve<S, A>(
    deps: &Deps<S, A>,
    request: Result<SettlementRequest, serde_json::Error>,
    budget: &Budget,
    now: Timestamp,
) -> Result<(), Failed>
where
    S: Store,
    A: MeteringService + EntitlementService + SettlementQueue + Sync,
{
    let request = request.map_err(|error| {
        deps.metrics.emit(now, &[(metrics::SETTLEMENT_FAILED, 1)]);
        tracing::error!(error = %Chain(&error), "a settlement request cannot be read; it is left for a human");
        Failed
    })?;
    if budget.is_spent() {
        tracing::warn!("no time is left for a settlement request; it is delivered again");
        return Err(Failed);
    }
    let subscription = match &request {
        SettlementRequest::Flush { subscription } => Some(subscription.as_str()),
        SettlementRequest::Backlog => None,
    };
    let settled = match &request {
        SettlementRequest::Flush { subscription } => {
            flush(&deps.context, &deps.clock, budget, subscription).await
        }
        SettlementRequest::Backlog => run(&deps.context, &deps.clock, budget).await,
    };
    match settled {
        Ok(report) => {
            let currency = deps.context.listing.catalog.currency();
            report::request(&deps.metrics, now, subscription, &report, currency);
            Ok(())
        }
        Err(error) => {
            deps.metrics.emit(now, &[(metrics::SETTLEMENT_FAILED, 1)]);
            tracing::error!(
                error = %Chain(&error),
                subscription.id = subscription,
                "a settlement request failed; it is delivered again"
            );
            Err(Failed)
        }
    }
}
