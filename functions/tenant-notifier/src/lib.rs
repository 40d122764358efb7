#![doc = include_str!("../README.md")]

mod config;
mod publish;
mod stream;

use app::ports::{Outbox, TenantTopic};
use app::{Clock, Context};
use lambda_shell::batch::BatchResponse;
use lambda_shell::failure::Failure;
use lambda_shell::metrics::Metrics;
use serde_json::Value;

pub use config::Config;

/// What the notifier works with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// Publishes what the event carries, or on schedule what is left. The answer names stream records by sequence number:
/// the stream is read again from the earliest.
///
/// # Errors
/// An event of another kind; on schedule also when the outbox cannot be read or something was not published.
pub async fn handle<S, A>(deps: &Deps<S, A>, event: Value) -> Result<BatchResponse, Failure>
where
    S: Outbox + Sync,
    A: TenantTopic + Sync,
{
    let now = deps.clock.now();
    if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        publish::leftovers(deps, now).await?;
        return Ok(BatchResponse::default());
    }
    let records = stream::read(event).map_err(Failure::UnknownEvent)?;
    let mut items = Vec::with_capacity(records.len());
    let mut failed = Vec::new();
    for (sequence_number, record) in records {
        match record {
            Ok(Some(item)) => items.push((sequence_number, item)),
            Ok(None) => {}
            Err(error) => {
                publish::log_unreadable(deps, &error, now);
                failed.push(sequence_number);
            }
        }
    }
    failed.extend(publish::in_order(deps, items, now).await);
    Ok(BatchResponse::failed(failed))
}
