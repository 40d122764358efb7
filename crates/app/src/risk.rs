//! What is at risk: measured apart from the scheduler, so that it is told when the scheduler stands still.

use std::collections::BTreeMap;

use domain::ids::SubscriptionId;
use domain::metering::{Meter, MeterKey};
use domain::subscription::{LicensePhase, Status, Subscription};
use domain::time::{Hour, before};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::billing::amount;
use crate::memo::{recall, remember};
use crate::ports::{ListFilter, SHARDS, Store, Task, UsageRead};
use crate::settlement::Budget;
use crate::{Clock, Context, Error};

/// Subscriptions read at the same time.
const AT_ONCE: usize = 8;

/// Rows of an index read at once.
const ROWS: u16 = 100;

/// How long a buyer may take from activation to registration before a human should look.
const REGISTERS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What is at risk now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// The oldest hour whose money is not known to be billed.
    pub oldest_unsettled: Option<Hour>,
    /// What is due and not known to be billed, at the catalog's prices.
    pub money: Decimal,
    /// Meters on which money waits.
    pub meters: u64,
    /// Parked items that wait for a human.
    pub parked: u64,
    /// Active licenses whose buyer has not registered for more than a day.
    pub unregistered: u64,
    /// Whether everything was read before the budget was spent; else the numbers are at least these.
    pub complete: bool,
}

/// What was measured last, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Absent before the first time.
    pub last: Option<(Timestamp, Risk)>,
}

/// Keeps a measurement for people to look at. Of two at the same time one is kept: either will do.
///
/// # Errors
/// When the store cannot be reached.
pub async fn keep<S: Store, A>(
    ctx: &Context<S, A>,
    risk: &Risk,
    now: Timestamp,
) -> Result<(), Error> {
    let mut memo = recall::<_, Measured>(&ctx.store, Task::Risk).await?;
    memo.value.last = Some((now, risk.clone()));
    remember(&ctx.store, Task::Risk, &mut memo).await.map(|_| ())
}

/// Reads what was measured last.
///
/// # Errors
/// When the store cannot be read.
pub async fn last<S: Store, A>(ctx: &Context<S, A>) -> Result<Measured, Error> {
    Ok(recall(&ctx.store, Task::Risk).await?.value)
}

/// Measures what is at risk.
///
/// # Errors
/// When the store cannot be read.
pub async fn measure<S: Store, A: Sync>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
) -> Result<Risk, Error> {
    let mut risk = Risk { complete: true, ..Risk::default() };
    for shard in 0..SHARDS {
        let mut after = None;
        loop {
            let page = ctx.store.unsettled(shard, after.as_ref(), ROWS).await?;
            let mut waiting: BTreeMap<SubscriptionId, Vec<MeterKey>> = BTreeMap::new();
            for meter in page.items {
                waiting.entry(meter.key.subscription.clone()).or_default().push(meter.key);
            }
            let read: Vec<UsageRead> = stream::iter(waiting)
                .map(async |(id, meters)| ctx.store.read_usage(&id, &meters).await)
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            for UsageRead { subscription, meters } in read {
                let Some(owner) = subscription else { continue };
                for meter in &meters {
                    risk.add(ctx, &owner, meter);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
            if budget.is_spent() {
                risk.complete = false;
                return Ok(risk);
            }
        }
    }
    risk.parked = parked(ctx, budget, &mut risk.complete).await?;
    risk.unregistered = unregistered(ctx, clock.now(), budget, &mut risk.complete).await?;
    Ok(risk)
}

impl Risk {
    /// The meter decides, not the index: that may still show one that was settled since.
    fn add<S, A>(&mut self, ctx: &Context<S, A>, owner: &Subscription, meter: &Meter) {
        let Some(since) = meter.unsettled_since() else { return };
        let pending = meter.pending.map_or(0, |pending| pending.quantity);
        let units = meter.to_meter().saturating_add(pending);
        let worth = amount(owner, &ctx.listing.catalog, &meter.key.dimension, units);
        self.money = self.money.saturating_add(worth);
        self.meters = self.meters.saturating_add(1);
        self.oldest_unsettled =
            Some(self.oldest_unsettled.map_or(since, |oldest| oldest.min(since)));
    }
}

async fn parked<S: Store, A>(
    ctx: &Context<S, A>,
    budget: &Budget,
    complete: &mut bool,
) -> Result<u64, Error> {
    let (mut count, mut after) = (0_u64, None);
    loop {
        let page = ctx.store.parked(after.as_ref(), ROWS).await?;
        count = count.saturating_add(u64::try_from(page.items.len()).unwrap_or(u64::MAX));
        after = page.next;
        if after.is_none() || budget.is_spent() {
            *complete &= after.is_none();
            return Ok(count);
        }
    }
}

/// Active licenses that nobody registered are shown as pending, so that list holds them.
async fn unregistered<S: Store, A>(
    ctx: &Context<S, A>,
    now: Timestamp,
    budget: &Budget,
    complete: &mut bool,
) -> Result<u64, Error> {
    let (mut count, mut after) = (0_u64, None);
    let since = before(now, REGISTERS_WITHIN);
    let pending = ListFilter::Status(Status::Pending);
    loop {
        let page = ctx.store.list(&pending, after.as_ref(), ROWS).await?;
        let late = page.items.iter().filter(|state| {
            state.registered.is_none()
                && state.phase(now) == LicensePhase::Active
                && state.license_facts.activated.is_some_and(|activated| activated <= since)
        });
        count = count.saturating_add(u64::try_from(late.count()).unwrap_or(u64::MAX));
        after = page.next;
        if after.is_none() || budget.is_spent() {
            *complete &= after.is_none();
            return Ok(count);
        }
    }
}
