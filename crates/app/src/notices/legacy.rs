//! Notices of older listings, which know a product and a customer only (fact sheet §7.3).

use domain::ids::{CustomerIdentifier, LicenseRef};
use domain::notice::{LegacyChange, Notice};
use domain::subscription::{LicenseFacts, Subscription};
use jiff::Timestamp;

use super::{Decision, Effect, NoticeOutcome, Tried, deed, legacy_action};
use crate::change::state_change;
use crate::entitlements::ask;
use crate::ports::{EntitlementService, Store, ViewKeys};
use crate::{Context, Error, about};

pub(super) async fn decide<S, A>(
    ctx: &Context<S, A>,
    notice: &Notice,
    customer: &CustomerIdentifier,
    change: &LegacyChange,
    now: Timestamp,
) -> Result<Tried, Error>
where
    S: Store,
    A: EntitlementService + Sync,
{
    let listing = &ctx.listing;
    let license =
        LicenseRef::Legacy { product: listing.product.clone(), customer: customer.clone() };
    about(&license.subscription_id(), Some(&license));
    let view = ctx
        .store
        .view(&ViewKeys {
            subscription: Some(license.subscription_id()),
            agreements: Vec::new(),
            notice: Some((notice.channel, notice.id.clone())),
        })
        .await?;
    if view.notice_seen {
        return Ok(Tried::Seen(view.subscription.map(Box::new)));
    }
    let before = view.subscription;
    let mut after = before.clone().unwrap_or_else(|| {
        Subscription::new(license, listing.product.clone(), listing.pricing, now)
    });
    let asks = matches!(change, LegacyChange::Subscribed { .. } | LegacyChange::EntitlementUpdated)
        && listing.pricing.has_entitlements();
    // What AWS grants now, not what it granted once: the end of a contract is told by the same kind of notice.
    let entitled = asks && ask(ctx, &mut after, now).await?;
    let facts = LicenseFacts::of_legacy(change, listing.pricing, entitled, notice.at);
    after.license_facts.join(&facts);
    if let LegacyChange::Subscribed { free_trial: true, .. } = change {
        after.free_trial = true;
    }
    if before.as_ref().is_none_or(|before| before.closing_since() != after.closing_since()) {
        after.concluded = None;
    }
    let deed = deed(notice, legacy_action(change));
    let change =
        state_change(&ctx.store, listing, before.as_ref(), after.clone(), deed, now).await?;
    let effect = Effect::of(before.as_ref(), &after);
    let outcome = NoticeOutcome::Applied { subscription: after.id.clone(), effect };
    Ok(Tried::Decided(Box::new(Decision { change, outcome, state: Some(after) })))
}
