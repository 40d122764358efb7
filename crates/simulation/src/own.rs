//! What the product itself says at the end: its check of conservation, its measurement of what is at risk, and its list
//! of what AWS will not bill. Each must say what the judge sees.

use std::collections::BTreeSet;

use app::ports::{Cursor, Store};
use app::settlement::Budget;
use app::{Context, conservation, parked, risk};
use domain::metering::{MeteringRecord, RecordKey};

use crate::laws;
use crate::verdict::{Books, all};
use crate::world::World;

pub(crate) async fn judge<S: Store>(world: &World<S>, books: &Books) {
    let context =
        Context { listing: world.setup.listing.clone(), store: world.store.clone(), aws: () };
    listed(world, books, &context).await;
    measured(world, books, &context).await;
    conserved(world, &context).await;
}

/// What AWS will not bill is listed.
async fn listed<S: Store>(world: &World<S>, books: &Books, context: &Context<S, ()>) {
    let given_up: BTreeSet<RecordKey> = books.parked().map(MeteringRecord::name).collect();
    let told =
        all(
            |after: Option<Cursor>| async move { parked::list(context, after.as_ref(), 100).await },
        );
    match told.await {
        Ok(told) => {
            let told: BTreeSet<RecordKey> = told.iter().map(|item| item.record.name()).collect();
            world.core.hold(told == given_up, laws::LOSSES_ARE_TOLD, || {
                format!("listed {told:?}, given up {given_up:?}")
            });
        }
        Err(error) => world.core.break_law(laws::LOSSES_ARE_TOLD, app::Chain(&error)),
    }
}

/// The measurement behind the alarms counts all of it, and all that still waits.
async fn measured<S: Store>(world: &World<S>, books: &Books, context: &Context<S, ()>) {
    let risk = match risk::measure(context, &world.clock, &Budget::endless()).await {
        Ok(risk) => risk,
        Err(error) => return world.core.break_law(laws::LOSSES_ARE_TOLD, app::Chain(&error)),
    };
    let waiting = books.meters.values().filter_map(domain::metering::Meter::unsettled_since);
    let oldest = waiting.clone().min();
    let seen = (count(books.parked()), count(waiting), oldest);
    let told = (risk.parked, risk.meters, risk.oldest_unsettled);
    world.core.hold(risk.complete && told == seen, laws::LOSSES_ARE_TOLD, || {
        format!("measured {told:?}, there are {seen:?}")
    });
}

/// The product's own check looks at every meter that is open, and finds nothing where the judge finds nothing.
async fn conserved<S: Store>(world: &World<S>, context: &Context<S, ()>) {
    match conservation::check(context, &world.clock, &Budget::endless()).await {
        Ok(report) => {
            let fine = report.finished && report.broken == 0 && report.busy == 0;
            world.core.hold(fine, laws::THE_PRODUCT_AGREES, || format!("{report:?}"));
        }
        Err(error) => world.core.break_law(laws::THE_PRODUCT_AGREES, app::Chain(&error)),
    }
}

fn count<T>(all: impl Iterator<Item = T>) -> u64 {
    u64::try_from(all.count()).unwrap_or(u64::MAX)
}
