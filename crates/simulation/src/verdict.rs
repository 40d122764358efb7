//! The laws that hold once the faults have stopped and time has passed. The judge reads the store past all faults, and
//! AWS's side from the simulated AWS Marketplace.

use std::collections::{BTreeMap, BTreeSet};

use app::ports::{BookedEvent, Cursor, ListFilter, Page, Store};
use domain::catalog::{Allowance, PricingModel};
use domain::ids::{Dimension, LicenseRef, SubscriptionId};
use domain::metering::{
    Ingested, Ledger, Meter, MeterKey, MeteringRecord, ParkReason, RecordStatus, weigh,
};
use domain::subscription::Subscription;
use domain::time::{Month, before};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use simulator::switches::BeforeActive;
use simulator::{AgreementStatus, InvoiceLine};

use crate::laws;
use crate::plan::Weather;
use crate::truth::Truth;
use crate::world::World;

/// Everything that the store holds.
pub(crate) struct Books {
    pub(crate) states: Vec<Subscription>,
    pub(crate) meters: BTreeMap<MeterKey, Meter>,
    pub(crate) records: Vec<MeteringRecord>,
    pub(crate) events: Vec<(SubscriptionId, BookedEvent)>,
    /// When an activation or change of a license was learned.
    pub(crate) opened: Vec<(SubscriptionId, Timestamp)>,
}

/// Judges a world that has come to rest.
pub(crate) async fn judge<S: Store>(world: &World<S>) {
    let books = match Books::read(world).await {
        Ok(books) => books,
        Err(error) => return world.core.break_law(laws::MIRROR, app::Chain(&error)),
    };
    mirror(world, &books);
    bill(world, &books);
    ledger(world, &books);
    settled(world, &books);
    events(world, &books);
    wire(world);
    grants(world, &books);
    plans(world, &books);
    weighed(world, &books);
    crate::own::judge(world, &books).await;
    crate::access::judge(world, &books).await;
    crate::order::judge(world, &books).await;
}

/// All pages of a list.
pub(crate) async fn all<T, P>(
    mut page: impl FnMut(Option<Cursor>) -> P,
) -> Result<Vec<T>, app::Error>
where
    P: Future<Output = Result<Page<T>, app::Error>>,
{
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = page(after).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

impl Books {
    async fn read<S: Store>(world: &World<S>) -> Result<Self, app::Error> {
        let store = &world.store;
        let states =
            all(|after| async move { store.list(&ListFilter::All, after.as_ref(), 100).await })
                .await?;
        let mut books = Self {
            states,
            meters: BTreeMap::new(),
            records: vec![],
            events: vec![],
            opened: vec![],
        };
        let last = Month::of(world.core.now());
        for state in &books.states {
            // Usage may be older than our first word of the license, by a week at most.
            let id = &state.id;
            let trail =
                all(|after| async move { store.audit(id, after.as_ref(), 100).await }).await?;
            let opened = trail.iter().filter(|entry| entry.changes.contains_key("licenseUpdated"));
            books.opened.extend(opened.map(|entry| (id.clone(), entry.at)));
            let mut month = Month::of(world.setup.starts).previous();
            while month <= last {
                let meters = store.meters(id, month).await?;
                books.meters.extend(meters.into_iter().map(|meter| (meter.key.clone(), meter)));
                books.records.extend(
                    all(|after| async move { store.records(id, month, after.as_ref(), 100).await })
                        .await?,
                );
                let events =
                    all(|after| async move { store.events(id, month, after.as_ref(), 100).await })
                        .await?;
                books.events.extend(events.into_iter().map(|event| (id.clone(), event)));
                month = month.next();
            }
        }
        Ok(books)
    }

    /// What was given up and waits for a human.
    pub(crate) fn parked(&self) -> impl Iterator<Item = &MeteringRecord> {
        self.records.iter().filter(|record| record.status.is_parked())
    }

    /// The lines of the ledger of one meter that count as billed, and as given up.
    fn booked(&self, key: &MeterKey) -> (u64, u64) {
        let (mut accepted, mut parked) = (0_u64, 0_u64);
        for record in self.records.iter().filter(|record| record.key == *key) {
            let sum = match record.status {
                RecordStatus::Accepted { .. } => &mut accepted,
                RecordStatus::Parked { .. } | RecordStatus::Closed { .. } => &mut parked,
                // Its units wait again.
                RecordStatus::Retried { .. } => continue,
            };
            *sum = sum.saturating_add(record.quantity);
        }
        (accepted, parked)
    }

    /// Units that may have been sent more than once, under an hour that somebody metered by hand, to an AWS that shows of a
    /// duplicate only what was sent: nobody can tell whose record it holds. What only its first run sent, once, is never
    /// in doubt.
    fn of_doubtful_origin<S: Store>(&self, world: &World<S>, key: &MeterKey) -> u64 {
        if world.setup.switches.duplicate_echo == simulator::switches::DuplicateEcho::Held {
            return 0;
        }
        let inner = world.core.lock();
        let doubtful = self.records.iter().filter(|record| {
            let sent = record.hour.map(|hour| laws::hour_key(key, hour));
            record.key == *key
                && matches!(record.status, RecordStatus::Accepted { .. })
                && sent.is_some_and(|sent| {
                    inner.stray_hours.contains(&sent)
                        && (inner.taken_over.contains(&sent)
                            || inner.sent.get(&sent).is_some_and(|sent| sent.times > 1))
                })
        });
        doubtful.fold(0, |sum, record| sum.saturating_add(record.quantity))
    }

    /// Units for which AWS may have answered success without billing them, as it may between the end of an agreement and
    /// the activation of the next: nobody can tell.
    fn of_no_avail<S: Store>(&self, world: &World<S>, key: &MeterKey) -> u64 {
        if world.setup.switches.before_active == BeforeActive::NotSubscribed {
            return 0;
        }
        let truth = Truth::of(world, &key.subscription);
        let unbilled = self.records.iter().filter(|record| {
            record.key == *key
                && matches!(record.status, RecordStatus::Accepted { .. })
                && record.hour.is_some_and(|hour| truth.is_gap(hour.start(), record.booked_at))
        });
        unbilled.fold(0, |sum, record| sum.saturating_add(record.quantity))
    }

    /// Units that were sent, and given up because AWS's answer never came while it could still be asked.
    fn of_unknown_fate(&self, key: &MeterKey) -> u64 {
        let sent = self.records.iter().filter(|record| {
            let given_up = matches!(
                record.status,
                RecordStatus::Parked { reason: ParkReason::Closed | ParkReason::Expired, .. }
                    | RecordStatus::Closed { reason: ParkReason::Closed | ParkReason::Expired, .. }
            );
            record.key == *key && record.hour.is_some() && given_up
        });
        sent.fold(0, |sum, record| sum.saturating_add(record.quantity))
    }
}

fn mirror<S: Store>(world: &World<S>, books: &Books) {
    let seen = world.core.lock().meters.clone();
    if world.core.bug.is_none() {
        world.core.hold(seen == books.meters, laws::MIRROR, || {
            let differ = seen.iter().find(|(key, meter)| books.meters.get(key) != Some(*meter));
            let held = differ.map(|(key, _)| books.meters.get(key));
            format!("written: {differ:?}; held: {held:?}")
        });
    }
}

/// Whose line of the invoice it is.
pub(crate) fn line_owner(line: &InvoiceLine) -> Option<SubscriptionId> {
    match (&line.license_arn, &line.customer_identifier) {
        (Some(arn), _) => laws::owner(arn),
        (None, Some(customer)) => {
            let product = line.product_code.parse().ok()?;
            let customer = customer.parse().ok()?;
            Some(LicenseRef::Legacy { product, customer }.subscription_id())
        }
        (None, None) => None,
    }
}

fn bill<S: Store>(world: &World<S>, books: &Books) {
    let mut billed: BTreeMap<MeterKey, Decimal> = BTreeMap::new();
    for line in world.simulator.invoice() {
        let (Some(subscription), Ok(month), Ok(dimension)) =
            (line_owner(&line), line.month.parse(), line.dimension.parse::<Dimension>())
        else {
            return world.core.break_law(laws::BILL_IS_WHAT_IS_METERED, format!("{line:?}"));
        };
        *billed.entry(MeterKey { subscription, month, dimension }).or_default() += line.quantity;
    }
    let strays = world.core.lock().strays.clone();
    for (key, by_hand) in &strays {
        *billed.entry(key.clone()).or_default() -= by_hand;
    }
    let answers_arrive = world.setup.weather == Weather::Calm
        && world.setup.switches.lost_response_rate == simulator::Rate::ZERO;
    let keys: BTreeSet<&MeterKey> = billed.keys().chain(books.meters.keys()).collect();
    for key in keys {
        let billed = billed.get(key).copied().unwrap_or_default();
        let metered = books.meters.get(key).map_or(0, |meter| meter.metered);
        // Where every answer arrives, nothing is unknown.
        let unknown = if answers_arrive { 0 } else { books.of_unknown_fate(key) };
        let most = Decimal::from(metered.saturating_add(unknown));
        let doubtful =
            books.of_doubtful_origin(world, key).saturating_add(books.of_no_avail(world, key));
        let least = Decimal::from(metered.saturating_sub(doubtful));
        world.core.hold(least <= billed && billed <= most, laws::BILL_IS_WHAT_IS_METERED, || {
            format!("{key}: AWS bills {billed}, metered {metered}, unknown {unknown}")
        });
    }
}

fn ledger<S: Store>(world: &World<S>, books: &Books) {
    for (key, meter) in &books.meters {
        let booked = books.booked(key);
        world.core.hold(booked == (meter.metered, meter.parked), laws::LEDGER_IS_THE_METER, || {
            format!("{key}: {booked:?}, the meter says {} and {}", meter.metered, meter.parked)
        });
    }
}

fn settled<S: Store>(world: &World<S>, books: &Books) {
    let now = world.core.now();
    for (key, meter) in &books.meters {
        let Some(state) = books.states.iter().find(|state| state.id == key.subscription) else {
            continue;
        };
        let unnamed = state.license.arn().is_some_and(|arn| !arn.is_complete());
        let truth = Truth::of(world, &key.subscription);
        // That an activation was lost before anybody could look, the end of the month shows.
        let lost = world.setup.switches.event_drop_rate != simulator::Rate::ZERO
            && state.license_facts.activated.is_none()
            && !truth.is_open_at(now);
        let waits_for_aws = unnamed || lost || truth.began_by(now).is_none();
        world.core.hold(meter.is_settled() || waits_for_aws, laws::ALL_IS_SETTLED, || {
            format!("{key}: {:?} pending, {} waiting", meter.pending, meter.to_meter())
        });
    }
    for record in &books.records {
        let (RecordStatus::Parked { reason, .. } | RecordStatus::Closed { reason, .. }) =
            &record.status
        else {
            continue;
        };
        if record.quantity > 0
            && let Some(why) = crate::loss::needless(world, books, record, *reason)
        {
            let MeteringRecord { key, hour, quantity, booked_at, .. } = record;
            let hour = hour.map_or_else(|| "never sent".to_owned(), |hour| hour.to_string());
            world.core.break_law(
                laws::NOTHING_IS_LOST_NEEDLESSLY,
                format!(
                    "{key}: {quantity} ({hour}) given up as {} at {booked_at}: {why}",
                    name(*reason)
                ),
            );
        }
    }
}

fn name(reason: ParkReason) -> &'static str {
    reason.as_str()
}

fn events<S: Store>(world: &World<S>, books: &Books) {
    use crate::usage::Fate;
    let mut held: BTreeMap<(SubscriptionId, String), &BookedEvent> = BTreeMap::new();
    for (id, booked) in &books.events {
        held.insert((id.clone(), booked.event.key.to_string()), booked);
    }
    for event in &world.events {
        let place = (event.subscription.clone(), event.report.key.clone());
        let found = held.remove(&place);
        let holds = match (&event.fate, found) {
            (Fate::Counts, Some(found)) => {
                found.event.quantity.to_string().parse::<Decimal>().ok()
                    == event.report.quantity.parse().ok()
                    && (found.released == event.released || event.reservation)
                    && event.is_held_right(found)
            }
            (Fate::Refused(_), None) => true,
            // Nobody has heard of the subscription: nothing to count on.
            (Fate::Open, None) => !books.states.iter().any(|state| state.id == event.subscription),
            (Fate::Counts, None) | (Fate::Refused(_) | Fate::Open, Some(_)) => false,
        };
        world.core.hold(holds, laws::EVENTS_COUNT_ONCE, || {
            format!(
                "{}: the platform was told {:?}, the store holds {found:?}",
                place.1, event.fate
            )
        });
    }
    world.core.hold(held.is_empty(), laws::EVENTS_COUNT_ONCE, || {
        format!("nobody reported {:?}", held.keys().next())
    });
    for (key, meter) in &books.meters {
        let mine = books.events.iter().filter(|(id, booked)| {
            *id == key.subscription
                && booked.booked_month == key.month
                && booked.event.dimension == key.dimension
                && !booked.released
        });
        let quantities = mine.map(|(_, booked)| booked.event.quantity.as_decimal());
        let total = match meter.aggregation {
            domain::catalog::Aggregation::Sum => quantities.sum::<Decimal>(),
            domain::catalog::Aggregation::Peak => quantities.max().unwrap_or_default(),
        };
        world.core.hold(total == meter.aggregate.as_decimal(), laws::EVENTS_COUNT_ONCE, || {
            format!("{key}: events make {total}, the meter says {}", meter.aggregate)
        });
    }
}

fn wire<S: Store>(world: &World<S>) {
    for call in world.simulator.calls().iter().filter(|it| it.operation == "BatchMeterUsage") {
        let records = call.request.get("UsageRecords").and_then(serde_json::Value::as_array);
        let licensed =
            records.is_some_and(|records| records.iter().any(|it| it.get("LicenseArn").is_some()));
        let coded = call.request.get("ProductCode").is_some();
        let small = call.request.to_string().len() < 1024 * 1024
            && records.is_some_and(|records| records.len() <= 25);
        world.core.hold(small && !(licensed && coded), laws::ONE_PATH, || call.request.to_string());
    }
}

/// The product's own check of conservation finds nothing, where the judge finds nothing.
fn weighed<S: Store>(world: &World<S>, books: &Books) {
    for (key, meter) in &books.meters {
        let (mut ingested, mut ledger) = (Ingested::default(), Ledger::default());
        for (id, booked) in &books.events {
            let mine = *id == key.subscription
                && booked.booked_month == key.month
                && booked.event.dimension == key.dimension;
            if mine && !booked.released {
                ingested.count(booked.event.quantity);
            }
        }
        for record in books.records.iter().filter(|record| record.key == *key) {
            ledger.count(record);
        }
        let weighed = weigh(meter, ingested, ledger);
        world
            .core
            .hold(weighed.is_ok(), laws::THE_PRODUCT_AGREES, || format!("{key}: {weighed:?}"));
    }
}

/// What was granted has been asked for and found.
fn grants<S: Store>(world: &World<S>, books: &Books) {
    let since = before(world.core.now(), SignedDuration::from_hours(2));
    for state in books.states.iter().filter(|state| state.pricing.has_entitlements()) {
        let truth = Truth::of(world, &state.id);
        if truth.is_untold(world) {
            continue;
        }
        let granted = truth.agreements().iter().any(|it| {
            it.status == AgreementStatus::Active
                && it
                    .grants
                    .iter()
                    .any(|grant| grant.effective <= since && !grant.entitlements.is_empty())
        });
        let nameless = state.license.arn().is_some_and(|arn| !arn.is_complete());
        let known = state.entitlements.as_ref().is_some_and(|known| !known.values.is_empty());
        world.core.hold(!granted || nameless || known, laws::BOUGHT_IS_KNOWN, || {
            format!("{}: {:?}", state.id, state.entitlements)
        });
    }
}

/// A usage listing includes nothing. Elsewhere, where nothing changed since the purchase, what is due follows from what
/// was bought alone.
fn plans<S: Store>(world: &World<S>, books: &Books) {
    let catalog = &world.setup.listing.catalog;
    for (key, meter) in &books.meters {
        let Some(state) = books.states.iter().find(|state| state.id == key.subscription) else {
            continue;
        };
        if state.pricing == PricingModel::Usage {
            world.core.hold(meter.due() == meter.aggregate, laws::DUE_FOLLOWS_THE_PLAN, || {
                format!("{key}: used {}, due {}", meter.aggregate, meter.due())
            });
            continue;
        }
        if state.license.arn().is_none() {
            continue;
        }
        // What was bought may be known too late for a month that AWS never billed, or that ended while nobody looked.
        let truth = Truth::of(world, &state.id);
        let began = truth.began_by(world.core.now());
        let cut = world.setup.listing.window.late_usage_cut(key.month);
        if began.is_none_or(|began| began >= key.month.end())
            || world.nobody_looked(key.month.end(), cut)
        {
            continue;
        }
        let [agreement] = truth.agreements() else { continue };
        let [grant] = agreement.grants.as_slice() else { continue };
        if state.plan_set.is_some() || state.entitlements.is_none() {
            continue;
        }
        let bought = grant.entitlements.get(key.dimension.as_str()).copied();
        let plan = catalog
            .plans()
            .iter()
            .find(|plan| grant.entitlements.contains_key(plan.entitlement.as_str()));
        let rule = plan.and_then(|plan| plan.dimensions.get(&key.dimension));
        let included = match (bought, rule.map(|rule| rule.included)) {
            (Some(bought), _) => Some(bought),
            (None, Some(Allowance::Limited(included))) => Some(included.as_decimal()),
            (None, Some(Allowance::Unlimited)) => None,
            (None, None) => Some(Decimal::ZERO),
        };
        let due = match (state.pricing, included) {
            (PricingModel::Contract, _) | (_, None) => Decimal::ZERO,
            (_, Some(included)) => {
                meter.aggregate.as_decimal().saturating_sub(included).max(Decimal::ZERO)
            }
        };
        world.core.hold(meter.due().as_decimal() == due, laws::DUE_FOLLOWS_THE_PLAN, || {
            format!("{key}: used {}, included {included:?}, due {}", meter.aggregate, meter.due())
        });
    }
}
