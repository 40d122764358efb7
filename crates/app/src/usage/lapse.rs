//! Reservations whose time is over: released once, whoever comes first, and never one that was kept.

use domain::ids::SubscriptionId;
use domain::metering::{Meter, MeterKey};
use jiff::Timestamp;
use serde::Serialize;

use super::ATTEMPTS;
use crate::ports::{BookedEvent, LapsedEvent, Saved, Usage};
use crate::settlement::Budget;
use crate::{Chain, Clock, Context, Error};

/// Reservations read at once.
const ROWS: u16 = 100;

/// What a release of reservations came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LapseReport {
    /// Released: they count nothing any more.
    pub released: u64,
    /// Not reversible any more, because the plan changed meanwhile: they count for good.
    pub kept: u64,
    /// Not dealt with; the next run does.
    pub failed: u64,
}

/// Releases every reservation whose time is over.
///
/// # Errors
/// When the index cannot be read.
pub async fn release_lapsed<S: Usage, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
) -> Result<LapseReport, Error> {
    let mut report = LapseReport::default();
    let mut after = None;
    loop {
        let page = ctx.store.lapsed(clock.now(), after.as_ref(), ROWS).await?;
        for lapsed in page.items {
            let counter = match release(ctx, &lapsed).await {
                Ok(true) => &mut report.released,
                Ok(false) => &mut report.kept,
                Err(error) => {
                    tracing::error!(
                        subscription.id = %lapsed.subscription,
                        error = %Chain(&error),
                        "A reservation whose time is over was not released; the next run does"
                    );
                    &mut report.failed
                }
            };
            *counter = counter.saturating_add(1);
        }
        after = page.next;
        if after.is_none() || budget.is_spent() {
            return Ok(report);
        }
    }
}

/// Releases what is over of one subscription, before it is told that its quota is full. Answers whether anything was.
pub(super) async fn of<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    now: Timestamp,
) -> Result<bool, Error> {
    let (mut any, mut after) = (false, None);
    loop {
        let page = ctx.store.lapsed(now, after.as_ref(), ROWS).await?;
        for lapsed in page.items.iter().filter(|lapsed| lapsed.subscription == *id) {
            any |= release(ctx, lapsed).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(any);
        }
    }
}

/// Releases a reservation, unless somebody kept or released it meanwhile. Answers whether it counts nothing now; where
/// it cannot be taken back any more it counts for good.
async fn release<S: Usage, A>(ctx: &Context<S, A>, lapsed: &LapsedEvent) -> Result<bool, Error> {
    let LapsedEvent { subscription, event: booked } = lapsed;
    let key = MeterKey {
        subscription: subscription.clone(),
        month: booked.booked_month,
        dimension: booked.event.dimension.clone(),
    };
    for _ in 0..ATTEMPTS {
        let own = domain::time::Month::of(booked.event.at);
        let now_held = ctx.store.event(subscription, own, &booked.event.key).await?;
        if now_held.as_ref() != Some(booked) {
            return Ok(now_held.is_some_and(|event| event.released));
        }
        let mut read = ctx.store.read_usage(subscription, std::slice::from_ref(&key)).await?;
        let meter = read.meters.pop().filter(Meter::is_reversible);
        let released = meter.and_then(|mut meter| {
            let expected = meter.revision;
            let taken_back = meter.release_tagged(booked.event.quantity, &booked.event.tags);
            meter.revision = expected.saturating_add(1);
            taken_back.then_some((meter, expected))
        });
        if let Some((meter, expected)) = released {
            let event = BookedEvent { released: true, ..booked.clone() };
            if ctx.store.release_event(&event, &meter, expected).await? == Saved::Done {
                return Ok(true);
            }
        } else {
            let event = BookedEvent { held_until: None, ..booked.clone() };
            if ctx.store.keep_event(subscription, &event).await? == Saved::Done {
                return Ok(false);
            }
        }
    }
    Err(Error::Contended { what: "the meter" })
}
