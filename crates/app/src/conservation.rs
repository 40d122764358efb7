//! The conservation check: every meter that is still open is weighed against the usage events and the ledger.
//!
//! It walks all subscriptions, page by page, and remembers after each page how far it got, so that the next invocation
//! goes on there. What is under way at the same time must not look like a fault: a meter is only weighed when its
//! revision was the same before and after its events and lines were read, and only accused when a second look finds the
//! same.

use std::collections::BTreeMap;

use domain::ids::{Dimension, SubscriptionId};
use domain::metering::{Imbalance, Ingested, Ledger, Meter, MeterKey, weigh};
use domain::subscription::Subscription;
use domain::time::Month;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::memo::{Remembered, recall, remember};
use crate::ports::{Cursor, ListFilter, Saved, Store, Task};
use crate::settlement::Budget;
use crate::{Clock, Context, Error};

/// Subscriptions between two notes of how far the check got.
const PAGE: u16 = 10;

/// Subscriptions weighed at the same time.
const AT_ONCE: usize = 4;

/// Events and lines read at once.
const ROWS: u16 = 1000;

/// How often a meter that keeps changing is looked at before it is left to the next check.
const LOOKS: usize = 4;

/// Findings kept by name; the count goes on.
const KEPT: usize = 50;

/// A meter that does not hold what it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which meter.
    pub meter: MeterKey,
    /// What is wrong with it; absent when there are events or lines and no meter at all.
    pub imbalance: Option<Imbalance>,
}

/// One pass through all open meters, done or under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pass {
    /// When it began.
    pub started_at: Timestamp,
    /// When it was through; absent while it is under way.
    pub finished_at: Option<Timestamp>,
    /// Subscriptions looked at.
    pub subscriptions: u64,
    /// Meters weighed.
    pub meters: u64,
    /// Meters that changed all the while and were left to the next pass.
    pub busy: u64,
    /// Meters that do not add up.
    pub broken: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
}

impl Pass {
    fn begin(now: Timestamp) -> Self {
        Self {
            started_at: now,
            finished_at: None,
            subscriptions: 0,
            meters: 0,
            busy: 0,
            broken: 0,
            findings: Vec::new(),
        }
    }

    fn add(&mut self, weighed: Weighed) {
        self.subscriptions = self.subscriptions.saturating_add(1);
        self.meters = self.meters.saturating_add(weighed.meters);
        self.busy = self.busy.saturating_add(weighed.busy);
        for finding in weighed.findings {
            self.broken = self.broken.saturating_add(1);
            if self.findings.len() < KEPT {
                self.findings.push(finding);
            }
        }
    }
}

/// What the check remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conservation {
    /// The last pass that was through.
    pub last: Option<Pass>,
    /// The pass under way.
    pub under_way: Option<Pass>,
    /// Where it goes on.
    cursor: Option<Cursor>,
}

/// What one invocation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Whether the pass is through; else the next invocation goes on.
    pub finished: bool,
    /// Meters weighed by this invocation.
    pub meters: u64,
    /// Meters that this invocation left to the next pass.
    pub busy: u64,
    /// Meters that do not add up, found by this invocation.
    pub broken: u64,
}

/// What the check found last.
///
/// # Errors
/// When the store cannot be read.
pub async fn last<S: Store, A>(ctx: &Context<S, A>) -> Result<Conservation, Error> {
    Ok(recall(&ctx.store, Task::Conservation).await?.value)
}

/// Goes on with the pass under way, or begins one, until it is through or the budget is spent.
///
/// # Errors
/// When the store cannot be reached; the next invocation goes on after the last page that was done.
pub async fn check<S: Store, A: Sync>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
) -> Result<CheckReport, Error> {
    let mut memo: Remembered<Conservation> = recall(&ctx.store, Task::Conservation).await?;
    let mut report = CheckReport::default();
    let mut pass = memo.value.under_way.take().unwrap_or_else(|| Pass::begin(clock.now()));
    let mut after = memo.value.cursor.take();
    loop {
        let page = ctx.store.list(&ListFilter::All, after.as_ref(), PAGE).await?;
        let now = clock.now();
        let open = page.items.into_iter().filter(|state| may_have_open_meters(state, now));
        let weighed: Vec<Weighed> = stream::iter(open)
            .map(|state| subscription(ctx, state.id, now))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for weighed in weighed {
            weighed.findings.iter().for_each(log);
            report.count(&weighed);
            pass.add(weighed);
        }
        after = page.next;
        report.finished = after.is_none();
        if report.finished {
            pass.finished_at = Some(clock.now());
            memo.value = Conservation { last: Some(pass.clone()), under_way: None, cursor: None };
        } else {
            memo.value.under_way = Some(pass.clone());
            memo.value.cursor.clone_from(&after);
        }
        let saved = remember(&ctx.store, Task::Conservation, &mut memo).await?;
        // Overtaken: another invocation is at the same pass, and goes on.
        if report.finished || saved == Saved::Overtaken || budget.is_spent() {
            report.finished &= saved == Saved::Done;
            return Ok(report);
        }
    }
}

impl CheckReport {
    fn count(&mut self, weighed: &Weighed) {
        let found = u64::try_from(weighed.findings.len()).unwrap_or(u64::MAX);
        self.meters = self.meters.saturating_add(weighed.meters);
        self.busy = self.busy.saturating_add(weighed.busy);
        self.broken = self.broken.saturating_add(found);
    }
}

/// A subscription whose end was concluded before the previous month has no meter of this month or the previous one.
fn may_have_open_meters(state: &Subscription, now: Timestamp) -> bool {
    let previous = Month::of(now).previous();
    state.concluded.is_none_or(|concluded| concluded >= previous.start())
}

/// The meters of one subscription, weighed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Weighed {
    meters: u64,
    busy: u64,
    findings: Vec<Finding>,
}

async fn subscription<S: Store, A>(
    ctx: &Context<S, A>,
    id: SubscriptionId,
    now: Timestamp,
) -> Result<Weighed, Error> {
    let mut suspected = Vec::new();
    let mut weighed = Weighed::default();
    for _ in 0..LOOKS {
        let seen = look(&ctx.store, &id, now).await?;
        let (proven, new): (Vec<_>, Vec<_>) =
            seen.findings.iter().cloned().partition(|finding| suspected.contains(finding));
        let unsure = seen.busy.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        weighed = Weighed { meters: seen.meters, busy: unsure, findings: proven };
        if unsure == 0 {
            break;
        }
        suspected = seen.findings;
    }
    Ok(weighed)
}

type Row = (Month, Dimension);

async fn look<S: Store>(store: &S, id: &SubscriptionId, now: Timestamp) -> Result<Weighed, Error> {
    let current = Month::of(now);
    let open = [current.previous(), current];
    let before = meters(store, id, open).await?;
    let mut events: BTreeMap<Row, Ingested> = BTreeMap::new();
    let mut ledgers: BTreeMap<Row, Ledger> = BTreeMap::new();
    // Late usage is booked on a later month than its own.
    for month in [open[0].previous(), open[0], open[1]] {
        count_events(store, id, month, &mut events).await?;
    }
    for month in open {
        count_records(store, id, month, &mut ledgers).await?;
    }
    let after = meters(store, id, open).await?;
    let mut look = Weighed::default();
    for (row, meter) in &after {
        let unchanged = before.get(row).is_some_and(|known| known.revision == meter.revision);
        if !unchanged {
            look.busy = look.busy.saturating_add(1);
            continue;
        }
        look.meters = look.meters.saturating_add(1);
        let ingested = events.get(row).copied().unwrap_or_default();
        let ledger = ledgers.get(row).copied().unwrap_or_default();
        if let Err(imbalance) = weigh(meter, ingested, ledger) {
            let meter = meter.key.clone();
            look.findings.push(Finding { meter, imbalance: Some(*imbalance) });
        }
    }
    let rows = events.keys().chain(ledgers.keys());
    for (month, dimension) in rows.filter(|row| open.contains(&row.0) && !after.contains_key(row)) {
        let meter =
            MeterKey { subscription: id.clone(), month: *month, dimension: dimension.clone() };
        look.findings.push(Finding { meter, imbalance: None });
    }
    look.findings.dedup();
    Ok(look)
}

async fn meters<S: Store>(
    store: &S,
    id: &SubscriptionId,
    months: [Month; 2],
) -> Result<BTreeMap<Row, Meter>, Error> {
    let [one, other] = months;
    let (one, other) = futures::try_join!(store.meters(id, one), store.meters(id, other))?;
    let row = |meter: Meter| ((meter.key.month, meter.key.dimension.clone()), meter);
    Ok(one.into_iter().chain(other).map(row).collect())
}

async fn count_events<S: Store>(
    store: &S,
    id: &SubscriptionId,
    own: Month,
    ingested: &mut BTreeMap<Row, Ingested>,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = store.events(id, own, after.as_ref(), ROWS).await?;
        for booked in page.items.iter().filter(|booked| !booked.released) {
            let row = (booked.booked_month, booked.event.dimension.clone());
            ingested.entry(row).or_default().count(booked.event.quantity);
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn count_records<S: Store>(
    store: &S,
    id: &SubscriptionId,
    month: Month,
    ledgers: &mut BTreeMap<Row, Ledger>,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = store.records(id, month, after.as_ref(), ROWS).await?;
        for record in &page.items {
            ledgers.entry((month, record.key.dimension.clone())).or_default().count(record);
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The line that names the meter and the numbers.
fn log(finding: &Finding) {
    let MeterKey { subscription, month, dimension } = &finding.meter;
    let Some(found) = &finding.imbalance else {
        tracing::error!(
            subscription.id = %subscription,
            usage.dimension = %dimension,
            usage.month = %month,
            "There is usage without a meter"
        );
        return;
    };
    let laws: Vec<_> = found.laws.iter().map(|law| law.as_str()).collect();
    tracing::error!(
        subscription.id = %subscription,
        usage.dimension = %dimension,
        usage.month = %month,
        conservation.broken = laws.join(","),
        conservation.ingested = %found.ingested,
        meter.aggregate = %found.aggregate,
        meter.due = %found.due,
        meter.within_plan = %found.balance.within_plan,
        meter.metered = %found.balance.metered,
        meter.pending = %found.balance.pending,
        meter.not_yet_metered = %found.balance.not_yet_metered,
        meter.parked = %found.balance.parked,
        ledger.accepted = found.ledger.accepted,
        ledger.parked = found.ledger.parked,
        "A meter does not hold what was ingested and booked"
    );
}
