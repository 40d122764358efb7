//! Agreements and the subscriptions they belong to.

use domain::ids::{AgreementId, SubscriptionId};
use domain::subscription::{AgreementFacts, Subscription};

use crate::Error;
use crate::ports::{AgreementLink, LinkWrite, Subscriptions, ViewKeys};

/// A change of a link, or nothing when it stays as it is.
pub(crate) fn changed_link(
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
    change: impl FnOnce(&mut AgreementLink),
) -> Option<LinkWrite> {
    let mut after = link.cloned().unwrap_or_else(|| AgreementLink {
        agreement: agreement.clone(),
        subscription: None,
        facts: AgreementFacts::default(),
        registration: None,
        revision: 0,
    });
    change(&mut after);
    if link == Some(&after) {
        return None;
    }
    after.revision = after.revision.saturating_add(1);
    Some(LinkWrite { after, expected: link.map(|link| link.revision) })
}

/// The write that ties an agreement to its subscription. A link once made goes to the newest license that names the
/// agreement.
pub(crate) fn linked(
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
    subscription: &SubscriptionId,
) -> Option<LinkWrite> {
    changed_link(agreement, link, |after| {
        after.subscription = Some(subscription.clone());
        after.registration = None;
    })
}

/// Takes over what is known of an agreement: its facts, a registration that waited for the license, and, when the
/// agreement goes on from another one, the tenant of that one's subscription.
pub(crate) async fn adopt_agreement<S: Subscriptions>(
    store: &S,
    state: &mut Subscription,
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
) -> Result<(), Error> {
    let facts = link.map(|link| link.facts.clone()).unwrap_or_default();
    state.join_agreement(agreement, &facts);
    if let Some(registration) = link.and_then(|link| link.registration.as_ref()) {
        state.register(registration.at);
        state.account.get_or_insert_with(|| registration.account.clone());
    }
    if state.continues.is_some() {
        return Ok(());
    }
    let Some(previous) = facts.predecessor() else { return Ok(()) };
    if let Some(earlier) = owner_of(store, previous).await? {
        state.continue_from(&earlier);
    }
    Ok(())
}

async fn owner_of<S: Subscriptions>(
    store: &S,
    agreement: &AgreementId,
) -> Result<Option<Subscription>, Error> {
    let view = store
        .view(&ViewKeys { agreements: vec![agreement.clone()], ..ViewKeys::default() })
        .await?;
    match view.links.get(agreement).and_then(|link| link.subscription.as_ref()) {
        Some(id) => store.subscription(id).await,
        None => Ok(None),
    }
}
