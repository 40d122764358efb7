//! A subscription, and what callers ask of it.

use std::collections::{BTreeMap, BTreeSet};

use app::subscriptions::{NewSubscription, Update};
use domain::catalog::{Catalog, PricingModel};
use domain::entitlement::{EntitledValue, EntitlementSnapshot};
use domain::ids::{
    AccountId, AgreementId, CustomerIdentifier, FeatureId, LicenseArn, PlanId, ProductCode,
    SubscriptionId, TenantId,
};
use domain::subscription::{Access, Hold, LicensePhase, Status, Subscription, Tenant};
use jiff::Timestamp;
use lambda_shell::problem::Problem;
use serde::{Deserialize, Serialize};

use super::invalid_body;
use crate::refusal::unknown_plan;

/// `POST /marketplace/subscriptions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateBody {
    license_arn: LicenseArn,
    account: AccountId,
    agreement_id: Option<AgreementId>,
    plan: Option<String>,
}

impl TryFrom<CreateBody> for NewSubscription {
    type Error = Problem;

    fn try_from(body: CreateBody) -> Result<Self, Problem> {
        if !body.license_arn.is_complete() {
            return Err(invalid_body("licenseArn", "a whole ARN, as metering demands it"));
        }
        Ok(Self {
            license: body.license_arn,
            account: body.account,
            agreement: body.agreement_id,
            plan: body.plan.map(plan).transpose()?,
        })
    }
}

/// `PUT /marketplace/subscriptions/{id}`: what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateBody {
    plan: Option<String>,
    suspended: Option<bool>,
}

impl TryFrom<UpdateBody> for Update {
    type Error = Problem;

    fn try_from(body: UpdateBody) -> Result<Self, Problem> {
        if body.plan.is_none() && body.suspended.is_none() {
            return Err(invalid_body("body", "names plan, suspended or both"));
        }
        Ok(Self { plan: body.plan.map(plan).transpose()?, suspended: body.suspended })
    }
}

/// A text that cannot be a plan's name names a plan that does not exist.
fn plan(name: String) -> Result<PlanId, Problem> {
    PlanId::try_from(name).map_err(|_| unknown_plan())
}

/// `PUT /marketplace/subscriptions/{id}/tenant`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TenantBody {
    pub(crate) tenant_id: TenantId,
}

/// A subscription as callers see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionBody {
    id: SubscriptionId,
    status: Status,
    access: AccessBody,
    product: ProductCode,
    pricing_model: PricingModel,
    license_arn: Option<LicenseArn>,
    account: Option<AccountId>,
    customer_identifier: Option<CustomerIdentifier>,
    agreement: Option<AgreementBody>,
    plan: Option<PlanBody>,
    features: BTreeSet<FeatureId>,
    registered_at: Option<Timestamp>,
    hold: Option<Hold>,
    tenant: TenantView,
    entitlements: Option<SnapshotBody>,
    free_trial: bool,
    continues: Option<SubscriptionId>,
    cancellation: Option<CancellationBody>,
    final_usage_until: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct AccessBody {
    granted: bool,
    /// Why not, or `granted`.
    reason: Access,
}

impl From<Access> for AccessBody {
    fn from(access: Access) -> Self {
        Self { granted: access.is_granted(), reason: access }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AgreementBody {
    id: AgreementId,
    ends_at: Option<Timestamp>,
    auto_renew: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PlanBody {
    id: PlanId,
    title: String,
}

impl PlanBody {
    pub(crate) fn of(subscription: &Subscription, catalog: &Catalog) -> Option<Self> {
        let plan = subscription.plan(catalog)?;
        Some(Self { id: plan.id.clone(), title: plan.title.clone() })
    }
}

#[derive(Debug, Serialize)]
struct TenantView {
    state: &'static str,
    id: Option<TenantId>,
}

impl From<&Tenant> for TenantView {
    fn from(tenant: &Tenant) -> Self {
        let state = match tenant {
            Tenant::None => "none",
            Tenant::Requested => "requested",
            Tenant::Ready { .. } => "ready",
            Tenant::Revoked { .. } => "revoked",
        };
        Self { state, id: tenant.id().cloned() }
    }
}

/// What AWS answered last. A value is a decimal or another text, or a switch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotBody {
    as_of: Timestamp,
    values: BTreeMap<String, ValueBody>,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ValueBody {
    Flag(bool),
    Text(String),
}

impl From<&EntitlementSnapshot> for SnapshotBody {
    fn from(snapshot: &EntitlementSnapshot) -> Self {
        let value = |value: &EntitledValue| match value {
            EntitledValue::Amount(quantity) => ValueBody::Text(quantity.to_string()),
            EntitledValue::Flag(granted) => ValueBody::Flag(*granted),
            EntitledValue::Text(text) => ValueBody::Text(text.clone()),
        };
        Self {
            as_of: snapshot.as_of,
            values: snapshot
                .values
                .iter()
                .map(|(name, kept)| (name.clone(), value(kept)))
                .collect(),
            expires_at: snapshot.expires,
        }
    }
}

/// There is a free trial; when it ends, if AWS has told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CancellationBody {
    id: String,
    requested_at: Timestamp,
}

impl SubscriptionBody {
    pub(crate) fn of(state: &Subscription, catalog: &Catalog, now: Timestamp) -> Self {
        let agreement = state.agreements.current();
        let facts = agreement.and_then(|id| state.agreements.0.get(id));
        Self {
            id: state.id.clone(),
            status: state.status(now),
            access: state.access(now).into(),
            product: state.product.clone(),
            pricing_model: state.pricing,
            license_arn: state.license.arn().cloned(),
            account: state.account.clone(),
            customer_identifier: state.customer.clone(),
            agreement: agreement.map(|id| AgreementBody {
                id: id.clone(),
                ends_at: state.agreements.current_end(),
                auto_renew: facts.and_then(|facts| facts.auto_renew).map(|dated| dated.value),
            }),
            plan: PlanBody::of(state, catalog),
            features: state.features(catalog, now),
            registered_at: state.registered,
            hold: state.hold(),
            tenant: (&state.tenant).into(),
            entitlements: state.entitlements.as_ref().map(Into::into),
            free_trial: state.free_trial,
            continues: state.continues.clone(),
            cancellation: state.cancellation.as_ref().map(|request| CancellationBody {
                id: request.id.clone(),
                requested_at: request.at,
            }),
            final_usage_until: match state.phase(now) {
                LicensePhase::Closing { until } => Some(until),
                LicensePhase::Pending | LicensePhase::Active | LicensePhase::Ended => None,
            },
            created_at: state.created_at,
            updated_at: state.updated_at,
            revision: state.revision,
        }
    }
}
