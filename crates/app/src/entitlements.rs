//! What a buyer may use: asking AWS, and answering the platform in one read.

use std::collections::{BTreeMap, BTreeSet};

use domain::entitlement::{Decision, DimensionUse, EntitledValue, EntitlementSnapshot, decide};
use domain::ids::{FeatureId, PlanId, SubscriptionId};
use domain::metering::{Meter, MeterKey};
use domain::quantity::Quantity;
use domain::subscription::{Access, Subscription};
use domain::time::{Month, after};
use jiff::{SignedDuration, Timestamp};

use crate::ports::{EntitlementService, Usage};
use crate::usage::Refusal;
use crate::{Context, Error};

/// When to ask again after an empty answer.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// Asks AWS what a license grants and takes over the answer. Answers whether it grants anything now.
pub(crate) async fn ask<S, A: EntitlementService>(
    ctx: &Context<S, A>,
    state: &mut Subscription,
    now: Timestamp,
) -> Result<bool, Error> {
    let answer = ctx.aws.entitlements(&state.product, &state.license).await?;
    let grants = !answer.0.is_empty();
    take(state, answer, now);
    Ok(grants)
}

/// What GetEntitlements answers: by dimension, and the earliest date until which it is sure to hold.
pub(crate) type Answer = (BTreeMap<String, EntitledValue>, Option<Timestamp>);

/// Takes over what AWS answered.
pub(crate) fn take(state: &mut Subscription, (values, expires): Answer, now: Timestamp) {
    let snapshot = EntitlementSnapshot { as_of: now, values, expires };
    state.take_entitlements(snapshot, after(now, ASK_AGAIN));
}

/// What a subscription grants now and has used this month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The subscription.
    pub subscription: Subscription,
    /// The plan in force.
    pub plan: Option<PlanId>,
    /// Whether anything may be used.
    pub access: Access,
    /// The features that may be used now.
    pub features: BTreeSet<FeatureId>,
    /// Every dimension of the catalog, in its order.
    pub dimensions: Vec<DimensionUse>,
    /// When AWS was last asked what was bought; absent when it never is or has not answered yet.
    pub as_of: Option<Timestamp>,
}

/// Tells what a subscription grants; `None` when there is no such subscription.
///
/// # Errors
/// When the store cannot be read.
pub async fn overview<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    now: Timestamp,
) -> Result<Option<Overview>, Error> {
    let catalog = &ctx.listing.catalog;
    let month = Month::of(now);
    let keys: Vec<MeterKey> = catalog
        .dimensions()
        .iter()
        .map(|spec| MeterKey { subscription: id.clone(), month, dimension: spec.id.clone() })
        .collect();
    let read = ctx.store.read_usage(id, &keys).await?;
    let Some(subscription) = read.subscription else { return Ok(None) };
    let dimensions = catalog
        .dimensions()
        .iter()
        .map(|spec| {
            let meter = read.meters.iter().find(|meter: &&Meter| meter.key.dimension == spec.id);
            DimensionUse::of(&subscription, spec, meter, catalog)
        })
        .collect();
    Ok(Some(Overview {
        plan: subscription.plan(catalog).map(|plan| plan.id.clone()),
        access: subscription.access(now),
        features: subscription.features(catalog, now),
        dimensions,
        as_of: subscription.entitlements.as_ref().map(|snapshot| snapshot.as_of),
        subscription,
    }))
}

/// What the platform asks before it lets a buyer do something; raw texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// May this feature be used?
    pub feature: Option<String>,
    /// May more of this dimension or platform metric be used?
    pub dimension: Option<String>,
    /// How much more; 1 when absent.
    pub quantity: Option<String>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// There is no such subscription.
    NoSuchSubscription,
    /// The question names something that does not exist.
    Refused(Refusal),
    /// Yes or no.
    Decided {
        /// Which, and why not.
        decision: Decision,
        /// The dimension asked about, as it stands.
        usage: Option<DimensionUse>,
    },
}

/// Answers whether a buyer may do something now, in one read.
///
/// # Errors
/// When the store cannot be read; never take that for a yes.
pub async fn check<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    question: &Question,
    now: Timestamp,
) -> Result<Checked, Error> {
    let catalog = &ctx.listing.catalog;
    let feature = match question.feature.as_deref().map(|name| known_feature(ctx, name)).transpose()
    {
        Ok(feature) => feature,
        Err(refusal) => return Ok(Checked::Refused(refusal)),
    };
    let spec = match question.dimension.as_deref() {
        Some(name) => match catalog.dimension_named(name) {
            Some(spec) => Some(spec),
            None => return Ok(Checked::Refused(Refusal::UnknownDimension)),
        },
        None => None,
    };
    let quantity =
        match question.quantity.as_deref().map_or(Ok(Quantity::whole(1)), Quantity::report) {
            Ok(quantity) => quantity,
            Err(invalid) => return Ok(Checked::Refused(Refusal::InvalidQuantity(invalid))),
        };
    let keys: Vec<MeterKey> = spec
        .iter()
        .map(|spec| MeterKey {
            subscription: id.clone(),
            month: Month::of(now),
            dimension: spec.id.clone(),
        })
        .collect();
    let read = ctx.store.read_usage(id, &keys).await?;
    let Some(subscription) = read.subscription else { return Ok(Checked::NoSuchSubscription) };
    let usage =
        spec.map(|spec| DimensionUse::of(&subscription, spec, read.meters.first(), catalog));
    let wanted = usage.as_ref().map(|usage| (usage, quantity));
    let decision = decide(&subscription, catalog, feature.as_ref(), wanted, now);
    Ok(Checked::Decided { decision, usage })
}

fn known_feature<S, A>(ctx: &Context<S, A>, name: &str) -> Result<FeatureId, Refusal> {
    ctx.listing
        .catalog
        .features()
        .iter()
        .find(|spec| spec.id.as_str() == name)
        .map(|spec| spec.id.clone())
        .ok_or(Refusal::UnknownFeature)
}
