//! Settling: what is due becomes metering records, exactly once, whoever dies in between.
//!
//! One meter is settled in three steps. *Freeze* fixes hour and quantity of one record on the meter. *Send* puts up to
//! 25 of them into a call. *Book* moves what AWS accepted from pending to metered. A crash anywhere, a lost answer or a
//! second scheduler at the same time is repaired by running again: the same frozen record is sent again, and AWS counts
//! it once (fact sheet §3.3).

mod book;
mod conclude;
mod freeze;
mod heartbeat;
mod pace;
mod send;

use std::collections::BTreeMap;

use domain::ids::SubscriptionId;
use domain::metering::{MeterKey, ParkReason};
use domain::subscription::LicensePhase;
use domain::time::{Hour, Month, before};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use tracing::Instrument;

use crate::ports::{
    Cursor, EntitlementService, MeteringService, SHARDS, SettlementQueue, SettlementRequest, Store,
    UnsettledMeter,
};
use crate::{Clock, Context, Error};

pub use pace::Budget;

use freeze::{Ready, make_ready};

/// Meters read, frozen or booked at the same time.
const AT_ONCE: usize = 16;

/// Meters worked on between two looks at the budget; ten full calls.
const SLICE: usize = 250;

/// Longest wait between two flushes of a closing license, and the margin kept before its end.
const FLUSH_AGAIN: SignedDuration = SignedDuration::from_mins(5);
const FLUSH_MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// What a run or a flush did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Records fixed.
    pub frozen: u64,
    /// Records AWS accepted.
    pub accepted: u64,
    /// Records AWS already had, equal to ours.
    pub already_held: u64,
    /// Records still under way.
    pub pending: u64,
    /// Records, or units without one, that AWS will never bill.
    pub parked: u64,
    /// The same by reason.
    pub parked_because: BTreeMap<ParkReason, u64>,
    /// What the accepted records will bring, at the catalog's prices.
    pub earned: Decimal,
    /// Meters that the store could not serve.
    pub failed: u64,
    /// Calls of BatchMeterUsage.
    pub calls: u64,
    /// Subscriptions whose end was concluded.
    pub concluded: u64,
    /// The oldest hour whose money is not yet known to be accepted.
    pub oldest_unsettled: Option<Hour>,
    /// Whether the rest was handed to the scheduler's own queue.
    pub handed_over: bool,
}

impl RunReport {
    fn parked(&mut self, reason: ParkReason) {
        self.parked = self.parked.saturating_add(1);
        let count = self.parked_because.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    fn still_waiting(&mut self, since: Hour) {
        self.oldest_unsettled =
            Some(self.oldest_unsettled.map_or(since, |oldest| oldest.min(since)));
    }
}

/// Settles everything that waits, oldest first, after doing what is due.
///
/// # Errors
/// When the index cannot be read, AWS refuses our credentials, or the backlog cannot be handed over. What was booked
/// until then stays booked; run again.
pub async fn run<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
) -> Result<RunReport, Error>
where
    S: Store,
    A: MeteringService + EntitlementService + SettlementQueue + Sync,
{
    let mut report = RunReport::default();
    conclude::sweep(ctx, clock, budget, &mut report).await?;
    let mut cursors: Vec<(u8, Option<Cursor>)> = (0..SHARDS).map(|shard| (shard, None)).collect();
    while !cursors.is_empty() {
        let (meters, next) = next_pages(ctx, &cursors).await?;
        cursors = next;
        for slice in meters.chunks(SLICE) {
            if budget.is_spent() {
                ctx.aws.send(&SettlementRequest::Backlog, 0).await?;
                report.handed_over = true;
                return Ok(report);
            }
            settle(ctx, clock, budget, slice, &mut report).await?;
        }
    }
    if ctx.listing.heartbeat && ctx.listing.pricing.is_metered() {
        heartbeat::beat(ctx, clock, budget, &mut report).await?;
    }
    Ok(report)
}

/// Settles one subscription. While its license is closing the flush asks for the next one itself, so that usage of the
/// final hour is sent until the end; after it, the end is concluded.
///
/// # Errors
/// As [`run`]; the request is delivered again.
pub async fn flush<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    id: &SubscriptionId,
) -> Result<RunReport, Error>
where
    S: Store,
    A: MeteringService + EntitlementService + SettlementQueue + Sync,
{
    let mut report = RunReport::default();
    let Some(state) = ctx.store.subscription(id).await? else { return Ok(report) };
    settle_subscription(ctx, clock, budget, id, &mut report).await?;
    let now = clock.now();
    match state.phase(now) {
        LicensePhase::Closing { until } => {
            let request = SettlementRequest::Flush { subscription: id.clone() };
            ctx.aws.send(&request, delay_before(until, now)).await?;
        }
        LicensePhase::Ended if state.concluded.is_none() => {
            conclude::conclude(ctx, id, clock, &mut report).await?;
        }
        LicensePhase::Pending | LicensePhase::Active | LicensePhase::Ended => {}
    }
    Ok(report)
}

/// Seconds until the next flush: minutes away, but once more shortly before the end.
fn delay_before(until: Timestamp, now: Timestamp) -> u16 {
    let left = before(until, FLUSH_MARGIN).duration_since(now);
    let after_the_end = until.duration_since(now);
    let delay =
        if left <= SignedDuration::from_secs(0) { after_the_end } else { left.min(FLUSH_AGAIN) };
    u16::try_from(delay.as_secs().clamp(1, 900)).unwrap_or(900)
}

/// Settles the meters of one subscription that may still be open.
async fn settle_subscription<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    id: &SubscriptionId,
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + Sync,
{
    let waiting = open_meters(ctx, id, clock.now()).await?;
    settle(ctx, clock, budget, &waiting, report).await
}

/// The meters of a subscription on which money waits, of the months that may still be metered.
async fn open_meters<S: Store, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    now: Timestamp,
) -> Result<Vec<UnsettledMeter>, Error> {
    let month = Month::of(now);
    let (previous, current) =
        futures::try_join!(ctx.store.meters(id, month.previous()), ctx.store.meters(id, month))?;
    let waiting = previous.into_iter().chain(current).filter_map(|meter| {
        meter.unsettled_since().map(|since| UnsettledMeter { key: meter.key, since })
    });
    Ok(waiting.collect())
}

/// The next page of every shard, oldest first, and where each goes on.
async fn next_pages<S: Store, A>(
    ctx: &Context<S, A>,
    cursors: &[(u8, Option<Cursor>)],
) -> Result<(Vec<UnsettledMeter>, Vec<(u8, Option<Cursor>)>), Error> {
    let pages = join_all(
        cursors.iter().map(|(shard, after)| ctx.store.unsettled(*shard, after.as_ref(), 100)),
    )
    .await;
    let mut meters = Vec::new();
    let mut next = Vec::new();
    for ((shard, _), page) in cursors.iter().zip(pages) {
        let page = page?;
        meters.extend(page.items);
        if let Some(cursor) = page.next {
            next.push((*shard, Some(cursor)));
        }
    }
    meters.sort_by_key(|meter| meter.since);
    Ok((meters, next))
}

/// Freezes, sends and books some meters.
async fn settle<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    meters: &[UnsettledMeter],
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + Sync,
{
    let now = clock.now();
    let looked_at: Vec<_> = stream::iter(meters.to_vec())
        .map(|meter| async move {
            let around = around_meter(&meter.key);
            let outcome = make_ready(ctx, &meter.key, now).instrument(around).await;
            (meter, outcome)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut ready: Vec<Ready> = Vec::new();
    for (meter, outcome) in looked_at {
        match outcome {
            Ok(outcome) => {
                report.frozen = report.frozen.saturating_add(u64::from(outcome.frozen));
                outcome.parked.into_iter().for_each(|reason| report.parked(reason));
                if outcome.waits {
                    report.still_waiting(meter.since);
                }
                ready.extend(outcome.ready);
            }
            Err(error) => {
                log_failed(&meter.key, &error);
                report.failed = report.failed.saturating_add(1);
                report.still_waiting(meter.since);
            }
        }
    }
    // Those near the edge of their window go first.
    ready.sort_by_key(|ready| ready.pending.hour);
    send::send_all(ctx, budget, ready, now, report).await
}

/// The span of one meter.
fn around_meter(key: &MeterKey) -> tracing::Span {
    tracing::info_span!("meter", subscription.id = %key.subscription, license = tracing::field::Empty)
}

fn log_failed(key: &MeterKey, error: &Error) {
    tracing::error!(
        subscription.id = %key.subscription,
        usage.dimension = %key.dimension,
        usage.month = %key.month,
        error = %crate::Chain(error),
        "A meter could not be settled; it stays in the index and is tried in the next run"
    );
}
