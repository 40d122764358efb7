//! Telling webhook endpoints what tenant notices tell: at least once, over days, with the same id at every try.

use domain::delivery::{Delivery, DeliveryState, EndpointHealth, EndpointName};
use domain::subscription::TenantNotice;
use jiff::Timestamp;

use crate::change::ATTEMPTS;
use crate::ports::{Cursor, Deliveries, Page, Posted, Postman, Saved};
use crate::{Clock, Error};

/// Rows read at once.
const PAGE: u16 = 100;

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The endpoint took it.
    Delivered,
    /// It is tried again then.
    Again {
        /// When.
        due: Timestamp,
        /// Why.
        told: String,
    },
    /// It is tried no more.
    GivenUp {
        /// Why.
        told: String,
    },
    /// The endpoint is paused.
    Held,
    /// It was not due, or somebody else is at it.
    NotOurs,
}

/// A try, and whether it paused its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub tried: Tried,
    /// Whether the endpoint was paused because of it.
    pub paused: bool,
}

/// Keeps a delivery of a notice for each endpoint, once, and answers those that are new.
///
/// # Errors
/// When the store cannot be reached: announce it again.
pub async fn announce<S: Deliveries>(
    store: &S,
    endpoints: &[EndpointName],
    notice: &TenantNotice,
    now: Timestamp,
) -> Result<Vec<Delivery>, Error> {
    let mut new = Vec::new();
    for endpoint in endpoints {
        let delivery = Delivery::of(notice, endpoint.clone(), now)
            .map_err(|error| Error::Corrupt { what: "a tenant notice", source: error.into() })?;
        match store.add_delivery(&delivery).await? {
            Saved::Done => new.push(delivery),
            Saved::Overtaken => {}
        }
    }
    Ok(new)
}

/// Tries a delivery: claims it, posts it, and writes down what came of it. A crash after the post leaves a claim that
/// runs out; the message is then sent again with the same id.
///
/// # Errors
/// When the store cannot be reached.
pub async fn attempt<S: Deliveries, P: Postman>(
    store: &S,
    postman: &P,
    clock: &Clock,
    delivery: &Delivery,
) -> Result<Outcome, Error> {
    let not_ours = Outcome { tried: Tried::NotOurs, paused: false };
    let Some(claimed) = delivery.claimed(clock.now()) else { return Ok(not_ours) };
    if store.save_delivery(&claimed, delivery.revision).await? == Saved::Overtaken {
        return Ok(not_ours);
    }
    let health = store.endpoint(&claimed.endpoint).await?;
    if health.is_paused() {
        conclude(store, &claimed, &claimed.held()).await?;
        return Ok(Outcome { tried: Tried::Held, paused: false });
    }
    let posted = postman.post(&claimed, clock.now()).await;
    let now = clock.now();
    match posted {
        Posted::Taken { told } => {
            conclude(store, &claimed, &claimed.delivered(now, told)).await?;
            note(store, health, EndpointHealth::succeeded).await?;
            Ok(Outcome { tried: Tried::Delivered, paused: false })
        }
        Posted::NotTaken { told, gone, patience } => {
            let failed = claimed.failed(now, told.clone(), patience);
            conclude(store, &claimed, &failed).await?;
            let paused = note(store, health, |health| Some(health.failed(now, gone))).await?;
            let tried = match failed.state {
                DeliveryState::Waiting { due } => Tried::Again { due, told },
                DeliveryState::Held
                | DeliveryState::Delivered { .. }
                | DeliveryState::GivenUp { .. } => Tried::GivenUp { told },
            };
            Ok(Outcome { tried, paused })
        }
    }
}

/// Writes what came of a try. Who took the delivery over meanwhile, because the claim had run out, knows better.
async fn conclude<S: Deliveries>(
    store: &S,
    claimed: &Delivery,
    after: &Delivery,
) -> Result<(), Error> {
    match store.save_delivery(after, claimed.revision).await? {
        Saved::Done | Saved::Overtaken => Ok(()),
    }
}

/// Changes how an endpoint does, and answers whether that paused it.
async fn note<S: Deliveries>(
    store: &S,
    mut health: EndpointHealth,
    change: impl Fn(&EndpointHealth) -> Option<EndpointHealth>,
) -> Result<bool, Error> {
    for _ in 0..ATTEMPTS {
        let Some(after) = change(&health) else { return Ok(false) };
        match store.save_endpoint(&after, health.revision).await? {
            Saved::Done => return Ok(after.is_paused() && !health.is_paused()),
            Saved::Overtaken => health = store.endpoint(&after.endpoint).await?,
        }
    }
    // Many tries at once: one of them counts.
    Ok(false)
}

/// Sends to an endpoint again, and everything that was held for it; answers how much that is.
///
/// # Errors
/// When the store cannot be reached: resume it again.
pub async fn resume<S: Deliveries>(
    store: &S,
    endpoint: &EndpointName,
    now: Timestamp,
) -> Result<u64, Error> {
    let health = store.endpoint(endpoint).await?;
    note(store, health, |health| {
        (health.is_paused() || health.failures > 0).then(|| health.resumed())
    })
    .await?;
    let held = |delivery: &Delivery| matches!(delivery.state, DeliveryState::Held);
    send_again(store, endpoint, Timestamp::UNIX_EPOCH, now, held).await
}

/// Sends an endpoint everything again that happened at or after `from`, with the same ids; answers how much that is.
///
/// # Errors
/// When the store cannot be reached: replay it again.
pub async fn replay<S: Deliveries>(
    store: &S,
    endpoint: &EndpointName,
    from: Timestamp,
    now: Timestamp,
) -> Result<u64, Error> {
    // What is waiting for its first try comes anyway.
    let tried = |delivery: &Delivery| delivery.tries > 0 || delivery.due().is_none();
    send_again(store, endpoint, from, now, tried).await
}

async fn send_again<S: Deliveries>(
    store: &S,
    endpoint: &EndpointName,
    from: Timestamp,
    now: Timestamp,
    which: impl Fn(&Delivery) -> bool,
) -> Result<u64, Error> {
    let (mut count, mut after): (u64, Option<Cursor>) = (0, None);
    loop {
        let Page { items, next } = store.deliveries(endpoint, from, after.as_ref(), PAGE).await?;
        for delivery in items.iter().filter(|delivery| which(delivery)) {
            match store.save_delivery(&delivery.again(now), delivery.revision).await? {
                Saved::Done => count = count.saturating_add(1),
                // Under way at this moment: it arrives.
                Saved::Overtaken => {}
            }
        }
        after = next;
        if after.is_none() {
            return Ok(count);
        }
    }
}
