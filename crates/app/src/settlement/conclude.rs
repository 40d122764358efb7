//! What is due although no notice comes: the end of a final hour, and entitlements to ask for again.

use domain::audit::Actor;
use domain::ids::SubscriptionId;
use domain::subscription::{LicensePhase, Subscription};
use jiff::Timestamp;

use super::{Budget, RunReport, open_meters, settle_subscription};
use crate::change::{ATTEMPTS, Deed, commit, state_change};
use crate::entitlements::ask;
use crate::ports::{Committed, EntitlementService, MeteringService, Store};
use crate::{Clock, Context, Error};

/// Does everything that is due now.
pub(super) async fn sweep<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + EntitlementService + Sync,
{
    let mut after = None;
    loop {
        let page = ctx.store.due(clock.now(), after.as_ref(), 100).await?;
        for item in &page.items {
            if budget.is_spent() {
                return Ok(());
            }
            if let Err(error) = attend(ctx, clock, budget, &item.subscription, report).await {
                report.failed = report.failed.saturating_add(1);
                tracing::error!(
                    subscription.id = %item.subscription,
                    error = %crate::Chain(&error),
                    "What was due for a subscription could not be done; it is tried in the next run"
                );
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn attend<S, A>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    id: &SubscriptionId,
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + EntitlementService + Sync,
{
    let Some(state) = ctx.store.subscription(id).await? else { return Ok(()) };
    let now = clock.now();
    match state.phase(now) {
        LicensePhase::Ended if state.concluded.is_none() => {
            settle_subscription(ctx, clock, budget, id, report).await?;
            conclude(ctx, id, clock, report).await
        }
        LicensePhase::Closing { .. } => settle_subscription(ctx, clock, budget, id, report).await,
        LicensePhase::Pending | LicensePhase::Active if state.reread_entitlements.is_some() => {
            reread(ctx, state, now).await
        }
        LicensePhase::Pending | LicensePhase::Active | LicensePhase::Ended => Ok(()),
    }
}

/// Concludes an end once all meters are settled or given up: the state says so, and the audit trail does.
pub(super) async fn conclude<S: Store, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    clock: &Clock,
    report: &mut RunReport,
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let now = clock.now();
        let Some(before) = ctx.store.subscription(id).await? else { return Ok(()) };
        if before.phase(now) != LicensePhase::Ended || before.concluded.is_some() {
            return Ok(());
        }
        // A record that was sent just before the end waits for its answer; the end stays due until it has one.
        if !open_meters(ctx, id, now).await?.is_empty() {
            return Ok(());
        }
        let after = Subscription { concluded: Some(now), ..before.clone() };
        let change = state_change(
            &ctx.store,
            &ctx.listing,
            Some(&before),
            after,
            deed("license.concluded"),
            now,
        )
        .await?;
        if commit(&ctx.store, &change).await? == Committed::Done {
            report.concluded = report.concluded.saturating_add(1);
            return Ok(());
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

async fn reread<S, A>(
    ctx: &Context<S, A>,
    before: Subscription,
    now: Timestamp,
) -> Result<(), Error>
where
    S: Store,
    A: EntitlementService,
{
    let mut after = before.clone();
    ask(ctx, &mut after, now).await?;
    let change = state_change(
        &ctx.store,
        &ctx.listing,
        Some(&before),
        after,
        deed("entitlements.read-again"),
        now,
    )
    .await?;
    // Overtaken means that a notice changed the state, and that change asked AWS itself or leaves this due.
    match commit(&ctx.store, &change).await? {
        Committed::Done | Committed::AlreadySeen | Committed::Overtaken => Ok(()),
    }
}

fn deed(action: &'static str) -> Deed {
    Deed { actor: Actor::Schedule("metering-scheduler".to_owned()), action }
}
