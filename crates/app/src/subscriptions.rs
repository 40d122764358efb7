//! What callers of the API do to subscriptions: import, plan, hold, tenant, cancellation.

use domain::audit::Actor;
use domain::ids::{
    AccountId, AgreementId, LicenseArn, LicenseRef, PlanId, SubscriptionId, TenantId,
};
use domain::subscription::{AgreementFacts, Dated, LicensePhase, Subscription, Tenant};
use jiff::Timestamp;

use crate::change::{ATTEMPTS, Deed, audited, commit, state_change};
use crate::entitlements::ask;
use crate::links::{adopt_agreement, linked};
use crate::ports::{
    AgreementService, Committed, Customer, EntitlementService, SettlementQueue, SettlementRequest,
    Store, ViewKeys,
};
use crate::{Context, Error};

/// A license to take up although no notice of it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// Its ARN.
    pub license: LicenseArn,
    /// The buyer.
    pub account: AccountId,
    /// The agreement it serves.
    pub agreement: Option<AgreementId>,
    /// The plan, where no entitlement names one.
    pub plan: Option<PlanId>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is taken up. It stays pending until AWS says that it is active.
    New(Box<Subscription>),
    /// It was known already; nothing was changed.
    Existing(Box<Subscription>),
    /// The catalog has no such plan.
    UnknownPlan,
}

/// Takes up a license.
///
/// # Errors
/// When the store or AWS cannot be reached.
pub async fn create<S, A>(
    ctx: &Context<S, A>,
    new: NewSubscription,
    actor: Actor,
    now: Timestamp,
) -> Result<Created, Error>
where
    S: Store,
    A: EntitlementService + Sync,
{
    if new.plan.as_ref().is_some_and(|plan| ctx.listing.catalog.plan(plan).is_none()) {
        return Ok(Created::UnknownPlan);
    }
    let license = LicenseRef::License { arn: new.license };
    let listing = &ctx.listing;
    for _ in 0..ATTEMPTS {
        let view = ctx
            .store
            .view(&ViewKeys {
                subscription: Some(license.subscription_id()),
                agreements: new.agreement.iter().cloned().collect(),
                notice: None,
            })
            .await?;
        if let Some(existing) = view.subscription {
            return Ok(Created::Existing(Box::new(existing)));
        }
        let mut state =
            Subscription::new(license.clone(), listing.product.clone(), listing.pricing, now);
        state.account = Some(new.account.clone());
        state.plan_set.clone_from(&new.plan);
        let link = new.agreement.as_ref().and_then(|agreement| view.links.get(agreement));
        if let Some(agreement) = &new.agreement {
            state.join_agreement(agreement, &AgreementFacts::default());
            adopt_agreement(&ctx.store, &mut state, agreement, link).await?;
        }
        if listing.pricing.has_entitlements() {
            ask(ctx, &mut state, now).await?;
        }
        let deed = Deed { actor: actor.clone(), action: "subscription.created" };
        let mut change = state_change(&ctx.store, listing, None, state, deed, now).await?;
        if let (Some(agreement), Some(write)) = (&new.agreement, &change.state) {
            change.links.extend(linked(agreement, link, &write.after.id));
        }
        let Some(write) = &change.state else { continue };
        let written = write.after.clone();
        if commit(&ctx.store, &change).await? == Committed::Done {
            return Ok(Created::New(Box::new(written)));
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

/// What to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// The plan to put in force.
    pub plan: Option<PlanId>,
    /// Whether the seller withholds access.
    pub suspended: Option<bool>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    /// It is in force.
    Done(Box<Subscription>),
    /// There is no such subscription.
    NotFound,
    /// It is based on another revision than the current one.
    Overtaken {
        /// The current one.
        revision: u64,
    },
    /// The catalog has no such plan.
    UnknownPlan,
    /// AWS's entitlement names the plan: change the agreement instead.
    PlanFromEntitlement,
    /// The subscription is over.
    Ended,
}

/// Changes plan or hold.
///
/// # Errors
/// When the store cannot be reached, or others keep changing the same subscription.
pub async fn update<S: Store, A: Sync>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    update: Update,
    expected: Option<u64>,
    actor: Actor,
    now: Timestamp,
) -> Result<Updated, Error> {
    let catalog = &ctx.listing.catalog;
    if update.plan.as_ref().is_some_and(|plan| catalog.plan(plan).is_none()) {
        return Ok(Updated::UnknownPlan);
    }
    let action = match (&update.plan, update.suspended) {
        (Some(_), _) => "plan.set",
        (None, Some(true)) => "hold.set",
        (None, Some(false)) => "hold.lifted",
        (None, None) => "subscription.updated",
    };
    change(ctx, id, expected, Deed { actor, action }, now, |state| {
        if state.phase(now) == LicensePhase::Ended {
            return Err(Updated::Ended);
        }
        if let Some(plan) = &update.plan {
            let entitled = state
                .entitlements
                .as_ref()
                .and_then(|snapshot| catalog.plan_entitled(snapshot.granted()));
            if entitled.is_some_and(|entitled| entitled.id != *plan) {
                return Err(Updated::PlanFromEntitlement);
            }
            state.plan_set = Some(plan.clone());
        }
        if let Some(value) = update.suspended
            && state.suspended.map_or(value, |kept| kept.value != value)
        {
            state.suspended = Some(Dated { at: now, value });
        }
        Ok(())
    })
    .await
}

/// Takes the platform's word that the workspace is ready.
///
/// # Errors
/// When the store cannot be reached, or others keep changing the same subscription.
pub async fn confirm_tenant<S: Store, A: Sync>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    tenant: TenantId,
    actor: Actor,
    now: Timestamp,
) -> Result<Updated, Error> {
    change(ctx, id, None, Deed { actor, action: "tenant.confirmed" }, now, |state| {
        state.tenant = match &state.tenant {
            Tenant::None | Tenant::Requested | Tenant::Ready { .. } => {
                Tenant::Ready { id: tenant.clone() }
            }
            // The confirmation came after the end: the name is kept, access is not given.
            Tenant::Revoked { .. } => Tenant::Revoked { id: Some(tenant.clone()) },
        };
        Ok(())
    })
    .await
}

async fn change<S: Store, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    expected: Option<u64>,
    deed: Deed,
    now: Timestamp,
    decide: impl Fn(&mut Subscription) -> Result<(), Updated>,
) -> Result<Updated, Error> {
    for _ in 0..ATTEMPTS {
        let Some(before) = ctx.store.subscription(id).await? else { return Ok(Updated::NotFound) };
        if expected.is_some_and(|expected| expected != before.revision) {
            return Ok(Updated::Overtaken { revision: before.revision });
        }
        let mut after = before.clone();
        if let Err(refused) = decide(&mut after) {
            return Ok(refused);
        }
        let change =
            state_change(&ctx.store, &ctx.listing, Some(&before), after, deed.clone(), now).await?;
        let written = change.state.as_ref().map_or(before, |write| write.after.clone());
        if commit(&ctx.store, &change).await? == Committed::Done {
            return Ok(Updated::Done(Box::new(written)));
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

/// Whom to write to about a subscription: what its buyer gave at registration. Absent before that.
///
/// # Errors
/// When the store cannot be reached.
pub async fn contact<S: Store, A>(
    ctx: &Context<S, A>,
    subscription: &Subscription,
) -> Result<Option<Customer>, Error> {
    let account = subscription.account.as_ref().map(ToString::to_string);
    match account.or_else(|| subscription.customer.as_ref().map(ToString::to_string)) {
        Some(id) => ctx.store.customer(&id).await,
        None => Ok(None),
    }
}

/// Asks for a settlement now. The wish is in the audit trail before the scheduler hears of it: what is done is never
/// missing there, and whoever saw an error asks again.
///
/// `false` when there is no such subscription.
///
/// # Errors
/// When the store or the queue cannot be reached, or others keep changing the same subscription.
pub async fn request_settlement<S, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    actor: Actor,
    now: Timestamp,
) -> Result<bool, Error>
where
    S: Store,
    A: SettlementQueue + Sync,
{
    for _ in 0..ATTEMPTS {
        let Some(before) = ctx.store.subscription(id).await? else { return Ok(false) };
        let deed = Deed { actor: actor.clone(), action: "settlement.requested" };
        if commit(&ctx.store, &audited(&before, deed, [], now)).await? == Committed::Done {
            ctx.aws.send(&SettlementRequest::Flush { subscription: id.clone() }, 0).await?;
            return Ok(true);
        }
    }
    Err(Error::Contended { what: "the subscription" })
}

/// What became of the wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// AWS was asked, now or before; the buyer approves or seven days pass.
    Asked(Box<Subscription>),
    /// There is no such subscription.
    NotFound,
    /// It is based on another revision than the current one.
    Overtaken {
        /// The current one.
        revision: u64,
    },
    /// AWS has not told the agreement, or it is an older listing: the buyer cancels in AWS Marketplace.
    NoAgreement,
    /// The subscription is ending or over.
    Ended,
}

/// Asks AWS to cancel the agreement. Access goes on until AWS says that it ended.
///
/// A crash between AWS's answer and our write leaves a request that we do not show; asking again is refused by AWS or
/// makes a second request for the same agreement, and either ends the agreement once.
///
/// # Errors
/// When AWS or the store cannot be reached.
pub async fn request_cancellation<S, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    expected: Option<u64>,
    actor: Actor,
    now: Timestamp,
) -> Result<Cancellation, Error>
where
    S: Store,
    A: AgreementService + Sync,
{
    let Some(before) = ctx.store.subscription(id).await? else { return Ok(Cancellation::NotFound) };
    if expected.is_some_and(|expected| expected != before.revision) {
        return Ok(Cancellation::Overtaken { revision: before.revision });
    }
    if before.cancellation.is_some() {
        return Ok(Cancellation::Asked(Box::new(before)));
    }
    match before.phase(now) {
        LicensePhase::Closing { .. } | LicensePhase::Ended => return Ok(Cancellation::Ended),
        LicensePhase::Pending | LicensePhase::Active => {}
    }
    let Some(agreement) = before.agreements.current() else { return Ok(Cancellation::NoAgreement) };
    let request = ctx.aws.request_cancellation(agreement, now).await?;
    let deed = Deed { actor, action: "cancellation.requested" };
    let updated = change(ctx, id, None, deed, now, |state| {
        state.cancellation.get_or_insert_with(|| request.clone());
        Ok(())
    })
    .await?;
    Ok(match updated {
        Updated::Done(state) => Cancellation::Asked(state),
        Updated::Overtaken { revision } => Cancellation::Overtaken { revision },
        Updated::NotFound => Cancellation::NotFound,
        Updated::UnknownPlan | Updated::PlanFromEntitlement | Updated::Ended => Cancellation::Ended,
    })
}
