//! Agreements and the subscriptions they belong to.

use domain::ids::{AgreementId, SubscriptionId};
use domain::subscription::{AgreementFacts, Subscription};
use jiff::Timestamp;

use crate::change::{Deed, state_change};
use crate::ports::{
    AgreementLink, Change, LinkWrite, ParkedRegistration, Subscriptions, Usage, ViewKeys,
};
use crate::{Context, Error};

/// Most agreements of a chain that are followed.
const LONGEST_CHAIN: usize = 8;

fn fresh(agreement: &AgreementId) -> AgreementLink {
    AgreementLink {
        agreement: agreement.clone(),
        subscription: None,
        facts: AgreementFacts::default(),
        registration: None,
        goes_on_in: None,
        revision: 0,
    }
}

/// A link to be written over the one that was read, or nothing when it stays as it is.
pub(crate) fn link_write(
    before: Option<&AgreementLink>,
    mut after: AgreementLink,
) -> Option<LinkWrite> {
    if before == Some(&after) {
        return None;
    }
    after.revision = before.map_or(0, |before| before.revision).saturating_add(1);
    Some(LinkWrite { after, expected: before.map(|before| before.revision) })
}

/// A change of a link, or nothing when it stays as it is.
pub(crate) fn changed_link(
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
    change: impl FnOnce(&mut AgreementLink),
) -> Option<LinkWrite> {
    let mut after = link.cloned().unwrap_or_else(|| fresh(agreement));
    change(&mut after);
    link_write(link, after)
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
    // What only a buyer names may never come into force: nobody is told of a payment that fails (fact sheet §6.2).
    if facts != AgreementFacts::default() {
        state.join_agreement(agreement, &facts);
    }
    if let Some(registration) = link.and_then(|link| link.registration.as_ref()) {
        state.register(registration.at);
        state.account.get_or_insert_with(|| registration.account.clone());
    }
    if state.continues.is_some() {
        return Ok(());
    }
    let Some(previous) = facts.predecessor() else { return Ok(()) };
    let owner = link_of(store, previous).await?.and_then(|link| link.subscription);
    if let Some(owner) = owner
        && let Some(earlier) = store.subscription(&owner).await?
    {
        state.continue_from(&earlier);
    }
    Ok(())
}

async fn link_of<S: Subscriptions>(
    store: &S,
    agreement: &AgreementId,
) -> Result<Option<AgreementLink>, Error> {
    let keys = ViewKeys { agreements: vec![agreement.clone()], ..ViewKeys::default() };
    Ok(store.view(&keys).await?.links.remove(agreement))
}

/// The newest agreement that is known to go on from one.
pub(crate) async fn end_of_chain<S: Subscriptions>(
    store: &S,
    link: AgreementLink,
) -> Result<AgreementLink, Error> {
    let mut end = link;
    for _ in 0..LONGEST_CHAIN {
        let Some(next) = end.goes_on_in.clone() else { break };
        end = link_of(store, &next).await?.unwrap_or_else(|| fresh(&next));
    }
    Ok(end)
}

/// What a new fact about an agreement's origin changes in other places than the agreement's own link.
#[derive(Debug, Default)]
pub(crate) struct Chained {
    /// Other links.
    pub(crate) writes: Vec<LinkWrite>,
    /// A subscription whose buyer registered under an earlier agreement of its chain.
    pub(crate) heir: Option<(SubscriptionId, ParkedRegistration)>,
}

/// An agreement's link with facts that were just told, and what they change elsewhere.
///
/// An agreement may be renewed or replaced before AWS tells its license; then no notice ever names that license
/// together with it. A registration that waits there moves on to the newest agreement of the chain. Whoever adds to a
/// chain, ties its end or registers writes the same link, under its revision: none of them can miss the other.
pub(crate) async fn join_facts<S: Subscriptions>(
    store: &S,
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
    facts: &AgreementFacts,
) -> Result<(AgreementLink, Chained), Error> {
    let mut own = link.cloned().unwrap_or_else(|| fresh(agreement));
    own.facts.join(facts);
    let Some(origin) = facts.predecessor() else { return Ok((own, Chained::default())) };
    let known = link_of(store, origin).await?.unwrap_or_else(|| fresh(origin));
    let end = end_of_chain(store, known).await?;
    if end.agreement == own.agreement {
        return Ok((own, Chained::default()));
    }
    // What an agreement goes on from is the earlier one, whatever the clock says of both.
    let chained = if end.agreement == *origin || age(&end) < age(&own) {
        goes_on(store, end, &mut own).await?
    } else {
        went_on(end, &mut own)
    };
    Ok((own, chained))
}

/// Which of two agreements of a chain is the earlier one.
fn age(link: &AgreementLink) -> (Option<Timestamp>, &AgreementId) {
    (link.facts.created.as_ref().map(|created| created.at), &link.agreement)
}

/// The chain ended in `end`, and goes on in `own`.
async fn goes_on<S: Subscriptions>(
    store: &S,
    end: AgreementLink,
    own: &mut AgreementLink,
) -> Result<Chained, Error> {
    let mut chained = Chained::default();
    let mut before_own = end.clone();
    before_own.goes_on_in = Some(own.agreement.clone());
    let waiting = before_own.registration.take().or_else(|| own.registration.clone());
    chained.writes.extend(link_write(known(&end), before_own));
    let Some(waiting) = waiting else { return Ok(chained) };
    if own.goes_on_in.is_none() || own.subscription.is_some() {
        own.registration.get_or_insert(waiting);
        return Ok(chained);
    }
    own.registration = None;
    let last = end_of_chain(store, own.clone()).await?;
    chained.deliver(last, waiting);
    Ok(chained)
}

/// The chain went on in `end` already when `own` was told.
fn went_on(end: AgreementLink, own: &mut AgreementLink) -> Chained {
    let mut chained = Chained::default();
    own.goes_on_in.get_or_insert_with(|| end.agreement.clone());
    if own.subscription.is_none()
        && let Some(waiting) = own.registration.take()
    {
        chained.deliver(end, waiting);
    }
    chained
}

impl Chained {
    /// The change that these are.
    pub(crate) async fn change<S: Subscriptions + Usage, A>(
        self,
        ctx: &Context<S, A>,
        deed: Deed,
        now: Timestamp,
    ) -> Result<Change, Error> {
        let heir = match self.heir {
            Some((heir, registration)) => {
                let state = ctx.store.subscription(&heir).await?;
                state.map(|state| (state, registration))
            }
            None => None,
        };
        let mut change = match heir {
            Some((before, registration)) => {
                let mut after = before.clone();
                after.register(registration.at);
                state_change(&ctx.store, &ctx.listing, Some(&before), after, deed, now).await?
            }
            None => Change::default(),
        };
        change.links.extend(self.writes);
        Ok(change)
    }

    fn deliver(&mut self, to: AgreementLink, registration: ParkedRegistration) {
        if let Some(owner) = to.subscription {
            self.heir = Some((owner, registration));
        } else {
            let mut after = to.clone();
            after.registration.get_or_insert(registration);
            self.writes.extend(link_write(known(&to), after));
        }
    }
}

/// The link as it was read; one that was never written has no revision.
fn known(link: &AgreementLink) -> Option<&AgreementLink> {
    (link.revision > 0).then_some(link)
}
