//! Which units AWS could never have billed. While the schedule is kept, nothing else may be given up.

use app::ports::Store;
use domain::ids::SubscriptionId;
use domain::metering::{MeteringRecord, ParkReason};
use domain::subscription::{FINAL_WINDOW, LicensePhase, Subscription};
use domain::time::{Hour, after, before};
use jiff::{SignedDuration, Timestamp};
use simulator::AgreementStatus;
use simulator::switches::{EventLicenseArn, FinalHourOpener, MixedPath};

use crate::plan::Weather;
use crate::verdict::Books;
use crate::world::World;

/// Longest time between two looks at what waits, while the schedule is kept.
const LAST_LOOK: SignedDuration = SignedDuration::from_mins(16);

/// Why giving a record up was needless; `None` when there was no legal way, or nobody looked after things for hours.
pub(crate) fn needless<S: Store>(
    world: &World<S>,
    books: &Books,
    record: &MeteringRecord,
    reason: ParkReason,
) -> Option<String> {
    let state = books.states.iter().find(|state| state.id == record.key.subscription)?;
    match reason {
        ParkReason::Mismatched => {
            let by_hand = world.core.lock().strays.contains_key(&record.key);
            (!by_hand).then(|| "nobody metered by hand".to_owned())
        }
        ParkReason::Rejected => {
            (!two_paths(world, state)).then(|| "AWS had no reason to refuse it".to_owned())
        }
        ParkReason::NotSubscribed | ParkReason::Expired | ParkReason::Closed
            if world.setup.weather == Weather::Stormy =>
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
        // AWS tells of the end of a replaced license by its deprovisioning alone, here after it closed.
        _ if told_too_late(world, state) => None,
        _ if in_the_gap(world, state) => None,
        _ if never_began(world, state, record) => None,
        // Activated in the last hours of a month, a license has few keys; they may all be spent.
        _ if record.hour.is_none() && all_spent(books, state, record, record.key.month.end()) => {
            None
        }
        ParkReason::NotSubscribed | ParkReason::Expired => never_active(state, record),
        ParkReason::Closed => closed(world, books, state, record),
    }
}

/// Whether nobody named the license in time in another form than that of AWS's sample, which is no ARN.
fn unnamed<S: Store>(world: &World<S>, state: &Subscription, record: &MeteringRecord) -> bool {
    let in_time = before(record.booked_at, SignedDuration::from_hours(3));
    let named = world.core.lock().named.get(&state.id).copied();
    world.setup.switches.event_license_arn == EventLicenseArn::DocForm
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
    let of_account = |it: &&simulator::Agreement| Some(&it.account) == account.as_ref();
    let legacy = |it: &simulator::Agreement| it.customer_identifier.is_some();
    world.setup.switches.mixed_path == MixedPath::Reject
        && agreements.iter().filter(of_account).any(legacy)
        && agreements.iter().filter(of_account).any(|it| !legacy(it))
}

fn told_too_late<S: Store>(world: &World<S>, state: &Subscription) -> bool {
    world.setup.switches.deprovision_delay >= SignedDuration::from_mins(59)
        && succeeded(world, state).is_some()
}

/// Between the final hour of a replaced agreement of an older listing and the activation of its successor AWS takes
/// nothing, where that takes hours.
fn in_the_gap<S: Store>(world: &World<S>, state: &Subscription) -> bool {
    let customer = state.customer.as_ref().map(ToString::to_string);
    state.license.arn().is_none()
        && world.setup.switches.license_updated_delay >= FINAL_WINDOW
        && world.simulator.agreements().iter().any(|it| {
            it.customer_identifier == customer
                && matches!(it.status, AgreementStatus::Renewed | AgreementStatus::Replaced)
        })
}

/// Whether an agreement of this buyer had ended before it was ever active: we are told of a final hour, and AWS grants none.
fn never_began<S: Store>(world: &World<S>, state: &Subscription, record: &MeteringRecord) -> bool {
    let customer = state.customer.as_ref().map(ToString::to_string);
    let mine = |it: &simulator::Agreement| match state.license.arn() {
        Some(arn) => it.license_arn.ends_with(arn.tail()),
        None => it.customer_identifier == customer,
    };
    let agreements = world.simulator.agreements();
    agreements.iter().any(|it| mine(it) && !was_active(it) && it.updated <= record.booked_at)
}

/// Whether AWS activated an agreement before it ended.
fn was_active(agreement: &simulator::Agreement) -> bool {
    agreement.status == AgreementStatus::Active
        || agreement.grants.first().is_some_and(|grant| grant.effective <= agreement.updated)
}

/// When a license really ended; the final hour may begin then, whatever we are told. `Timestamp::MAX` where AWS counts it
/// from the deprovisioning; `None` when it was never active.
fn really_over<S: Store>(world: &World<S>, state: &Subscription) -> Option<Timestamp> {
    let Some(arn) = state.license.arn() else { return Some(Timestamp::MAX) };
    if world.setup.switches.final_hour_opener == FinalHourOpener::Deprovisioned {
        return Some(Timestamp::MAX);
    }
    let agreements = world.simulator.agreements();
    let mine = agreements.iter().filter(|it| it.license_arn.ends_with(arn.tail()));
    mine.filter(|it| was_active(it))
        .map(|it| if it.status == AgreementStatus::Active { Timestamp::MAX } else { it.updated })
        .max()
}

/// When a license was replaced or renewed under another one: its final hour may begin then, and only its deprovisioning
/// tells us.
fn succeeded<S: Store>(world: &World<S>, state: &Subscription) -> Option<Timestamp> {
    let arn = state.license.arn()?;
    if world.setup.switches.final_hour_opener == FinalHourOpener::Deprovisioned {
        return None;
    }
    let agreements = world.simulator.agreements();
    let mine = agreements.iter().filter(|it| it.license_arn.ends_with(arn.tail()));
    let last = mine.max_by_key(|it| (it.accepted, it.updated))?;
    matches!(last.status, AgreementStatus::Renewed | AgreementStatus::Replaced)
        .then_some(last.updated)
}

fn never_active(state: &Subscription, record: &MeteringRecord) -> Option<String> {
    let activated = state.license_facts.activated?;
    (activated < record.key.month.last_hour().end())
        .then(|| format!("the license was active from {activated}"))
}

fn closed<S: Store>(
    world: &World<S>,
    books: &Books,
    state: &Subscription,
    record: &MeteringRecord,
) -> Option<String> {
    // Never activated; or over then, as far as anybody had been told, and opened again since.
    let since_then =
        |(id, at): &(SubscriptionId, Timestamp)| *id == state.id && *at >= record.booked_at;
    let reopened = state.license_facts.updated.is_none_or(|at| at > record.booked_at);
    if reopened || books.opened.iter().any(since_then) {
        return None;
    }
    let Some(since) = state.closing_since() else {
        let over = state.phase(record.booked_at) == LicensePhase::Ended;
        return (!over).then(|| "the license has not ended".to_owned());
    };
    // What ended before it was ever active gave no final hour.
    let real = really_over(world, state)?;
    let until = after(since.min(real), FINAL_WINDOW);
    // Flushes come every few minutes: what came at the very end may have missed the last of them.
    let late = before(until, LAST_LOOK);
    let mine = books.events.iter().filter(|(id, booked)| {
        *id == record.key.subscription && booked.event.dimension == record.key.dimension
    });
    let came = world.core.lock().came.clone();
    let mut came = mine.map(|(id, booked)| {
        let written = came.get(&(id.clone(), booked.event.key.to_string()));
        written.copied().unwrap_or(booked.booked_at)
    });
    let came_late = came.any(|at| at >= late);
    let spent = record.hour.is_none() && all_spent(books, state, record, until);
    (!came_late && !spent).then(|| format!("the final hour was from {since} to {until}"))
}

/// Whether every hour that could have carried a record until the end has carried one.
fn all_spent(
    books: &Books,
    state: &Subscription,
    record: &MeteringRecord,
    until: Timestamp,
) -> bool {
    let Some(meter) = books.meters.get(&record.key) else { return false };
    let activated = state.license_facts.activated.map(Hour::of);
    let last = Hour::of(before(until, SignedDuration::from_secs(1)));
    std::iter::successors(Some(last), |hour| Some(hour.previous()))
        .take(24)
        .filter(|hour| hour.month() == record.key.month && Some(*hour) >= activated)
        .all(|hour| meter.used_hours.contains(&hour))
}
