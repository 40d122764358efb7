//! Reservations: asking and counting in one conditional write, so that concurrent callers never overshoot a quota.

use domain::entitlement::{Decision, DimensionUse, decide};
use domain::ids::{IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, UsageEvent};
use domain::subscription::LicensePhase;
use domain::time::{Month, after};
use jiff::{SignedDuration, Timestamp};

use super::{ATTEMPTS, Refusal, Report, finish, lapse, read, repeated, same_key};
use crate::ports::{BookedEvent, Recorded, Saved, Usage};
use crate::usage::ReportAnswer;
use crate::{Context, Error};

/// What became of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consumed {
    /// There is no such subscription.
    NoSuchSubscription,
    /// It is counted; the platform may go on.
    Reserved {
        /// The dimension as it stands now.
        usage: DimensionUse,
        /// Until when it is held; absent when it counts for good.
        held_until: Option<Timestamp>,
    },
    /// The same reservation was counted before; the platform may go on.
    Duplicate,
    /// The key belongs to another report.
    Conflict,
    /// It names something that does not exist, or is not possible at that time.
    Refused(Refusal),
    /// No: the buyer has no access, or the quota does not hold it.
    Denied(Decision),
}

/// Reserves and counts usage if the buyer may use it now. With `hold`, only for so long: who keeps it in time has it
/// counted for good, otherwise it is released by itself.
///
/// # Errors
/// When the store cannot be reached or the meter stays contended; nothing is counted unless a repeat says so.
pub async fn consume<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    report: &Report,
    hold: Option<SignedDuration>,
    now: Timestamp,
) -> Result<Consumed, Error> {
    let (event, month) = match read(ctx, report, now) {
        Ok((event, Ok(month))) => (event, month),
        Ok((event, Err(refusal))) => return refused(ctx, id, &event, refusal).await,
        Err(refusal) => return Ok(Consumed::Refused(refusal)),
    };
    let held_until = hold.map(|hold| after(now, hold));
    let booked =
        BookedEvent { event, booked_month: month, booked_at: now, released: false, held_until };
    let consumed = reserve(ctx, id, &booked, now).await?;
    // What nobody kept in time still fills the quota until it is released.
    if consumed == Consumed::Denied(Decision::QuotaExceeded) && lapse::of(ctx, id, now).await? {
        return reserve(ctx, id, &booked, now).await;
    }
    Ok(consumed)
}

async fn reserve<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    booked: &BookedEvent,
    now: Timestamp,
) -> Result<Consumed, Error> {
    let catalog = &ctx.listing.catalog;
    let dimension = &booked.event.dimension;
    let Some(spec) = catalog.dimension(dimension) else {
        return Ok(Consumed::Refused(Refusal::UnknownDimension));
    };
    let key = MeterKey {
        subscription: id.clone(),
        month: booked.booked_month,
        dimension: dimension.clone(),
    };
    for _ in 0..ATTEMPTS {
        let known = ctx.store.read_usage(id, std::slice::from_ref(&key)).await?;
        let Some(subscription) = &known.subscription else {
            return Ok(Consumed::NoSuchSubscription);
        };
        if subscription.phase(now) == LicensePhase::Ended {
            return refused(ctx, id, &booked.event, Refusal::SubscriptionEnded).await;
        }
        let before = known.meters.first();
        let mut meter = before.cloned().unwrap_or_else(|| {
            Meter::new(key.clone(), spec.aggregation, subscription.terms(spec, catalog))
        });
        if booked.held_until.is_some() && !meter.is_reversible() {
            return Ok(Consumed::Refused(Refusal::NotReversible));
        }
        let room = meter.allocations.make_room(&booked.event.tags);
        let decision = match decide(subscription, catalog, None, None, now) {
            Decision::Allowed
                if meter
                    .consume_tagged(booked.event.quantity, &booked.event.tags, now)
                    .is_err() =>
            {
                Decision::QuotaExceeded
            }
            decision @ (Decision::Allowed
            | Decision::NoAccess(_)
            | Decision::FeatureNotInPlan
            | Decision::QuotaExceeded) => decision,
        };
        if decision != Decision::Allowed || !room {
            // A repeat of a reservation that was counted must not be denied because it filled the quota itself.
            return Ok(
                match ctx.store.event(id, Month::of(booked.event.at), &booked.event.key).await? {
                    Some(existing) => as_consumed(&repeated(&existing, &booked.event)),
                    None if decision == Decision::Allowed => {
                        Consumed::Refused(Refusal::TooManyTagSets)
                    }
                    None => Consumed::Denied(decision),
                },
            );
        }
        let usage = DimensionUse::of(subscription, spec, Some(&meter), catalog);
        let write = finish(ctx, subscription, before, meter, vec![booked.clone()], now);
        match ctx.store.record_usage(&write).await? {
            Recorded::Done => {
                return Ok(Consumed::Reserved { usage, held_until: booked.held_until });
            }
            Recorded::Existing(existing) => {
                let answer =
                    same_key(&existing, booked).map(|existing| repeated(existing, &booked.event));
                return Ok(as_consumed(&answer.unwrap_or(ReportAnswer::Conflict)));
            }
            Recorded::Overtaken => {}
        }
    }
    Err(Error::Contended { what: "the meter" })
}

/// A reservation that is too late, unless it was counted before.
async fn refused<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    event: &UsageEvent,
    refusal: Refusal,
) -> Result<Consumed, Error> {
    Ok(match ctx.store.event(id, Month::of(event.at), &event.key).await? {
        Some(existing) => as_consumed(&repeated(&existing, event)),
        None => Consumed::Refused(refusal),
    })
}

fn as_consumed(answer: &ReportAnswer) -> Consumed {
    match answer {
        ReportAnswer::Duplicate => Consumed::Duplicate,
        ReportAnswer::Conflict
        | ReportAnswer::Accepted { .. }
        | ReportAnswer::Refused(_)
        | ReportAnswer::Failed => Consumed::Conflict,
    }
}

/// What became of giving a reservation back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// There is no such subscription or reservation.
    NotFound,
    /// It counts nothing any more.
    Done,
    /// It was given back before.
    AlreadyReleased,
    /// Its dimension bills what is used or takes a peak: what was counted stays counted.
    NotReversible,
}

/// Gives a reservation back that was not used. `month` is the month of the reservation's own time.
///
/// # Errors
/// When the store cannot be reached or the meter stays contended.
pub async fn release<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    key: &str,
    month: Month,
    _now: Timestamp,
) -> Result<Released, Error> {
    let Ok(key) = key.parse::<IdempotencyKey>() else { return Ok(Released::NotFound) };
    for _ in 0..ATTEMPTS {
        let Some(booked) = ctx.store.event(id, month, &key).await? else {
            return Ok(Released::NotFound);
        };
        if booked.released {
            return Ok(Released::AlreadyReleased);
        }
        let meter_key = MeterKey {
            subscription: id.clone(),
            month: booked.booked_month,
            dimension: booked.event.dimension.clone(),
        };
        let mut known = ctx.store.read_usage(id, std::slice::from_ref(&meter_key)).await?;
        let Some(mut meter) = known.meters.pop() else { return Ok(Released::NotFound) };
        let expected = meter.revision;
        if !meter.release_tagged(booked.event.quantity, &booked.event.tags) {
            return Ok(Released::NotReversible);
        }
        meter.revision = meter.revision.saturating_add(1);
        let released = BookedEvent { released: true, ..booked };
        match ctx.store.release_event(&released, &meter, expected).await? {
            Saved::Done => return Ok(Released::Done),
            Saved::Overtaken => {}
        }
    }
    Err(Error::Contended { what: "the meter" })
}

/// What became of keeping a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// There is no such subscription or reservation.
    NotFound,
    /// It counts for good.
    Done,
    /// It counted for good before.
    AlreadyKept,
    /// Its time is over, or it was given back: it counts nothing.
    Lapsed,
}

/// Makes a held reservation count for good. `month` is the month of the reservation's own time.
///
/// # Errors
/// When the store cannot be reached.
pub async fn keep<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    key: &str,
    month: Month,
    now: Timestamp,
) -> Result<Kept, Error> {
    let Ok(key) = key.parse::<IdempotencyKey>() else { return Ok(Kept::NotFound) };
    for _ in 0..ATTEMPTS {
        let Some(booked) = ctx.store.event(id, month, &key).await? else {
            return Ok(Kept::NotFound);
        };
        match booked.held_until {
            _ if booked.released => return Ok(Kept::Lapsed),
            None => return Ok(Kept::AlreadyKept),
            Some(until) if until <= now => return Ok(Kept::Lapsed),
            Some(_) => {}
        }
        let kept = BookedEvent { held_until: None, ..booked };
        if ctx.store.keep_event(id, &kept).await? == Saved::Done {
            return Ok(Kept::Done);
        }
    }
    Err(Error::Contended { what: "the reservation" })
}
