//! Which units AWS could never have billed. While the schedule is kept, nothing else may be given up.

use app::ports::Store;
use domain::metering::{MeteringRecord, ParkReason};
use domain::subscription::{FINAL_WINDOW, Subscription};
use domain::time::{Hour, after, before};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use simulator::switches::{
    EndedOnChain, EventLicenseArn, FinalHourOpener, MixedPath, RenewalCreatedEvent,
};
use simulator::{Agreement, AgreementStatus};

use crate::laws;
use crate::plan::Weather;
use crate::truth::Truth;
use crate::verdict::Books;
use crate::world::{LONGEST_INVOCATION, LOOKS_EVERY, World};

/// Longest time between two looks at what waits, while the schedule is kept.
const LAST_LOOK: SignedDuration = SignedDuration::from_mins(16);

/// How long nobody's looking may be felt.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(12);

/// Why giving a record up was needless; `None` when there was no legal way, or nobody looked after things for hours.
pub(crate) fn needless<S: Store>(
    world: &World<S>,
    books: &Books,
    record: &MeteringRecord,
    reason: ParkReason,
) -> Option<String> {
    let state = books.states.iter().find(|state| state.id == record.key.subscription)?;
    let truth = Truth::of(world, &state.id);
    match reason {
        ParkReason::Mismatched => {
            let hour = record.hour.map(|hour| laws::hour_key(&record.key, hour));
            let by_hand = hour.is_some_and(|it| world.core.lock().stray_hours.contains(&it));
            (!by_hand).then(|| "nobody metered that hour by hand".to_owned())
        }
        ParkReason::Rejected => {
            (!two_paths(world, state)).then(|| "AWS had no reason to refuse it".to_owned())
        }
        ParkReason::NotSubscribed | ParkReason::Expired | ParkReason::Closed
            if world.nobody_looked(before(record.booked_at, LONG_AGO), record.booked_at) =>
        {
            None
        }
        // Whoever loses a notification and then the look that would have mended it, is late; and what is lost about an
        // older listing, nothing mends.
        ParkReason::NotSubscribed | ParkReason::Expired | ParkReason::Closed
            if world.setup.switches.event_drop_rate != simulator::Rate::ZERO
                && (world.setup.weather != Weather::Calm || state.license.arn().is_none()) =>
        {
            None
        }
        _ if unnamed(world, state, record) => None,
        _ if never_seen_active(world, state, &truth, record.booked_at) => None,
        _ if told_too_late(world, state, &truth, record.booked_at) => None,
        ParkReason::Closed if returned_unheard(world, &truth) => None,
        _ if in_the_gap(world, state, &truth) => None,
        _ if truth.never_began_by(record.booked_at) => None,
        // Since when a license is active, only the notification tells that got lost: for the reconciler it is since it
        // looked.
        ParkReason::Expired | ParkReason::Closed
            if world.setup.switches.event_drop_rate != simulator::Rate::ZERO
                && state.license_facts.activated >= Some(record.key.month.end()) =>
        {
            None
        }
        // Activated in the last hours of a month, a license has few keys; they may all be spent.
        _ if record.hour.is_none() && all_spent(books, &truth, record, record.key.month.end()) => {
            None
        }
        ParkReason::Expired
            if left_unprocessed(world, record) || weighed_too_late(world, record) =>
        {
            None
        }
        ParkReason::NotSubscribed | ParkReason::Expired => never_active(&truth, record),
        ParkReason::Closed => closed(world, books, state, &truth, record),
    }
}

/// Whether nobody named the license in time in another form than that of AWS's sample, which is no ARN.
fn unnamed<S: Store>(world: &World<S>, state: &Subscription, record: &MeteringRecord) -> bool {
    let in_time = before(record.booked_at, SignedDuration::from_hours(3));
    let named = world.core.lock().named.get(&state.id).copied();
    world.setup.switches.event_license_arn == EventLicenseArn::DocForm
        && !world.setup.reconciles
        && named.is_none_or(|at| at > in_time)
}

/// Whether the account buys by license and the older way, and AWS takes only one of the two for an hour.
fn two_paths<S: Store>(world: &World<S>, state: &Subscription) -> bool {
    let account = state.account.as_ref().map(ToString::to_string);
    let agreements = world.simulator.agreements();
    let customer = state.customer.as_ref().map(ToString::to_string);
    let account = account.or_else(|| {
        let mine = agreements.iter().find(|it| it.customer_identifier == customer);
        mine.map(|it| it.account.clone())
    });
    let of_account = |it: &&Agreement| Some(&it.account) == account.as_ref();
    let legacy = |it: &Agreement| it.customer_identifier.is_some();
    world.setup.switches.mixed_path == MixedPath::Reject
        && agreements.iter().filter(of_account).any(legacy)
        && agreements.iter().filter(of_account).any(|it| !legacy(it))
}

/// Whether a license's activation was told to nobody: the notification got lost, and it was over before the reconciler
/// looked.
fn never_seen_active<S: Store>(
    world: &World<S>,
    state: &Subscription,
    truth: &Truth,
    at: Timestamp,
) -> bool {
    let ended = truth.ended_by(at);
    let unseen = truth.began_by(at).is_some_and(|began| ended < Some(after(began, LOOKS_EVERY)));
    world.setup.switches.event_drop_rate != simulator::Rate::ZERO
        && state.license_facts.activated.is_none_or(|told| told > at)
        && ended.is_some()
        && unseen
}

/// Whether AWS tells of a license's end by its deprovisioning alone, here after it closed: it was replaced, and is under
/// another license or had its successor end before that was told; or it was renewed, and AWS tells neither of the two.
fn told_too_late<S: Store>(
    world: &World<S>,
    state: &Subscription,
    truth: &Truth,
    at: Timestamp,
) -> bool {
    let switches = &world.setup.switches;
    switches.deprovision_delay >= SignedDuration::from_mins(59)
        && (renewed_unheard(world, truth)
            || succeeded(world, state, truth, at)
            || truth.ended_unheard(switches.license_updated_delay))
}

/// Between the final hour of a replaced agreement of an older listing and the activation of its successor AWS takes
/// nothing, where that takes hours.
fn in_the_gap<S: Store>(world: &World<S>, state: &Subscription, truth: &Truth) -> bool {
    state.license.arn().is_none()
        && world.setup.switches.license_updated_delay >= FINAL_WINDOW
        && truth.agreements().iter().any(goes_on)
}

/// Whether a license, as of a time, was replaced or renewed under another one: its final hour may begin then, and only
/// its deprovisioning tells us.
fn succeeded<S: Store>(
    world: &World<S>,
    state: &Subscription,
    truth: &Truth,
    at: Timestamp,
) -> bool {
    let accepted = truth.agreements().iter().filter(|it| it.accepted <= at);
    let last = accepted.max_by_key(|it| (it.accepted, it.updated));
    state.license.arn().is_some()
        && world.setup.switches.final_hour_opener != FinalHourOpener::Deprovisioned
        && last.is_some_and(goes_on)
}

/// Whether an agreement goes on in another one, and AWS tells neither its end nor, under this license, the other.
fn renewed_unheard<S: Store>(world: &World<S>, truth: &Truth) -> bool {
    let switches = &world.setup.switches;
    let told = |it: &Agreement| {
        let renewal = it.status == AgreementStatus::Renewed;
        let untold = renewal && switches.renewal_created_event == RenewalCreatedEvent::Off;
        let mine = |next: &Agreement| next.previous_id.as_ref() == Some(&it.id);
        !untold && truth.agreements().iter().any(mine)
    };
    switches.ended_on_chain == EndedOnChain::Off
        && !world.setup.reconciles
        && truth.agreements().iter().any(|it| goes_on(it) && !told(it))
}

/// Whether AWS left a record unprocessed as often as a run sends it: at the end of a month there may be one run only.
fn left_unprocessed<S: Store>(world: &World<S>, record: &MeteringRecord) -> bool {
    let key = record.hour.map(|hour| laws::hour_key(&record.key, hour));
    let inner = world.core.lock();
    key.and_then(|key| inner.sent.get(&key)).is_some_and(|sent| sent.unprocessed >= 3)
}

/// Whether it became due after the last run before AWS closed the month, when what was bought became known.
fn weighed_too_late<S: Store>(world: &World<S>, record: &MeteringRecord) -> bool {
    let last_run = after(record.key.month.end(), SignedDuration::from_mins(5 * 60 + 10));
    world.core.lock().weighed.get(&record.key).is_some_and(|at| *at >= last_run)
}

/// Whether the buyer came back in the final hour, and the update of the license got lost: until that hour is over, what
/// the reconciler finds provisioned may be what was before.
fn returned_unheard<S: Store>(world: &World<S>, truth: &Truth) -> bool {
    let in_a_final_hour = |next: &Agreement| {
        truth.agreements().iter().any(|it| {
            it.status != AgreementStatus::Active
                && (it.updated..after(it.updated, FINAL_WINDOW)).contains(&next.accepted)
        })
    };
    world.setup.switches.event_drop_rate != simulator::Rate::ZERO
        && truth.agreements().iter().any(in_a_final_hour)
}

fn goes_on(agreement: &Agreement) -> bool {
    matches!(agreement.status, AgreementStatus::Renewed | AgreementStatus::Replaced)
}

fn never_active(truth: &Truth, record: &MeteringRecord) -> Option<String> {
    let began = truth.began_by(record.booked_at)?;
    (began < record.key.month.last_hour().end()).then(|| format!("AWS had it open from {began}"))
}

fn closed<S: Store>(
    world: &World<S>,
    books: &Books,
    state: &Subscription,
    truth: &Truth,
    record: &MeteringRecord,
) -> Option<String> {
    truth.began_by(record.booked_at)?;
    // Over, as far as anybody had been told, and told to be open at the next delivery. What is written has the time at
    // which its invocation began; [`laws::given_up`] judges by what was written first.
    let soon = before(record.booked_at, LONGEST_INVOCATION)..=after(record.booked_at, LAST_LOOK);
    if books.opened.iter().any(|(id, at)| *id == state.id && soon.contains(at)) {
        return None;
    }
    if truth.is_open_at(record.booked_at) {
        return Some("AWS had it open".to_owned());
    }
    let real = truth.ended_by(record.booked_at)?;
    // The final hour may begin when the agreement ends, whatever we are told; or, on another AWS, when the license does,
    // of which the reconciler knows nothing.
    let by_license = world.setup.switches.final_hour_opener == FinalHourOpener::Deprovisioned
        && !world.setup.reconciles;
    let real = match state.closing_since() {
        // What is newer is about another end.
        Some(since) if by_license && since <= record.booked_at => since,
        since => since.map_or(real, |since| since.min(real)),
    };
    let until = after(real, FINAL_WINDOW);
    // Flushes come every few minutes: what came at the very end may have missed the last of them.
    let late = before(until, LAST_LOOK);
    let unsendable = record.hour.is_none_or(|hour| hour > Hour::of(late));
    let spent = unsendable && all_spent(books, truth, record, until.min(record.key.month.end()));
    let came_late = came_since(world, books, record, late);
    (Decimal::from(record.quantity) > came_late && !spent)
        .then(|| format!("the final hour was until {until}, {came_late} came at its end"))
}

/// What of a record's month was written or taken back from a time on, in whole units begun.
fn came_since<S: Store>(
    world: &World<S>,
    books: &Books,
    record: &MeteringRecord,
    late: Timestamp,
) -> Decimal {
    let inner = world.core.lock();
    let mine = books.events.iter().filter(|(id, booked)| {
        *id == record.key.subscription
            && booked.event.dimension == record.key.dimension
            && booked.booked_month == record.key.month
            && !booked.released
    });
    let came_late = mine.filter(|(id, booked)| {
        let written = inner.came.get(&(id.clone(), booked.event.key.to_string()));
        written.copied().unwrap_or(booked.booked_at) >= late
    });
    let taken_back = inner.taken_back.iter().filter(|(it, at)| it.key == record.key && *at >= late);
    let units = came_late.map(|(_, booked)| booked.event.quantity.as_decimal());
    units.chain(taken_back.map(|(it, _)| it.quantity.into())).sum::<Decimal>().ceil()
}

/// Whether every hour that could have carried a record until the end has carried one.
fn all_spent(books: &Books, truth: &Truth, record: &MeteringRecord, until: Timestamp) -> bool {
    let Some(meter) = books.meters.get(&record.key) else { return false };
    let began = truth.began_by(record.booked_at).map(Hour::of);
    // An hour that begins after the last look carries nothing.
    let last = Hour::of(before(until, LAST_LOOK));
    std::iter::successors(Some(last), |hour| Some(hour.previous()))
        .take(24)
        .filter(|hour| hour.month() == record.key.month && Some(*hour) >= began)
        .all(|hour| meter.used_hours.contains(&hour))
}
