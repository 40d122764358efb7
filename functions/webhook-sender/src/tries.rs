//! Trying deliveries, and asking to be called when the next try is due.

use app::Error;
use app::ports::{Deliveries, Postman, WakeUp};
use app::webhooks::{Outcome, Tried, attempt};
use domain::delivery::Delivery;
use jiff::SignedDuration;
use lambda_shell::batch::at_most;
use lambda_shell::logs::Chain;
use lambda_shell::metrics;

use crate::Deps;

/// Deliveries under way at the same time.
const AT_ONCE: usize = 10;

/// Deliveries of one call; the rest is due at the next.
const MOST: u16 = 50;

/// Tries the longest due.
///
/// # Errors
/// When the store cannot be reached.
pub(crate) async fn all_due<S, P, W>(deps: &Deps<S, P, W>) -> Result<(), Error>
where
    S: Deliveries + Sync,
    P: Postman + Sync,
    W: WakeUp + Sync,
{
    let page = deps.store.due_deliveries(deps.clock.now(), None, MOST).await?;
    let more = page.next.is_some();
    each_of(deps, page.items).await?;
    if more {
        wake(deps, SignedDuration::ZERO).await;
    }
    Ok(())
}

/// Tries these.
///
/// # Errors
/// When the store cannot be reached; the others were tried all the same.
pub(crate) async fn each_of<S, P, W>(
    deps: &Deps<S, P, W>,
    deliveries: Vec<Delivery>,
) -> Result<(), Error>
where
    S: Deliveries + Sync,
    P: Postman + Sync,
    W: WakeUp + Sync,
{
    let tried = at_most(AT_ONCE, deliveries, |delivery| async move {
        let outcome = attempt(&deps.store, &deps.postman, &deps.clock, &delivery).await?;
        tell(deps, &delivery, &outcome);
        Ok::<_, Error>(outcome)
    })
    .await;
    let now = deps.clock.now();
    let mut failure = None;
    let mut next: Option<SignedDuration> = None;
    for outcome in tried {
        match outcome {
            Ok(Outcome { tried: Tried::Again { due, .. }, .. }) => {
                let wait = due.duration_since(now).max(SignedDuration::ZERO);
                next = Some(next.map_or(wait, |sooner| sooner.min(wait)));
            }
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    if let Some(wait) = next {
        wake(deps, wait).await;
    }
    failure.map_or(Ok(()), Err)
}

/// The schedule comes anyway; a call that is not made costs minutes, not a delivery.
async fn wake<S, P, W: WakeUp>(deps: &Deps<S, P, W>, wait: SignedDuration) {
    if let Err(error) = deps.wake_up.wake_in(wait).await {
        tracing::warn!(error = %Chain(&error), "the sender could not ask to be called again");
    }
}

fn tell<S, P, W>(deps: &Deps<S, P, W>, delivery: &Delivery, outcome: &Outcome) {
    let now = deps.clock.now();
    let (endpoint, id) = (delivery.endpoint.as_str(), delivery.id.as_str());
    match &outcome.tried {
        Tried::Delivered => {
            deps.metrics.emit(now, &[(metrics::WEBHOOKS_DELIVERED, 1)]);
            tracing::info!(webhook.endpoint = endpoint, webhook.id = id, "delivered a webhook");
        }
        Tried::Again { due, told } => {
            deps.metrics.emit(now, &[(metrics::WEBHOOKS_NOT_TAKEN, 1)]);
            tracing::warn!(
                webhook.endpoint = endpoint,
                webhook.id = id,
                webhook.due = %due,
                reason = told,
                "an endpoint did not take a webhook; it is tried again"
            );
        }
        Tried::GivenUp { told } => {
            deps.metrics.emit(now, &[(metrics::WEBHOOKS_GIVEN_UP, 1)]);
            tracing::error!(
                webhook.endpoint = endpoint,
                webhook.id = id,
                reason = told,
                "an endpoint did not take a webhook for three days; replay it when the endpoint is mended"
            );
        }
        Tried::Held | Tried::NotOurs => {}
    }
    if outcome.paused {
        deps.metrics.emit(now, &[(metrics::WEBHOOK_ENDPOINTS_PAUSED, 1)]);
        tracing::error!(
            webhook.endpoint = endpoint,
            "an endpoint keeps failing and is paused; resume it when it is mended"
        );
    }
}
