//! Zero records for idle subscriptions, where the seller wants them: one per subscription and complete hour.

use domain::metering::{Meter, MeterKey, freeze_heartbeat};
use domain::subscription::{Status, Subscription};
use domain::time::{Hour, Month};
use jiff::Timestamp;

use super::freeze::{Ready, ready};
use super::{Budget, RunReport, send};
use crate::ports::{ListFilter, MeteringService, Recorded, Saved, Store, UsageWrite};
use crate::{Clock, Context, Error};

/// Sends what is missing for the last complete hour.
pub(super) async fn beat<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + Sync,
{
    let mut after = None;
    loop {
        let now = clock.now();
        let page = ctx.store.list(&ListFilter::Status(Status::Active), after.as_ref(), 100).await?;
        let mut beats = Vec::new();
        for subscription in &page.items {
            if budget.is_spent() {
                return Ok(());
            }
            beats.extend(idle(ctx, subscription, now).await?);
        }
        report.frozen =
            report.frozen.saturating_add(u64::try_from(beats.len()).unwrap_or(u64::MAX));
        send::send_all(ctx, budget, beats, now, report).await?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A zero record for a subscription whose last complete hour carries none in any dimension.
async fn idle<S: Store, A>(
    ctx: &Context<S, A>,
    subscription: &Subscription,
    now: Timestamp,
) -> Result<Option<Ready>, Error> {
    let hour = Hour::of(now).previous();
    let month = Month::of(now);
    if hour.month() != month {
        return Ok(None);
    }
    let meters = ctx.store.meters(&subscription.id, month).await?;
    if meters.iter().any(|meter| meter.used_hours.contains(&hour)) {
        return Ok(None);
    }
    let Some(spec) = ctx.listing.catalog.dimensions().first() else { return Ok(None) };
    let mut meter = match meters.into_iter().find(|meter| meter.key.dimension == spec.id) {
        Some(meter) => meter,
        None => match new_meter(ctx, subscription, month, spec).await? {
            Some(meter) => meter,
            None => return Ok(None),
        },
    };
    let expected = meter.revision;
    if !freeze_heartbeat(&mut meter, subscription.metering_phase(now), &ctx.listing.window, now) {
        return Ok(None);
    }
    meter.revision = expected.saturating_add(1);
    match ctx.store.save_meter(&meter, expected).await? {
        Saved::Done => Ok(meter
            .pending
            .map(|pending| ready(subscription, &ctx.listing, meter.clone(), pending))),
        Saved::Overtaken => Ok(None),
    }
}

async fn new_meter<S: Store, A>(
    ctx: &Context<S, A>,
    subscription: &Subscription,
    month: Month,
    spec: &domain::catalog::DimensionSpec,
) -> Result<Option<Meter>, Error> {
    let key = MeterKey { subscription: subscription.id.clone(), month, dimension: spec.id.clone() };
    let mut meter =
        Meter::new(key, spec.aggregation, subscription.terms(spec, &ctx.listing.catalog));
    meter.revision = 1;
    let write = UsageWrite {
        meter: meter.clone(),
        expected: None,
        state_revision: subscription.revision,
        events: Vec::new(),
        outbox: None,
    };
    Ok(match ctx.store.record_usage(&write).await? {
        Recorded::Done => Some(meter),
        Recorded::Existing(_) | Recorded::Overtaken => None,
    })
}
