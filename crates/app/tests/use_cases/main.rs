//! The use cases against an AWS that answers as it is told and a store in memory: every decision in the small.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod entitlements;
mod found_by_simulation;
mod notices;
mod operations;
mod scripted;
mod settlement;

use std::sync::Arc;

use app::ports::Usage;
use app::settlement::{Budget, RunReport, flush, run};
use app::usage::{Report, ReportAnswer, Reported, report};
use app::{Clock, Context, Listing};
use domain::catalog::{Catalog, PricingModel};
use domain::ids::{LicenseRef, SubscriptionId};
use domain::metering::{Meter, MeteringRecord};
use domain::notice::LicenseChange;
use domain::subscription::{LicenseFacts, Subscription};
use domain::time::{MeteringWindow, Month};
use jiff::Timestamp;
use store_memory::MemoryStore;

use crate::scripted::Scripted;

type World = Context<MemoryStore, Scripted>;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When most licenses here begin.
const BEGIN: &str = "2026-11-24T06:00:00Z";

fn world(pricing: PricingModel) -> World {
    let catalog = Catalog::from_toml(include_str!("../../../../config/plans.toml")).unwrap();
    let listing = Listing {
        product: "product".parse().unwrap(),
        pricing,
        catalog: Arc::new(catalog),
        window: MeteringWindow::default(),
        late_usage_days: 7,
        heartbeat: false,
    };
    Context { listing, store: MemoryStore::default(), aws: Scripted::default() }
}

/// A registered buyer's license, active from [`BEGIN`].
fn buyer(world: &World, name: &str) -> Subscription {
    let arn = format!("arn:aws:license-manager::294406891311:license:{name}").parse().unwrap();
    holder(world, LicenseRef::License { arn })
}

/// A registered buyer of an older listing, active from [`BEGIN`].
fn older_buyer(world: &World, name: &str) -> Subscription {
    let (product, customer) = (world.listing.product.clone(), name.parse().unwrap());
    holder(world, LicenseRef::Legacy { product, customer })
}

fn holder(world: &World, license: LicenseRef) -> Subscription {
    let Listing { product, pricing, .. } = &world.listing;
    let mut state = Subscription::new(license, product.clone(), *pricing, at(BEGIN));
    state.account = Some("111122223333".parse().unwrap());
    state.license_facts = LicenseFacts::of(LicenseChange::Updated, at(BEGIN));
    state.register(at(BEGIN));
    state.revision = 1;
    world.store.put_state(state.clone());
    state
}

/// The license ends; written as a notice would.
fn ends(world: &World, state: &Subscription, when: &str) -> Subscription {
    let mut state = state.clone();
    state.license_facts.join(&LicenseFacts::of(LicenseChange::Deprovisioned, at(when)));
    state.revision += 1;
    world.store.put_state(state.clone());
    state
}

/// Uses so many scans; the event's key is its time and amount.
async fn use_scans(world: &World, id: &SubscriptionId, quantity: u64, when: &str) {
    use_dimension(world, id, "scans", quantity, when).await;
}

/// The same, for one of the buyer's teams.
async fn use_tagged_scans(world: &World, id: &SubscriptionId, quantity: u64, when: &str) {
    let tags = [("team".to_owned(), "blue".to_owned())].into();
    count(world, id, Report { tags, ..used("scans", quantity, when) }).await;
}

async fn use_dimension(world: &World, id: &SubscriptionId, name: &str, quantity: u64, when: &str) {
    count(world, id, used(name, quantity, when)).await;
}

fn used(name: &str, quantity: u64, when: &str) -> Report {
    Report {
        key: format!("{name}-{when}-{quantity}"),
        name: name.to_owned(),
        quantity: quantity.to_string(),
        at: when.to_owned(),
        tags: [].into(),
    }
}

async fn count(world: &World, id: &SubscriptionId, used: Report) {
    let now = at(&used.at);
    match report(world, id, &[used], now).await.unwrap() {
        Reported::Answers(answers) => {
            assert!(matches!(answers[..], [ReportAnswer::Accepted { .. }]), "{answers:?}");
        }
        Reported::NoSuchSubscription => panic!("it exists"),
    }
}

/// A budget that counts nothing and never ends.
fn free() -> Budget {
    Budget::paced(|| (), || false)
}

fn clock(now: &str) -> Clock {
    let now = at(now);
    Clock::new(move || now)
}

async fn run_at(world: &World, now: &str) -> RunReport {
    run(world, &clock(now), &free()).await.unwrap()
}

async fn flush_at(world: &World, state: &Subscription, now: &str) -> RunReport {
    flush(world, &clock(now), &free(), &state.id).await.unwrap()
}

/// The only meter of a subscription in November.
async fn meter(world: &World, state: &Subscription) -> Meter {
    let november: Month = "2026-11".parse().unwrap();
    let mut meters = world.store.meters(&state.id, november).await.unwrap();
    assert_eq!(meters.len(), 1);
    meters.pop().unwrap()
}

fn ledger(world: &World) -> Vec<MeteringRecord> {
    world.store.all_records()
}
