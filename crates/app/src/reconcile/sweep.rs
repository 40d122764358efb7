//! Once a day every license that is not over is looked at, whatever AWS's searches tell of changes.

use domain::audit::Actor;
use domain::ids::LicenseRef;
use domain::notice::LicenseChange;
use domain::subscription::{LicenseFacts, LicensePhase, Subscription};
use domain::time::{after, before};
use jiff::{SignedDuration, Timestamp};

use super::look::{REPAIRER, refreshed};
use super::{ReconcileReport, Reconciliation, Repair, SWEEP, Truth, all, attend, note};
use crate::change::{ATTEMPTS, Deed, commit, state_change};
use crate::memo::Remembered;
use crate::notices::{Effect, flush_if_closing};
use crate::ports::{AgreementSearch, Committed, ListFilter, Store};
use crate::settlement::Budget;
use crate::{Chain, Clock, Context, Error};

/// Subscriptions between two notes of how far the sweep got.
const PAGE: u16 = 25;

/// How long after its date an end is looked for.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// Goes on with the sweep under way, or begins one when it is time. Answers whether none is left to do.
pub(super) async fn sweep<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    memo: &mut Remembered<Reconciliation>,
    report: &mut ReconcileReport,
) -> Result<bool, Error> {
    let known = &memo.value;
    let fresh = known.swept_at.is_some_and(|at| clock.now() < after(at, SWEEP));
    if fresh && known.sweep.is_none() {
        return Ok(true);
    }
    let mut cursor = memo.value.sweep.take();
    loop {
        let page = ctx.store.list(&ListFilter::All, cursor.as_ref(), PAGE).await?;
        for state in page.items {
            if state.phase(clock.now()) == LicensePhase::Ended {
                continue;
            }
            if let Err(error) = license(ctx, clock, &state, memo, report).await {
                report.failed = report.failed.saturating_add(1);
                tracing::error!(
                    subscription.id = %state.id,
                    error = %Chain(&error),
                    "A license could not be reconciled; it is looked at again in the next sweep"
                );
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            memo.value.swept_at = Some(clock.now());
            return Ok(true);
        }
        memo.value.sweep.clone_from(&cursor);
        if budget.is_spent() || !note(ctx, memo, report).await? {
            return Ok(false);
        }
    }
}

async fn license<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    state: &Subscription,
    memo: &mut Remembered<Reconciliation>,
    report: &mut ReconcileReport,
) -> Result<(), Error> {
    let now = clock.now();
    let past_its_end =
        state.agreements.current_end().is_some_and(|ends| ends < before(now, PATIENCE));
    let unsure = state.phase(now) == LicensePhase::Pending || past_its_end;
    if let LicenseRef::License { arn } = &state.license
        && unsure
    {
        for summary in all(ctx, &AgreementSearch::License(arn.clone())).await? {
            attend(ctx, clock, &summary, &mut memo.value, report).await;
        }
    }
    if state.pricing.has_entitlements() && state.phase(now) == LicensePhase::Active {
        report.looked_at = report.looked_at.saturating_add(1);
        if let Some((repair, effect)) = entitled(ctx, &state.id, now).await? {
            report.repaired(Some(repair), effect);
        }
    }
    Ok(())
}

/// Asks what an active license grants. Nothing any more, after the date until which it was sure to: it is over, as AWS
/// answers for a contract that ended (fact sheet §4), and so for those of resellers and older listings, whose
/// agreements are hidden or do not exist.
async fn entitled<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    id: &domain::ids::SubscriptionId,
    now: Timestamp,
) -> Result<Option<(Repair, Effect)>, Error> {
    for _ in 0..ATTEMPTS {
        let Some(before) = ctx.store.subscription(id).await? else { return Ok(None) };
        if before.phase(now) != LicensePhase::Active {
            return Ok(None);
        }
        let answer = ctx.aws.entitlements(&before.product, &before.license).await?;
        let sure_until = before.entitlements.as_ref().and_then(|known| known.expires);
        let mut after = before.clone();
        let repair = match sure_until {
            Some(until) if answer.0.is_empty() && until <= now => {
                let over = LicenseFacts::of(LicenseChange::Deprovisioned, until);
                after.license_facts.join(&over);
                Some(Repair::LicenseDeprovisioned)
            }
            Some(_) | None => refreshed(&mut after, answer, now),
        };
        let Some(repair) = repair else { return Ok(None) };
        let deed = Deed { actor: Actor::Schedule(REPAIRER.to_owned()), action: repair.action() };
        let effect = Effect::of(Some(&before), &after);
        let change =
            state_change(&ctx.store, &ctx.listing, Some(&before), after, deed, now).await?;
        if commit(&ctx.store, &change).await? == Committed::Done {
            flush_if_closing(ctx, change.state.as_ref().map(|write| &write.after), now).await?;
            return Ok(change.state.is_some().then_some((repair, effect)));
        }
    }
    Err(Error::Contended { what: "the subscription" })
}
