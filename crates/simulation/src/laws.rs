//! The laws, each a sentence. Those of this file hold at every moment and are checked with every write and every call;
//! those of [`crate::verdict`] hold once the faults have stopped and time has passed.

use app::ports::{Change, OutgoingRecord, RecordAnswer, SubmitError, UsageWrite};
use domain::ids::{LicenseArn, LicenseRef};
use domain::metering::{Meter, MeterKey, MeteringPhase, MeteringRecord, ParkReason, RecordStatus};
use domain::subscription::{LicensePhase, Subscription};
use domain::time::Hour;
use rust_decimal::Decimal;
use simulator::InvoiceLine;

use crate::core::Core;
use crate::store::changed;

pub(crate) const NEVER_MORE_THAN_DUE: &str = "AWS never bills more than is due, at any moment";
pub(crate) const ONE_QUANTITY: &str = "no hour key is ever sent with two quantities";
pub(crate) const SMALL_CALLS: &str = "no call holds more than 25 records";
pub(crate) const WITHIN_THE_PACE: &str = "no call is made without the leave of AWS's pace";
pub(crate) const ONE_PATH: &str =
    "a product code never goes out together with a license, and no request reaches 1 MB";
pub(crate) const PARTS_ADD_UP: &str =
    "within the plan, metered, pending, not yet metered and parked add up to what was used";
pub(crate) const ONLY_GROWS: &str = "what is due and what is metered only grow";
pub(crate) const FROZEN_STAYS: &str =
    "a frozen record keeps its hour and quantity until AWS's answer is booked";

pub(crate) const TAGS_ADD_UP: &str = "what is allocated to the buyer's tags adds up to the record";

pub(crate) const BILL_IS_WHAT_IS_METERED: &str =
    "AWS bills exactly what is metered, per license, dimension and month";
pub(crate) const ALL_IS_SETTLED: &str =
    "after faults stop and time passes, all that is due is metered, or listed with its reason";
pub(crate) const NOTHING_IS_LOST_NEEDLESSLY: &str =
    "while the schedule is kept, nothing is given up that had a legal way to be billed";
pub(crate) const REFUSED_RIGHTLY: &str = "usage is refused only if its hour has not begun, it is older than a week, or its subscription is over";
pub(crate) const BOUGHT_IS_KNOWN: &str = "what an active agreement grants is known";
pub(crate) const DUE_FOLLOWS_THE_PLAN: &str =
    "what is due is what was used beyond what the plan includes";
pub(crate) const LEDGER_IS_THE_METER: &str =
    "the ledger's lines add up to what the meter says is metered and parked";
pub(crate) const LOSSES_ARE_TOLD: &str = "what AWS will not bill is on the list of parked items and in the measurement that raises alarms";
pub(crate) const THE_PRODUCT_AGREES: &str =
    "the product's own check of conservation finds every meter in balance";
pub(crate) const EVENTS_COUNT_ONCE: &str =
    "every event that was taken counts exactly once, and every other nothing";
pub(crate) const ACCESS_FOLLOWS_AWS: &str =
    "access is given exactly while registered, active and not on hold";
pub(crate) const PLATFORM_SEES_IT: &str =
    "a platform that drops passed revisions ends with the access that the state says";
pub(crate) const ORDER_DOES_NOT_MATTER: &str =
    "the same notices in another order, some twice, make the same state";
pub(crate) const AUDIT_VERIFIES: &str = "every audit chain verifies";
pub(crate) const OUTBOX_DRAINS: &str = "the outbox drains";
pub(crate) const NOTICES_ARE_MARKED: &str = "every notice that was taken is marked as processed";
pub(crate) const WORK_ENDS: &str = "when faults stop, all work ends";
pub(crate) const SAME_STORY: &str = "every store makes the same story of a seed, line by line";
pub(crate) const MIRROR: &str = "the store holds what was written to it";

/// Judges a meter as it was just written.
pub(crate) fn metered(core: &Core, meter: &Meter) {
    let before = {
        let mut inner = core.lock();
        if let Some(pending) = meter.pending.filter(|pending| pending.sent_before) {
            inner.taken_over.insert(hour_key(&meter.key, pending.hour));
        }
        inner.meters.insert(meter.key.clone(), meter.clone())
    };
    let name = &meter.key;
    core.tell(format_args!(
        "{name}: used {}, due {}, metered {}, parked {}, pending {}",
        meter.aggregate,
        meter.due(),
        meter.metered,
        meter.parked,
        meter.pending.map_or_else(|| "-".to_owned(), |it| format!("{}={}", it.hour, it.quantity)),
    ));
    let total = meter.balance().total();
    core.hold(total == meter.aggregate, PARTS_ADD_UP, || {
        format!("{name}: {total} of {}", meter.aggregate)
    });
    let Some(before) = before else { return };
    if before.aggregate == meter.aggregate && before.due() < meter.due() {
        let now = core.now();
        core.lock().weighed.insert(meter.key.clone(), now);
    }
    let grows = before.due() <= meter.due() && before.metered <= meter.metered;
    core.hold(grows, ONLY_GROWS, || {
        format!(
            "{name}: due {} → {}, metered {} → {}",
            before.due(),
            meter.due(),
            before.metered,
            meter.metered
        )
    });
    let booked = meter.metered.saturating_add(meter.parked);
    let booked_before = before.metered.saturating_add(before.parked);
    let Some(pending) = before.pending else { return };
    // Meanwhile an operator may take back what was parked without ever being sent.
    let stays = meter.pending.is_some_and(|it| it.is(&pending))
        && meter.metered == before.metered
        && meter.parked <= before.parked;
    let is_booked =
        meter.pending.is_none() && booked == booked_before.saturating_add(pending.quantity);
    core.hold(stays || is_booked, FROZEN_STAYS, || {
        format!("{name}: {pending:?} became {:?} and {booked} booked", meter.pending)
    });
}

/// Notes when usage came, and judges its meter.
pub(crate) fn ingested(core: &Core, write: &UsageWrite) {
    let now = core.now();
    {
        let mut inner = core.lock();
        for booked in &write.events {
            let owner = write.meter.key.subscription.clone();
            inner.came.entry((owner, booked.event.key.to_string())).or_insert(now);
        }
    }
    metered(core, &write.meter);
}

/// Judges a meter from which a reservation was taken.
pub(crate) fn released(core: &Core, meter: &Meter) {
    metered(core, meter);
}

/// Judges what was just given up by what is known of the license at that moment.
pub(crate) fn given_up(core: &Core, record: &MeteringRecord, known: &Subscription) {
    let closed = matches!(record.status, RecordStatus::Parked { reason: ParkReason::Closed, .. });
    let is_open = matches!(known.metering_phase(core.now()), MeteringPhase::Open { .. });
    core.hold(!(closed && is_open), NOTHING_IS_LOST_NEEDLESSLY, || {
        format!(
            "{}: {} given up although it is known that AWS takes it",
            record.key, record.quantity
        )
    });
}

/// Judges a change as it was just committed.
pub(crate) fn committed(core: &Core, change: &Change) {
    for meter in changed(change) {
        metered(core, meter);
    }
    let retried =
        change.records.iter().filter(|it| matches!(it.status, RecordStatus::Retried { .. }));
    let now = core.now();
    core.lock().taken_back.extend(retried.map(|record| (record.clone(), now)));
    let Some(write) = &change.state else { return };
    let state = &write.after;
    let account = state.account.as_ref().map(ToString::to_string);
    let account = account.or_else(|| state.customer.as_ref().map(ToString::to_string));
    {
        let mut inner = core.lock();
        inner.accounts.insert(state.id.clone(), account.unwrap_or_default());
        if state.license.arn().is_none_or(LicenseArn::is_complete) {
            inner.named.entry(state.id.clone()).or_insert(write.now);
        }
        match state.phase(write.now) {
            LicensePhase::Closing { until } => inner.closing.insert(state.id.clone(), until),
            LicensePhase::Pending | LicensePhase::Active | LicensePhase::Ended => {
                inner.closing.remove(&state.id)
            }
        };
    }
    let action = change.audit.as_ref().map_or("", |entry| entry.action.as_str());
    core.tell(format_args!(
        "{} {action}: {} at revision {}, access {}",
        state.id,
        state.status(write.now),
        state.revision,
        state.access(write.now).as_str()
    ));
}

/// The meter of a record.
fn meter_of(record: &OutgoingRecord) -> MeterKey {
    MeterKey {
        subscription: record.license.subscription_id(),
        month: record.hour.month(),
        dimension: record.dimension.clone(),
    }
}

/// What AWS tells records apart by.
pub(crate) fn hour_key(meter: &MeterKey, hour: Hour) -> String {
    format!("{}/{}/{hour}", meter.subscription, meter.dimension)
}

/// Counts a call that the product makes: for it, one that never goes out may have taken effect.
pub(crate) fn tried(core: &Core, records: &[OutgoingRecord]) {
    for record in records {
        let key = meter_of(record);
        let mut inner = core.lock();
        let sent = inner.sent.entry(hour_key(&key, record.hour)).or_default();
        sent.times = sent.times.saturating_add(1);
    }
}

/// Judges a call before it goes out.
pub(crate) fn sending(core: &Core, records: &[OutgoingRecord]) {
    let (allowed, called) = {
        let mut inner = core.lock();
        inner.called = inner.called.saturating_add(1);
        (inner.allowed, inner.called)
    };
    core.hold(called <= allowed, WITHIN_THE_PACE, || format!("{called} calls, {allowed} allowed"));
    core.hold(records.len() <= 25, SMALL_CALLS, || format!("{} records", records.len()));
    for record in records {
        let OutgoingRecord { hour, quantity, .. } = record;
        let key = meter_of(record);
        let key = hour_key(&key, *hour);
        let first = {
            let mut inner = core.lock();
            let sent = inner.sent.entry(key.clone()).or_default();
            *sent.quantity.get_or_insert(*quantity)
        };
        core.hold(first == *quantity, ONE_QUANTITY, || format!("{key}: {first}, then {quantity}"));
    }
}

/// Judges what AWS said of a call.
pub(crate) fn answered(
    core: &Core,
    records: &[OutgoingRecord],
    answers: &Result<Vec<RecordAnswer>, SubmitError>,
) {
    let unprocessed = records.iter().zip(answers.iter().flatten());
    for (record, _) in unprocessed.filter(|(_, it)| **it == RecordAnswer::Unprocessed) {
        let key = meter_of(record);
        let mut inner = core.lock();
        let sent = inner.sent.entry(hour_key(&key, record.hour)).or_default();
        sent.unprocessed = sent.unprocessed.saturating_add(1);
    }
    let Err(SubmitError::BadRecord { code, .. }) = answers else { return };
    let about_tags =
        matches!(code.as_str(), "InvalidTagException" | "InvalidUsageAllocationsException");
    core.hold(!about_tags, TAGS_ADD_UP, || code.clone());
}

/// Judges AWS's bill after a call took effect.
pub(crate) fn billed(core: &Core, records: &[OutgoingRecord]) {
    let invoice = core.simulator.invoice();
    for record in records {
        let key = meter_of(record);
        let billed = billed_to(&invoice, &key);
        let inner = core.lock();
        let by_hand = inner.strays.get(&key).copied().unwrap_or_default();
        let due = inner.meters.get(&key).map_or(0, |meter| meter.due().floor());
        drop(inner);
        let ours = billed.saturating_sub(by_hand);
        core.hold(ours <= Decimal::from(due), NEVER_MORE_THAN_DUE, || {
            format!("{key}: {ours} billed, {due} due")
        });
    }
}

/// What AWS bills for a meter.
pub(crate) fn bill(core: &Core, key: &MeterKey) -> Decimal {
    billed_to(&core.simulator.invoice(), key)
}

fn billed_to(invoice: &[InvoiceLine], key: &MeterKey) -> Decimal {
    let lines = invoice.iter().filter(|line| {
        line.dimension == key.dimension.as_str()
            && line.month == key.month.to_string()
            && crate::verdict::line_owner(line).as_ref() == Some(&key.subscription)
    });
    lines.map(|line| line.quantity).sum()
}

/// Which subscription a license is.
pub(crate) fn owner(license: &str) -> Option<domain::ids::SubscriptionId> {
    Some(LicenseRef::License { arn: license.parse().ok()? }.subscription_id())
}
