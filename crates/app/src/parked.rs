//! Parked items: units that are due and that AWS does not bill, until a human has them sent once more or settles them
//! otherwise. Both are audited, in the transaction that does it.

use std::collections::{BTreeMap, BTreeSet};

use domain::audit::Actor;
use domain::ids::SubscriptionId;
use domain::metering::{
    Closing, MeteringRecord, ParkReason, RecordKey, RecordStatus, Retry, RetryRefusal,
    retry as put_back,
};
use domain::subscription::Subscription;
use domain::time::MeteringWindow;
use futures::future::try_join_all;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::billing::amount;
use crate::change::{ATTEMPTS, Deed, audited};
use crate::ports::{
    Committed, Cursor, MeterWrite, Page, SettlementQueue, SettlementRequest, Store,
};
use crate::{Chain, Context, Error};

/// A parked line of the ledger, as a human needs to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedItem {
    /// The line.
    pub record: MeteringRecord,
    /// Until when AWS may still take it; absent when it never will.
    pub sendable_until: Option<Timestamp>,
    /// What it is worth at the catalog's prices.
    pub estimated_amount: Decimal,
}

/// Lists what is parked, of all subscriptions, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn list<S: Store, A>(
    ctx: &Context<S, A>,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<Page<ParkedItem>, Error> {
    let page = ctx.store.parked(after, limit).await?;
    let owners: BTreeSet<&SubscriptionId> =
        page.items.iter().map(|record| &record.key.subscription).collect();
    let states = try_join_all(owners.into_iter().map(|id| ctx.store.subscription(id))).await?;
    let states: BTreeMap<SubscriptionId, Subscription> =
        states.into_iter().flatten().map(|state| (state.id.clone(), state)).collect();
    let items = page.items.into_iter().map(|record| {
        let owner = states.get(&record.key.subscription);
        let estimated_amount = owner.map_or(Decimal::ZERO, |owner| {
            amount(owner, &ctx.listing.catalog, &record.key.dimension, record.quantity)
        });
        let sendable_until = sendable_until(&record, &ctx.listing.window);
        ParkedItem { record, sendable_until, estimated_amount }
    });
    Ok(Page { items: items.collect(), next: page.next })
}

/// When AWS's window for a parked line closes. That its license still takes records is another matter.
fn sendable_until(record: &MeteringRecord, window: &MeteringWindow) -> Option<Timestamp> {
    match record.status {
        RecordStatus::Parked { reason, .. } => (reason != ParkReason::Mismatched)
            .then(|| window.closes(record.hour.unwrap_or_else(|| record.key.month.last_hour()))),
        RecordStatus::Accepted { .. }
        | RecordStatus::Retried { .. }
        | RecordStatus::Closed { .. } => None,
    }
}

/// What became of the wish to send a parked item once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// It waits to be sent, and the scheduler is asked to.
    Done(Retry),
    /// There is no such line.
    NotFound,
    /// It may not be sent.
    Refused(RetryRefusal),
}

/// Puts a parked item back on its meter, to be sent once more.
///
/// # Errors
/// When the store cannot be reached, or others keep changing the same subscription.
pub async fn retry<S, A>(
    ctx: &Context<S, A>,
    key: &RecordKey,
    actor: Actor,
    now: Timestamp,
) -> Result<Retried, Error>
where
    S: Store,
    A: SettlementQueue + Sync,
{
    for _ in 0..ATTEMPTS {
        let Some(mut record) = ctx.store.record(key).await? else { return Ok(Retried::NotFound) };
        let owner = &key.meter.subscription;
        let mut read = ctx.store.read_usage(owner, std::slice::from_ref(&key.meter)).await?;
        let (Some(state), Some(mut meter)) = (read.subscription, read.meters.pop()) else {
            return Ok(Retried::NotFound);
        };
        let expected = meter.revision;
        let phase = state.metering_phase(now);
        let how = match put_back(&mut meter, &record, phase, &ctx.listing.window, now) {
            Ok(how) => how,
            Err(refusal) => return Ok(Retried::Refused(refusal)),
        };
        let RecordStatus::Parked { reason, .. } = record.status else {
            return Ok(Retried::Refused(RetryRefusal::NotParked));
        };
        meter.revision = expected.saturating_add(1);
        let was = told(&record);
        record.status = RecordStatus::Retried { reason, at: now };
        let deed = Deed { actor: actor.clone(), action: "parked.retried" };
        let mut change = audited(&state, deed, [("parked", was, told(&record))], now);
        change.meters = vec![MeterWrite::Change { after: meter, expected }];
        change.records = vec![record];
        if ctx.store.commit(&change).await? == Committed::Done {
            send_soon(ctx, owner).await;
            return Ok(Retried::Done(how));
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

/// The next run would send it anyway: that the scheduler cannot be asked to hurry undoes nothing.
async fn send_soon<S, A: SettlementQueue>(ctx: &Context<S, A>, id: &SubscriptionId) {
    let request = SettlementRequest::Flush { subscription: id.clone() };
    if let Err(error) = ctx.aws.send(&request, 0).await {
        tracing::warn!(
            subscription.id = %id,
            error = %Chain(&error),
            "A retried item was not sent at once; the next run sends it"
        );
    }
}

/// What became of the wish to close a parked item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It waits for nobody any more.
    Done,
    /// There is no such line.
    NotFound,
    /// It is not parked any more.
    NotParked,
}

/// Closes a parked item that was settled outside of metering. Its units stay accounted for; they are never sent.
///
/// # Errors
/// When the store cannot be reached, or others keep changing the same subscription.
pub async fn close<S: Store, A>(
    ctx: &Context<S, A>,
    key: &RecordKey,
    how: Closing,
    note: &str,
    actor: Actor,
    now: Timestamp,
) -> Result<Closed, Error> {
    for _ in 0..ATTEMPTS {
        let Some(mut record) = ctx.store.record(key).await? else { return Ok(Closed::NotFound) };
        let RecordStatus::Parked { reason, .. } = record.status else {
            return Ok(Closed::NotParked);
        };
        let Some(state) = ctx.store.subscription(&key.meter.subscription).await? else {
            return Ok(Closed::NotFound);
        };
        let was = told(&record);
        record.status = RecordStatus::Closed { reason, how, note: note.to_owned(), at: now };
        let deed = Deed { actor: actor.clone(), action: "parked.closed" };
        let changes = [("parked", was, told(&record)), ("note", String::new(), note.to_owned())];
        let mut change = audited(&state, deed, changes, now);
        change.records = vec![record];
        if ctx.store.commit(&change).await? == Committed::Done {
            return Ok(Closed::Done);
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

/// A line as the audit trail tells it.
fn told(record: &MeteringRecord) -> String {
    let MeteringRecord { key, hour, quantity, status, .. } = record;
    let hour = hour.map_or_else(|| "never sent".to_owned(), |hour| hour.to_string());
    let status = match status {
        RecordStatus::Accepted { .. } => "accepted".to_owned(),
        RecordStatus::Parked { reason, .. } => format!("parked {}", reason.as_str()),
        RecordStatus::Retried { .. } => "waits again".to_owned(),
        RecordStatus::Closed { how, .. } => how.as_str().to_owned(),
    };
    format!("{quantity} {} of {}, {hour}: {status}", key.dimension, key.month)
}
