//! One agreement: what AWS says of it beside what we know, and the repair.

use domain::audit::Actor;
use domain::ids::{AccountId, LicenseArn, LicenseRef};
use domain::notice::{EndStatus, Intent, LicenseChange};
use domain::subscription::{
    AgreementFacts, Dated, LicenseFacts, LicensePhase, Origin, Subscription,
};
use domain::time::before;
use jiff::{SignedDuration, Timestamp};

use super::{Repair, Truth, all};
use crate::change::{ATTEMPTS, Deed, state_change};
use crate::entitlements::{Answer, ask, take};
use crate::links::{adopt_agreement, join_facts, link_write};
use crate::notices::{Effect, flush_if_closing};
use crate::ports::{
    AgreementSearch, AgreementSummary, Change, Committed, ListFilter, Provisioned, Standing, Store,
    View, ViewKeys,
};
use crate::{Context, Error};

/// How long a change is left to its notification. With a run every half an hour, an end that nobody told is still
/// found within the final hour.
const LEFT_TO_ITS_NOTICE: SignedDuration = SignedDuration::from_mins(10);

/// Who repairs, as the audit trail names it.
pub(super) const REPAIRER: &str = "reconciler";

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// What was repaired.
    pub(super) repair: Option<Repair>,
    /// What that changed about the subscription.
    pub(super) effect: Effect,
    /// Whether it need not be looked at again until it changes.
    pub(super) settled: bool,
}

const AS_IT_SHOULD_BE: Looked = Looked { repair: None, effect: Effect::None, settled: true };
const LATER: Looked = Looked { settled: false, ..AS_IT_SHOULD_BE };

/// A verdict that nothing is left to look at, after a repair or without.
const fn settled(repair: Option<Repair>) -> Looked {
    Looked { repair, ..AS_IT_SHOULD_BE }
}

/// Looks at an agreement and repairs what is not as AWS says.
pub(super) async fn look<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    now: Timestamp,
) -> Result<Looked, Error> {
    if summary.changed > before(now, LEFT_TO_ITS_NOTICE) {
        return Ok(LATER);
    }
    for _ in 0..ATTEMPTS {
        let license = summary.license.clone().map(|arn| LicenseRef::License { arn });
        let view = ctx
            .store
            .view(&ViewKeys {
                subscription: license.as_ref().map(LicenseRef::subscription_id),
                agreements: vec![summary.agreement.clone()],
                notice: None,
            })
            .await?;
        let tried = match license {
            Some(license) => with_license(ctx, summary, license, view, now).await?,
            None => without_license(ctx, summary, &view, now).await?,
        };
        let Some((change, looked)) = tried else { return Ok(AS_IT_SHOULD_BE) };
        if change == Change::default() {
            return Ok(looked);
        }
        if ctx.store.commit(&change).await? == Committed::Done {
            let state = change.state.as_ref().map(|write| &write.after);
            flush_if_closing(ctx, state, now).await?;
            log(summary, state, looked);
            return Ok(looked);
        }
    }
    Err(Error::Contended { what: "the subscription of an agreement" })
}

/// An agreement whose license AWS has not made: what is new of it is kept until the license is known.
async fn without_license<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    view: &View,
    now: Timestamp,
) -> Result<Option<(Change, Looked)>, Error> {
    let link = view.links.get(&summary.agreement);
    let over = summary.standing != Standing::Active;
    if over && link.is_none() {
        return Ok(None);
    }
    let (facts, repair) = news(summary, link.map(|link| &link.facts));
    let (own, chained) = join_facts(&ctx.store, &summary.agreement, link, &facts).await?;
    let mut change = chained.change(ctx, repaired(Repair::AgreementCreated), now).await?;
    let write = link_write(link, own);
    let repair = repair.filter(|_| write.is_some());
    change.links.extend(write);
    Ok(Some((change, Looked { repair, settled: over, ..AS_IT_SHOULD_BE })))
}

async fn with_license<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    license: LicenseRef,
    view: View,
    now: Timestamp,
) -> Result<Option<(Change, Looked)>, Error> {
    let listing = &ctx.listing;
    let link = view.links.get(&summary.agreement);
    let before = view.subscription;
    // What was over before we heard of it concerns nobody.
    if summary.standing != Standing::Active && before.is_none() && link.is_none() {
        return Ok(None);
    }
    if before.is_none() && known_as_customer(ctx, summary.account.as_ref(), now).await? {
        return Ok(None);
    }
    let mut after = before.clone().unwrap_or_else(|| {
        Subscription::new(license.clone(), listing.product.clone(), listing.pricing, now)
    });
    after.license.refine(&license);
    if after.account.is_none() {
        after.account.clone_from(&summary.account);
    }
    let of_state = after.agreements.0.get(&summary.agreement);
    let (facts, mut repair) = news(summary, of_state.or(link.map(|link| &link.facts)));
    after.join_agreement(&summary.agreement, &facts);
    let (mut own, chained) = join_facts(&ctx.store, &summary.agreement, link, &facts).await?;
    adopt_agreement(&ctx.store, &mut after, &summary.agreement, Some(&own)).await?;
    own.subscription = Some(after.id.clone());
    own.registration = None;

    let verdict = license_truth(ctx, summary, &mut after, now).await?;
    repair = verdict.repair.or(repair);
    if before.as_ref().is_none_or(|before| before.closing_since() != after.closing_since()) {
        after.concluded = None;
    }
    let kind = repair.unwrap_or(Repair::AgreementAmended);
    let effect = Effect::of(before.as_ref(), &after);
    let mut change =
        state_change(&ctx.store, listing, before.as_ref(), after, repaired(kind), now).await?;
    change.links.extend(link_write(link, own));
    change.links.extend(chained.writes);
    let repair = (change.state.is_some() || !change.links.is_empty()).then_some(kind);
    Ok(Some((change, Looked { repair, effect, settled: verdict.settled })))
}

/// Whether the buyer of a license that we do not know has a subscription of an older listing, which names customers
/// only: it is the same purchase, and taken up a second time it could be metered twice (fact sheet §7.3).
async fn known_as_customer<S: Store, A>(
    ctx: &Context<S, A>,
    account: Option<&AccountId>,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(account) = account else { return Ok(false) };
    let mut after = None;
    loop {
        let filter = ListFilter::Customer(account.to_string());
        let page = ctx.store.list(&filter, after.as_ref(), 100).await?;
        let known = |state: &Subscription| {
            matches!(state.license, LicenseRef::Legacy { .. })
                && state.phase(now) != LicensePhase::Ended
        };
        if page.items.iter().any(known) {
            return Ok(true);
        }
        after = page.next;
        if after.is_none() {
            return Ok(false);
        }
    }
}

fn repaired(kind: Repair) -> Deed {
    Deed { actor: Actor::Schedule(REPAIRER.to_owned()), action: kind.action() }
}

/// What AWS says of an agreement that we do not know.
fn news(
    summary: &AgreementSummary,
    known: Option<&AgreementFacts>,
) -> (AgreementFacts, Option<Repair>) {
    let nothing = AgreementFacts::default();
    let known = known.unwrap_or(&nothing);
    let mut facts = AgreementFacts::default();
    let mut repair = None;
    let seconds = |at: &Timestamp| at.as_second();
    if let Some(ends) = summary.ends
        && known.ends.as_ref().map(|ends| seconds(&ends.value)) != Some(seconds(&ends))
    {
        facts.ends = Some(Dated { at: summary.changed, value: ends });
        repair = Some(Repair::AgreementAmended);
    }
    // What nobody ever changed, no notification tells.
    let changed = summary.accepted.is_none_or(|accepted| accepted < summary.changed);
    if let Some(renews) = summary.auto_renew
        && known.auto_renew.map_or(changed && !renews, |known| known.value != renews)
    {
        facts.auto_renew = Some(Dated { at: summary.changed, value: renews });
        repair = Some(Repair::AgreementAmended);
    }
    if known.created.is_none() {
        let previous = summary.initial.clone().filter(|initial| *initial != summary.agreement);
        let intent = if previous.is_some() { Intent::Renew } else { Intent::New };
        let at = summary.accepted.or(summary.starts).unwrap_or(summary.changed);
        let value = Origin { intent, previous, offer: summary.offer.clone() };
        facts.created = Some(Dated { at, value });
        repair = Some(Repair::AgreementCreated);
    }
    if let Standing::Ended(how) = summary.standing
        && known.ended.is_none_or(|ended| ended.value != how)
    {
        let by_terms = summary.ends.filter(|_| how == EndStatus::Expired);
        let at = by_terms.map_or(summary.changed, |ends| ends.min(summary.changed));
        facts.ended = Some(Dated { at, value: how });
        repair = Some(Repair::AgreementEnded);
    }
    (facts, repair)
}

/// Brings a license to where AWS says it is.
async fn license_truth<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    after: &mut Subscription,
    now: Timestamp,
) -> Result<Looked, Error> {
    let begun = summary.starts.is_none_or(|starts| starts <= now);
    match (summary.standing, after.phase(now)) {
        (Standing::Active, _) if !begun => Ok(LATER),
        // A reading that lags must not open again what has just ended.
        (Standing::Active, LicensePhase::Closing { .. }) => Ok(LATER),
        (Standing::Active, LicensePhase::Active) => entitlements(ctx, summary, after, now).await,
        (Standing::Active, LicensePhase::Pending | LicensePhase::Ended) => {
            activation(ctx, summary, after, now).await
        }
        // Also before its activation is told: the notification may come when nobody looks at it any more.
        (Standing::Ended(how), LicensePhase::Pending | LicensePhase::Active) if !how.is_final() => {
            succession(ctx, after, now).await
        }
        (Standing::Ended(EndStatus::Other), LicensePhase::Pending) => {
            // Rolled back: the payment failed, and no notification ever says so (fact sheet §6.2).
            let failed = LicenseFacts { failed: Some(summary.changed), ..LicenseFacts::default() };
            after.license_facts.join(&failed);
            Ok(settled(Some(Repair::LicenseDeprovisioned)))
        }
        (
            Standing::Ended(_),
            LicensePhase::Pending
            | LicensePhase::Active
            | LicensePhase::Closing { .. }
            | LicensePhase::Ended,
        ) => Ok(AS_IT_SHOULD_BE),
    }
}

/// A license that we do not know to be active: AWS is asked whether it is.
async fn activation<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    after: &mut Subscription,
    now: Timestamp,
) -> Result<Looked, Error> {
    match ctx.aws.provisioned(&summary.agreement).await? {
        Some(Provisioned::Yes) => {
            // From now on: nobody could use it before, and no record may be stamped before AWS's own activation.
            after.license_facts.join(&LicenseFacts::of(LicenseChange::Updated, now));
            if ctx.listing.pricing.has_entitlements() {
                ask(ctx, after, now).await?;
            }
            Ok(settled(Some(Repair::LicenseUpdated)))
        }
        Some(Provisioned::NotYet | Provisioned::Failed | Provisioned::NoMore) | None => Ok(LATER),
    }
}

/// An active license: what was bought is asked for again when the agreement changed since it was asked last.
async fn entitlements<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    summary: &AgreementSummary,
    after: &mut Subscription,
    now: Timestamp,
) -> Result<Looked, Error> {
    let asked = after.entitlements.as_ref().map(|snapshot| snapshot.as_of);
    if !ctx.listing.pricing.has_entitlements() || asked.is_some_and(|asked| asked > summary.changed)
    {
        return Ok(AS_IT_SHOULD_BE);
    }
    Ok(settled(refresh(ctx, after, now).await?))
}

/// Asks what was bought, and takes the answer over where it differs.
async fn refresh<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    after: &mut Subscription,
    now: Timestamp,
) -> Result<Option<Repair>, Error> {
    let answer = ctx.aws.entitlements(&after.product, &after.license).await?;
    Ok(refreshed(after, answer, now))
}

/// Takes an answer of GetEntitlements over where it differs from the last one.
pub(super) fn refreshed(
    after: &mut Subscription,
    answer: Answer,
    now: Timestamp,
) -> Option<Repair> {
    let kept = after.clone();
    take(after, answer, now);
    let says = |state: &Subscription| {
        state.entitlements.as_ref().map(|known| (known.values.clone(), known.expires))
    };
    if says(after) == says(&kept) {
        *after = kept;
        return None;
    }
    Some(Repair::Entitlements)
}

/// An agreement that goes on in another one: the license goes on with it, or is over.
async fn succession<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    after: &mut Subscription,
    now: Timestamp,
) -> Result<Looked, Error> {
    let LicenseRef::License { arn } = after.license.clone() else { return Ok(AS_IT_SHOULD_BE) };
    let Some(ended) = over_since(ctx, &arn).await? else { return Ok(AS_IT_SHOULD_BE) };
    if ended > before(now, LEFT_TO_ITS_NOTICE) {
        return Ok(LATER);
    }
    after.license_facts.join(&LicenseFacts::of(LicenseChange::Deprovisioned, ended));
    Ok(settled(Some(Repair::LicenseDeprovisioned)))
}

/// When the last agreement of a license changed, if none of them goes on.
async fn over_since<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    license: &LicenseArn,
) -> Result<Option<Timestamp>, Error> {
    let agreements = all(ctx, &AgreementSearch::License(license.clone())).await?;
    let over = agreements.iter().all(|it| it.standing != Standing::Active);
    Ok(agreements.iter().map(|it| it.changed).max().filter(|_| over))
}

fn log(summary: &AgreementSummary, state: Option<&Subscription>, looked: Looked) {
    tracing::warn!(
        agreement.id = %summary.agreement,
        subscription.id = state.map(|state| state.id.as_str()),
        reconcile.repair = looked.repair.map(Repair::as_str),
        "Repaired what a notification should have told"
    );
}
