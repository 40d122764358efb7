//! The first step: a frozen record for what waits on a meter.

use domain::metering::{
    Freeze, Lost, Meter, MeterKey, MeteringRecord, ParkReason, Pending, RecordStatus, freeze,
    pending_fate,
};
use domain::subscription::Subscription;
use domain::time::before;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::book::log_parked;
use crate::billing::amount;
use crate::change::ATTEMPTS;
use crate::ports::{OutgoingRecord, Saved, Usage};
use crate::{Context, Error, Listing, about};

/// How long an invocation may live (Lambda's limit): until then it may still book AWS's answer to what it sent.
const LONGEST_INVOCATION: SignedDuration = SignedDuration::from_mins(15);

/// A meter with a frozen record, ready to send.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) meter: Meter,
    pub(super) pending: Pending,
    pub(super) record: OutgoingRecord,
    /// Whether nobody can have sent it yet: it was frozen by this very run, which has not sent it either.
    pub(super) unsent: bool,
    /// What it will bring, at the catalog's prices.
    pub(super) worth: Decimal,
}

/// What looking at a meter came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) ready: Option<Ready>,
    pub(super) frozen: bool,
    pub(super) parked: Vec<ParkReason>,
    pub(super) waits: bool,
}

/// Freezes a record when one is due and an hour is free; gives up what can never be billed.
pub(super) async fn make_ready<S: Usage, A>(
    ctx: &Context<S, A>,
    key: &MeterKey,
    now: Timestamp,
) -> Result<Looked, Error> {
    let window = &ctx.listing.window;
    let mut looked = Looked::default();
    for _ in 0..ATTEMPTS {
        let mut read = ctx.store.read_usage(&key.subscription, std::slice::from_ref(key)).await?;
        let (Some(state), Some(mut meter)) = (read.subscription, read.meters.pop()) else {
            return Ok(looked);
        };
        about(&state.id, Some(&state.license));
        let expected = meter.revision;
        let phase = state.metering_phase(now);
        // What was sent before the end may have been accepted, and whoever sent it may be about to book that.
        let answered_by = before(now, LONGEST_INVOCATION);
        let fate = pending_fate(&meter, state.metering_phase(answered_by), window, answered_by);
        if let Some(reason) = fate {
            let allocations = meter.allocations.pending.clone();
            let parked = meter.park_pending();
            let hour = parked.map(|pending| pending.hour);
            let quantity = parked.map_or(0, |pending| pending.quantity);
            let lost = Lost { quantity, allocations };
            let record = parked_record(key, hour, lost, reason, now);
            if park(ctx, &state, meter, expected, record).await? == Saved::Done {
                looked.parked.push(reason);
            }
            continue;
        }
        if let Some(pending) = meter.pending {
            // Whoever froze it learns from this write that its answer may be about another's call.
            if meter.send_again() {
                meter.revision = expected.saturating_add(1);
                if ctx.store.save_meter(&meter, expected).await? == Saved::Overtaken {
                    continue;
                }
            }
            let pending = meter.pending.unwrap_or(pending);
            looked.ready = Some(ready(&state, &ctx.listing, meter, pending));
            return Ok(looked);
        }
        match freeze(&mut meter, phase, window, now) {
            Freeze::Nothing => return Ok(looked),
            Freeze::Later => {
                looked.waits = true;
                return Ok(looked);
            }
            Freeze::Lost(reason) => {
                let lost = meter.park_waiting();
                let record = parked_record(key, None, lost, reason, now);
                if park(ctx, &state, meter, expected, record).await? == Saved::Done {
                    looked.parked.push(reason);
                    return Ok(looked);
                }
            }
            Freeze::Frozen => {
                meter.revision = expected.saturating_add(1);
                if ctx.store.save_meter(&meter, expected).await? == Saved::Done {
                    looked.frozen = true;
                    looked.ready = meter
                        .pending
                        .map(|pending| ready(&state, &ctx.listing, meter.clone(), pending));
                    return Ok(looked);
                }
            }
        }
    }
    Err(Error::Contended { what: "the meter" })
}

pub(super) fn ready(
    state: &Subscription,
    listing: &Listing,
    meter: Meter,
    pending: Pending,
) -> Ready {
    let record = OutgoingRecord {
        license: state.license.clone(),
        account: state.account.clone(),
        dimension: meter.key.dimension.clone(),
        hour: pending.hour,
        quantity: pending.quantity,
        allocations: meter.allocations.pending.clone(),
    };
    let worth = amount(state, &listing.catalog, &meter.key.dimension, pending.quantity);
    Ready { meter, pending, record, unsent: !pending.sent_before, worth }
}

fn parked_record(
    key: &MeterKey,
    hour: Option<domain::time::Hour>,
    Lost { quantity, allocations }: Lost,
    reason: ParkReason,
    now: Timestamp,
) -> MeteringRecord {
    let status = RecordStatus::Parked { reason, code: None };
    MeteringRecord { key: key.clone(), hour, quantity, status, booked_at: now, allocations }
}

async fn park<S: Usage, A>(
    ctx: &Context<S, A>,
    judged_by: &Subscription,
    mut meter: Meter,
    expected: u64,
    record: MeteringRecord,
) -> Result<Saved, Error> {
    meter.revision = expected.saturating_add(1);
    let saved = ctx.store.give_up(&meter, expected, &record, judged_by.revision).await?;
    if saved == Saved::Done {
        log_parked(&record);
    }
    Ok(saved)
}
