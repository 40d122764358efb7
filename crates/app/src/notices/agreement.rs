//! Agreement notices. They carry neither product nor license: the link tells whose they are, and keeps them until
//! that is known.

use domain::ids::{AccountId, AgreementId};
use domain::notice::{AgreementChange, Notice};
use domain::subscription::{AgreementFacts, Dated};
use jiff::Timestamp;

use super::{Decision, Effect, NoticeOutcome, Tried, agreement_action, deed};
use crate::change::state_change;
use crate::links::{adopt_agreement, join_facts, link_write};
use crate::ports::{AgreementService, Store, ViewKeys};
use crate::{Context, Error, about};

pub(super) async fn decide<S, A>(
    ctx: &Context<S, A>,
    notice: &Notice,
    agreement: &AgreementId,
    account: Option<&AccountId>,
    change: &AgreementChange,
    now: Timestamp,
) -> Result<Tried, Error>
where
    S: Store,
    A: AgreementService + Sync,
{
    let view = ctx
        .store
        .view(&ViewKeys {
            subscription: None,
            agreements: vec![agreement.clone()],
            notice: Some((notice.channel, notice.id.clone())),
        })
        .await?;
    let link = view.links.get(agreement);
    let owner = link.and_then(|link| link.subscription.as_ref());
    let before = match owner {
        Some(id) => ctx.store.subscription(id).await?,
        None => None,
    };
    if view.notice_seen {
        return Ok(Tried::Seen(before.map(Box::new)));
    }
    let facts = facts(ctx, agreement, change, notice.at).await?;
    let (mut own, chained) = join_facts(&ctx.store, agreement, link, &facts).await?;
    let Some(before) = before else {
        // Kept until its license is known; but a buyer who registered under it may have that of a later one.
        let deed = deed(notice, agreement_action(change));
        let mut change = chained.change(ctx, deed, now).await?;
        change.links.extend(link_write(link, own));
        let outcome = NoticeOutcome::Parked;
        return Ok(Tried::Decided(Box::new(Decision { change, outcome, state: None })));
    };
    about(&before.id, Some(&before.license));
    let mut after = before.clone();
    if after.account.is_none() {
        after.account = account.cloned();
    }
    after.join_agreement(agreement, &facts);
    adopt_agreement(&ctx.store, &mut after, agreement, Some(&own)).await?;
    own.registration = None;
    if before.closing_since() != after.closing_since() {
        after.concluded = None;
    }
    let deed = deed(notice, agreement_action(change));
    let mut change =
        state_change(&ctx.store, &ctx.listing, Some(&before), after.clone(), deed, now).await?;
    change.links.extend(link_write(link, own));
    change.links.extend(chained.writes);
    let effect = Effect::of(Some(&before), &after);
    let outcome = NoticeOutcome::Applied { subscription: after.id.clone(), effect };
    Ok(Tried::Decided(Box::new(Decision { change, outcome, state: Some(after) })))
}

/// The facts a notice tells, and for a new agreement those that DescribeAgreement tells: where its chain began, and
/// when it ends (fact sheet §5.1).
async fn facts<S, A: AgreementService>(
    ctx: &Context<S, A>,
    agreement: &AgreementId,
    change: &AgreementChange,
    at: Timestamp,
) -> Result<AgreementFacts, Error> {
    let mut facts = AgreementFacts::of(change, at);
    let Some(created) = &mut facts.created else { return Ok(facts) };
    let Some(details) = ctx.aws.describe(agreement).await? else { return Ok(facts) };
    if created.value.previous.is_none() && created.value.intent.continues_another() {
        created.value.previous = details.initial.filter(|initial| initial != agreement);
    }
    if facts.ends.is_none() {
        facts.ends = details.ends.map(|value| Dated { at, value });
    }
    Ok(facts)
}
