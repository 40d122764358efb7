#![doc = include_str!("../README.md")]

mod config;
mod delivery;

use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use app::{Clock, Context};
use domain::notice::Notice;
use jiff::Timestamp;
use lambda_shell::batch::{BatchResponse, Failed, each};
use lambda_shell::failure::Failure;
use lambda_shell::logs::Chain;
use lambda_shell::metrics::{self, Metrics};
use lambda_shell::notices;
use serde_json::Value;

pub use config::Config;

use delivery::{Delivery, Unreadable};

/// Records of one batch at work at the same time.
const AT_ONCE: usize = 10;

/// What the listener works with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// Takes all notices of an event. The answer names the SQS messages to deliver again; for the other triggers it is
/// empty.
///
/// # Errors
/// An event of another kind; or a direct delivery of which something was not taken: repeat it.
pub async fn handle<S, A>(deps: &Deps<S, A>, event: Value) -> Result<BatchResponse, Failure>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    let now = deps.clock.now();
    let delivery = Delivery::read(event).map_err(Failure::UnknownEvent)?;
    let (records, can_fail_partly) = match delivery {
        Delivery::Queue(records) => (records, true),
        Delivery::Direct(notices) => {
            (notices.into_iter().map(|notice| (String::new(), notice)).collect(), false)
        }
    };
    let response = each(records, AT_ONCE, |record| take(deps, record, now)).await;
    if can_fail_partly || response.batch_item_failures.is_empty() {
        Ok(response)
    } else {
        Err(Failure::NotDone)
    }
}

/// Takes one record, and logs why when it is not taken.
async fn take<S, A>(
    deps: &Deps<S, A>,
    record: Result<Notice, Unreadable>,
    now: Timestamp,
) -> Result<(), Failed>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    let notice = record.map_err(|error| {
        deps.metrics.emit(now, &[(metrics::NOTICES_UNREADABLE, 1)]);
        tracing::error!(error = %Chain(&error), "a notification cannot be read; it is left for a human");
        Failed
    })?;
    match notices::take(&deps.context, &deps.metrics, &notice, now).await {
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(
                error = %Chain(&error),
                notice.id = notice.id.as_str(),
                notice.channel = %notice.channel,
                "a notice was not taken; it is delivered again"
            );
            Err(Failed)
        }
    }
}
