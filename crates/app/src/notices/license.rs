//! License notices: the activation signal and the end of entitlements.

use domain::ids::{AccountId, AgreementId, LicenseArn, LicenseRef};
use domain::notice::{LicenseChange, Notice};
use domain::subscription::{AgreementFacts, LicenseFacts, Subscription};
use jiff::Timestamp;

use super::{Decision, Effect, NoticeOutcome, Tried, deed, license_action};
use crate::change::state_change;
use crate::entitlements::ask;
use crate::links::{adopt_agreement, linked};
use crate::ports::{AgreementService, EntitlementService, Store, ViewKeys};
use crate::{Context, Error, about};

pub(super) async fn decide<S, A>(
    ctx: &Context<S, A>,
    notice: &Notice,
    (license, agreement, account): (&LicenseArn, &AgreementId, &AccountId),
    change: LicenseChange,
    now: Timestamp,
) -> Result<Tried, Error>
where
    S: Store,
    A: EntitlementService + AgreementService + Sync,
{
    let license = LicenseRef::License { arn: license.clone() };
    about(&license.subscription_id(), Some(&license));
    let view = ctx
        .store
        .view(&ViewKeys {
            subscription: Some(license.subscription_id()),
            agreements: vec![agreement.clone()],
            notice: Some((notice.channel, notice.id.clone())),
        })
        .await?;
    if view.notice_seen {
        return Ok(Tried::Seen(view.subscription.map(Box::new)));
    }
    let before = view.subscription;
    let listing = &ctx.listing;
    let mut after = before.clone().unwrap_or_else(|| {
        Subscription::new(license.clone(), listing.product.clone(), listing.pricing, now)
    });
    after.license.refine(&license);
    after.account = Some(account.clone());
    let news = after.license_facts.updated.is_none_or(|known| known < notice.at);
    after.license_facts.join(&LicenseFacts::of(change, notice.at));
    let link = view.links.get(agreement);
    after.join_agreement(agreement, &AgreementFacts::default());
    adopt_agreement(&ctx.store, &mut after, agreement, link).await?;
    if change == LicenseChange::Updated && news && listing.pricing.has_entitlements() {
        ask(ctx, &mut after, now).await?;
    }
    if before.as_ref().is_none_or(|before| before.closing_since() != after.closing_since()) {
        after.concluded = None;
    }
    let mut change = state_change(
        &ctx.store,
        listing,
        before.as_ref(),
        after.clone(),
        deed(notice, license_action(change)),
        now,
    )
    .await?;
    change.links.extend(linked(agreement, link, &after.id));
    let effect = Effect::of(before.as_ref(), &after);
    let outcome = NoticeOutcome::Applied { subscription: after.id.clone(), effect };
    Ok(Tried::Decided(Box::new(Decision { change, outcome, state: Some(after) })))
}
