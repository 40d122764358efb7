//! The law of order: the notices of a world, told again to a fresh store in another order and some of them twice, make
//! the same license.

use app::Context;
use app::notices::take_notice;
use app::ports::{SettlementQueue, SettlementRequest, Store, Subscriptions};
use domain::catalog::PricingModel;
use marketplace_aws::Aws;
use marketplace_aws::notices::from_sqs_body;
use store_memory::MemoryStore;

use crate::bug::Bug;
use crate::dice::Dice;
use crate::laws;
use crate::verdict::Books;
use crate::world::World;

/// A queue that nobody reads.
#[derive(Debug, Clone)]
struct Nobody;

impl SettlementQueue for Nobody {
    async fn send(&self, _: &SettlementRequest, _: u16) -> Result<(), app::Error> {
        Ok(())
    }
}

/// Tells everything again, and compares.
pub(crate) async fn judge<S: Store>(world: &World<S>, books: &Books) {
    // The bug gives every delivery another time: then these are not the same notices.
    if world.core.is(Bug::TakeAStaleNotice) {
        return;
    }
    // A repair says what no notice said.
    if world.setup.reconciles {
        return;
    }
    let mut dice = Dice::of(world.setup.seed ^ 0x6f72_6465);
    let mut left: Vec<_> = world
        .taken
        .iter()
        .filter_map(|it| from_sqs_body(it.body.to_string().as_bytes()).ok())
        .collect();
    let mut told = Vec::new();
    while !left.is_empty() {
        let notice = left.remove(dice.place(left.len()));
        if dice.one_in(5) {
            left.push(notice.clone());
        }
        told.push(notice);
    }
    let context = Context {
        listing: world.setup.listing.clone(),
        store: MemoryStore::default(),
        aws: Aws::connect(&crate::line::config(world.simulator.router()), "us-east-1", Nobody),
    };
    let now = world.core.now();
    for notice in &told {
        // AWS may lose an answer here as well; then the notice comes again.
        for _ in 0..20 {
            if take_notice(&context, notice, now).await.is_ok() {
                break;
            }
        }
    }
    for state in &books.states {
        // One that only a registration has named is not there.
        let Ok(Some(again)) = context.store.subscription(&state.id).await else { continue };
        // A contract of an older listing is active by what AWS grants when it is asked, which no notice says.
        let by_asking = state.license.arn().is_none() && state.pricing == PricingModel::Contract;
        // A registration names agreements that no notice may have named.
        let registered = state.registered.is_some();
        let same = (again.license_facts == state.license_facts || by_asking)
            && (again.closing_since() == state.closing_since() || by_asking || registered)
            && again.phase(now) == state.phase(now);
        world.core.hold(same, laws::ORDER_DOES_NOT_MATTER, || {
            let told = |it: &domain::subscription::Subscription| {
                let (facts, closing) = (&it.license_facts, it.closing_since());
                format!("{facts:?} {:?} closing {closing:?}, {:?}", it.phase(now), it.agreements)
            };
            format!("{}: {}, then {}", state.id, told(state), told(&again))
        });
    }
}
