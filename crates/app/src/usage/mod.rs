//! Taking reports of usage: each counted once, on the meter of its month, in one transaction per meter.

mod lapse;
mod refusal;
mod reserve;

use std::collections::BTreeMap;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::ids::SubscriptionId;
use domain::metering::{Meter, MeterKey, UsageEvent, usage_month};
use domain::quantity::Quantity;
use domain::subscription::{LicensePhase, Subscription, TenantNoticeKind};
use domain::time::Month;
use futures::future::join_all;
use jiff::Timestamp;

use crate::ports::{BookedEvent, Recorded, Usage, UsageRead, UsageWrite};
use crate::{Context, Error};

pub use lapse::{LapseReport, release_lapsed};
pub use refusal::Refusal;
pub use reserve::{Consumed, Kept, Released, consume, keep, release};

/// Most reports in one request.
pub const LARGEST_BATCH: usize = 100;

/// Most events in one transaction, which holds at most 100 actions, the meter and the plan's guard among them.
const LARGEST_WRITE: usize = 90;

/// How often a contended meter is tried.
const ATTEMPTS: usize = 10;

/// One report as it came: raw texts, so that each can be refused by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The caller's key.
    pub key: String,
    /// A dimension or a platform metric.
    pub name: String,
    /// A decimal.
    pub quantity: String,
    /// An RFC 3339 instant.
    pub at: String,
    /// For the buyer's cost allocation, by key; may be none.
    pub tags: BTreeMap<String, String>,
}

/// What became of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportAnswer {
    /// It is counted.
    Accepted {
        /// In this month.
        month: Month,
        /// Whether that is later than its own, because its own is closed.
        carried_over: bool,
    },
    /// The same report was counted before.
    Duplicate,
    /// The key belongs to another report.
    Conflict,
    /// It will never be counted.
    Refused(Refusal),
    /// It was not counted because the store failed; report it again.
    Failed,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// There is no such subscription.
    NoSuchSubscription,
    /// One answer per report, in the order given.
    Answers(Vec<ReportAnswer>),
}

/// A report that may be counted, and where it stands in the request.
struct Candidate {
    place: usize,
    booked: BookedEvent,
}

/// Counts reports. Nothing is half done: each report is counted with its meter, or not at all.
///
/// # Errors
/// When the state cannot be read. Trouble with one meter fails its reports only.
pub async fn report<S: Usage + Sync, A: Sync>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    reports: &[Report],
    now: Timestamp,
) -> Result<Reported, Error> {
    let mut answers: Vec<Option<ReportAnswer>> = vec![None; reports.len()];
    let mut doubtful = Vec::new();
    let mut groups = group(ctx, id, reports, now, &mut answers, &mut doubtful);
    let keys: Vec<MeterKey> = groups.keys().cloned().collect();
    let read = ctx.store.read_usage(id, &keys).await?;
    let Some(subscription) = &read.subscription else { return Ok(Reported::NoSuchSubscription) };
    if subscription.phase(now) == LicensePhase::Ended {
        let candidates = std::mem::take(&mut groups).into_values().flatten();
        doubtful.extend(candidates.map(|candidate| Doubtful {
            place: candidate.place,
            event: candidate.booked.event,
            refusal: Refusal::SubscriptionEnded,
        }));
    }
    for (place, answer) in join_all(doubtful.into_iter().map(|it| settle_doubt(ctx, id, it))).await
    {
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    }
    let counted = join_all(groups.into_iter().map(|(key, candidates)| {
        let meter = read.meters.iter().find(|meter| meter.key == key).cloned();
        count_all(ctx, subscription, key, meter, candidates, now)
    }))
    .await;
    for (place, answer) in counted.into_iter().flatten() {
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    }
    Ok(Reported::Answers(
        answers.into_iter().map(|answer| answer.unwrap_or(ReportAnswer::Failed)).collect(),
    ))
}

/// A report that is too late to be counted, unless it was counted before: then its repeat is a duplicate, whatever has
/// happened since.
struct Doubtful {
    place: usize,
    event: UsageEvent,
    refusal: Refusal,
}

async fn settle_doubt<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    doubtful: Doubtful,
) -> (usize, ReportAnswer) {
    let Doubtful { place, event, refusal } = doubtful;
    let answer = match ctx.store.event(id, Month::of(event.at), &event.key).await {
        Ok(Some(existing)) => repeated(&existing, &event),
        Ok(None) => ReportAnswer::Refused(refusal),
        Err(error) => {
            tracing::error!(
                subscription.id = %id,
                error = %crate::Chain(&error),
                "Whether late usage was counted before is not known; the caller is told to report it again"
            );
            ReportAnswer::Failed
        }
    };
    (place, answer)
}

/// Sorts reports by meter; answers those that can be answered without reading anything.
fn group<S, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    reports: &[Report],
    now: Timestamp,
    answers: &mut [Option<ReportAnswer>],
    doubtful: &mut Vec<Doubtful>,
) -> BTreeMap<MeterKey, Vec<Candidate>> {
    let mut groups: BTreeMap<MeterKey, Vec<Candidate>> = BTreeMap::new();
    let mut seen: BTreeMap<(Month, String), UsageEvent> = BTreeMap::new();
    for (place, (report, answer)) in reports.iter().zip(answers).enumerate() {
        let (event, month) = match read(ctx, report, now) {
            Ok((event, Ok(month))) => (event, month),
            Ok((event, Err(refusal))) => {
                doubtful.push(Doubtful { place, event, refusal });
                continue;
            }
            Err(refusal) => {
                *answer = Some(ReportAnswer::Refused(refusal));
                continue;
            }
        };
        match seen.get(&(Month::of(event.at), event.key.to_string())) {
            Some(first) if *first == event => *answer = Some(ReportAnswer::Duplicate),
            Some(_) => *answer = Some(ReportAnswer::Conflict),
            None => {
                seen.insert((Month::of(event.at), event.key.to_string()), event.clone());
                let key = MeterKey {
                    subscription: id.clone(),
                    month,
                    dimension: event.dimension.clone(),
                };
                let booked = BookedEvent {
                    event,
                    booked_month: month,
                    booked_at: now,
                    released: false,
                    held_until: None,
                };
                groups.entry(key).or_default().push(Candidate { place, booked });
            }
        }
    }
    groups
}

/// Reads a report and finds the month that takes it, or why none does.
fn read<S, A>(
    ctx: &Context<S, A>,
    report: &Report,
    now: Timestamp,
) -> Result<(UsageEvent, Result<Month, Refusal>), Refusal> {
    let listing = &ctx.listing;
    let event = UsageEvent {
        key: report.key.parse().map_err(Refusal::InvalidKey)?,
        dimension: listing
            .catalog
            .dimension_named(&report.name)
            .ok_or(Refusal::UnknownDimension)?
            .id
            .clone(),
        quantity: Quantity::report(&report.quantity).map_err(Refusal::InvalidQuantity)?,
        at: report.at.parse().map_err(|_| Refusal::InvalidTime)?,
        tags: report.tags.clone().try_into().map_err(Refusal::InvalidTags)?,
    };
    let month = usage_month(event.at, now, &listing.window, listing.late_usage_days);
    Ok((event, month.map_err(Refusal::from)))
}

async fn count_all<S: Usage, A>(
    ctx: &Context<S, A>,
    subscription: &Subscription,
    key: MeterKey,
    meter: Option<Meter>,
    candidates: Vec<Candidate>,
    now: Timestamp,
) -> Vec<(usize, ReportAnswer)> {
    let mut known =
        UsageRead { subscription: Some(subscription.clone()), meters: meter.into_iter().collect() };
    let mut answers = Vec::with_capacity(candidates.len());
    let mut rest = candidates;
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(LARGEST_WRITE));
        answers.extend(count(ctx, &key, &mut known, rest, now).await);
        rest = later;
    }
    answers
}

/// Counts the reports of one meter: one transaction when nobody else is at it.
async fn count<S: Usage, A>(
    ctx: &Context<S, A>,
    key: &MeterKey,
    known: &mut UsageRead,
    mut candidates: Vec<Candidate>,
    now: Timestamp,
) -> Vec<(usize, ReportAnswer)> {
    let mut answers = Vec::with_capacity(candidates.len());
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(5))
        .with_max_delay(std::time::Duration::from_millis(250))
        .with_jitter()
        .build();
    for _ in 0..ATTEMPTS {
        match without_room(ctx, key, known, &mut candidates).await {
            Ok(refused) => answers.extend(refused),
            Err(error) => {
                log_failed(key, &error);
                break;
            }
        }
        if candidates.is_empty() {
            return answers;
        }
        let events: Vec<BookedEvent> =
            candidates.iter().map(|candidate| candidate.booked.clone()).collect();
        let Some(write) = write(ctx, key, known, events, now) else { break };
        match ctx.store.record_usage(&write).await {
            Ok(Recorded::Done) => {
                known.meters = vec![write.meter];
                answers.extend(
                    candidates
                        .into_iter()
                        .map(|candidate| (candidate.place, accepted(&candidate.booked))),
                );
                return answers;
            }
            Ok(Recorded::Existing(existing)) => {
                candidates.retain(|candidate| match same_key(&existing, &candidate.booked) {
                    Some(existing) => {
                        answers
                            .push((candidate.place, repeated(existing, &candidate.booked.event)));
                        false
                    }
                    None => true,
                });
            }
            Ok(Recorded::Overtaken) => {
                wait(waits.next()).await;
                match ctx.store.read_usage(&key.subscription, std::slice::from_ref(key)).await {
                    Ok(read) => *known = read,
                    Err(error) => {
                        log_failed(key, &error);
                        break;
                    }
                }
            }
            Err(error) => {
                log_failed(key, &error);
                break;
            }
        }
    }
    answers.extend(candidates.iter().map(|candidate| (candidate.place, ReportAnswer::Failed)));
    answers
}

/// Takes out the reports whose tags the meter has no room for. One that was counted before, perhaps on another month's
/// meter, is still a repeat.
async fn without_room<S: Usage, A>(
    ctx: &Context<S, A>,
    key: &MeterKey,
    known: &UsageRead,
    candidates: &mut Vec<Candidate>,
) -> Result<Vec<(usize, ReportAnswer)>, Error> {
    let meter = known.meters.iter().find(|meter| meter.key == *key);
    let mut allocations = meter.map(|meter| meter.allocations.clone()).unwrap_or_default();
    let mut answers = Vec::new();
    for Candidate { place, booked } in candidates.iter() {
        let BookedEvent { event, .. } = booked;
        if allocations.make_room(&event.tags) {
            continue;
        }
        let own = Month::of(event.at);
        let existing = ctx.store.event(&key.subscription, own, &event.key).await?;
        let refused = ReportAnswer::Refused(Refusal::TooManyTagSets);
        answers.push((*place, existing.map_or(refused, |existing| repeated(&existing, event))));
    }
    candidates.retain(|candidate| answers.iter().all(|(place, _)| *place != candidate.place));
    Ok(answers)
}

fn log_failed(key: &MeterKey, error: &Error) {
    tracing::error!(
        subscription.id = %key.subscription,
        usage.dimension = %key.dimension,
        usage.month = %key.month,
        error = %crate::Chain(error),
        "Usage was not counted; the caller is told to report it again"
    );
}

async fn wait(delay: Option<std::time::Duration>) {
    use backon::Sleeper;
    if let Some(delay) = delay {
        backon::TokioSleeper.sleep(delay).await;
    }
}

/// The meter with its events, as it is to be written.
fn write<S, A>(
    ctx: &Context<S, A>,
    key: &MeterKey,
    known: &UsageRead,
    events: Vec<BookedEvent>,
    now: Timestamp,
) -> Option<UsageWrite> {
    let catalog = &ctx.listing.catalog;
    let subscription = known.subscription.as_ref()?;
    let spec = catalog.dimension(&key.dimension)?;
    let before = known.meters.iter().find(|meter| meter.key == *key);
    let mut meter = before.cloned().unwrap_or_else(|| {
        Meter::new(key.clone(), spec.aggregation, subscription.terms(spec, catalog))
    });
    for booked in &events {
        meter.record_tagged(booked.event.quantity, &booked.event.tags, now);
    }
    Some(finish(ctx, subscription, before, meter, events, now))
}

/// Moves the meter's revision along and adds the quota warning that the events cause.
fn finish<S, A>(
    ctx: &Context<S, A>,
    subscription: &Subscription,
    before: Option<&Meter>,
    mut meter: Meter,
    events: Vec<BookedEvent>,
    now: Timestamp,
) -> UsageWrite {
    let outbox = meter.quota_reached().map(|percent| {
        let kind =
            TenantNoticeKind::QuotaReached { dimension: meter.key.dimension.clone(), percent };
        subscription.tenant_notice(kind, &ctx.listing.catalog, now)
    });
    meter.revision = meter.revision.saturating_add(1);
    UsageWrite {
        meter,
        expected: before.map(|before| before.revision),
        state_revision: subscription.revision,
        events,
        outbox,
    }
}

fn same_key<'a>(existing: &'a [BookedEvent], wanted: &BookedEvent) -> Option<&'a BookedEvent> {
    existing.iter().find(|existing| {
        existing.event.key == wanted.event.key
            && Month::of(existing.event.at) == Month::of(wanted.event.at)
    })
}

fn repeated(existing: &BookedEvent, wanted: &UsageEvent) -> ReportAnswer {
    let same = existing.event == *wanted && !existing.released;
    if same { ReportAnswer::Duplicate } else { ReportAnswer::Conflict }
}

fn accepted(booked: &BookedEvent) -> ReportAnswer {
    let month = booked.booked_month;
    ReportAnswer::Accepted { month, carried_over: month != Month::of(booked.event.at) }
}
