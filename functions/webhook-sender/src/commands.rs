//! What operators ask for.

use std::collections::BTreeMap;

use app::Error;
use app::ports::{Deliveries, Postman, WakeUp};
use app::webhooks::{replay, resume};
use domain::delivery::{DeliveryState, EndpointHealth, EndpointName};
use jiff::Timestamp;
use lambda_shell::failure::Failure;
use serde::Serialize;

use crate::event::Command;
use crate::{Deps, tries};

/// What became of a command.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How the endpoint does now.
    pub health: EndpointHealth,
    /// Deliveries that were set to be sent again.
    pub sent_again: u64,
    /// Deliveries of the last 30 days, by where they stand.
    pub deliveries: BTreeMap<&'static str, u64>,
}

/// Obeys.
///
/// # Errors
/// When the store cannot be reached: repeat the command.
pub(crate) async fn obey<S, P, W>(deps: &Deps<S, P, W>, command: Command) -> Result<Report, Failure>
where
    S: Deliveries + Sync,
    P: Postman + Sync,
    W: WakeUp + Sync,
{
    let now = deps.clock.now();
    let (endpoint, sent_again) = match command {
        Command::Status { endpoint } => (endpoint, 0),
        Command::Resume { endpoint } => {
            let count = resume(&deps.store, &endpoint, now).await?;
            tracing::warn!(webhook.endpoint = endpoint.as_str(), count, "an endpoint was resumed");
            (endpoint, count)
        }
        Command::Replay { endpoint, from } => {
            let count = replay(&deps.store, &endpoint, from, now).await?;
            tracing::warn!(webhook.endpoint = endpoint.as_str(), count, "webhooks are replayed");
            (endpoint, count)
        }
    };
    if sent_again > 0 {
        tries::all_due(deps).await?;
    }
    let deliveries = count(&deps.store, &endpoint).await?;
    Ok(Report { health: deps.store.endpoint(&endpoint).await?, sent_again, deliveries })
}

async fn count<S: Deliveries>(
    store: &S,
    endpoint: &EndpointName,
) -> Result<BTreeMap<&'static str, u64>, Error> {
    let (mut counts, mut after) = (BTreeMap::new(), None);
    loop {
        let page = store.deliveries(endpoint, Timestamp::UNIX_EPOCH, after.as_ref(), 100).await?;
        for delivery in &page.items {
            let word = match delivery.state {
                DeliveryState::Waiting { .. } => "waiting",
                DeliveryState::Held => "held",
                DeliveryState::Delivered { .. } => "delivered",
                DeliveryState::GivenUp { .. } => "givenUp",
            };
            let count: &mut u64 = counts.entry(word).or_default();
            *count = count.saturating_add(1);
        }
        after = page.next;
        if after.is_none() {
            return Ok(counts);
        }
    }
}
