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
use lambda_shell::contract::shapes;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::invalid_body;
use crate::refusal::unknown_plan;

/// `POST /marketplace/subscriptions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NewSubscription")]
pub(crate) struct CreateBody {
    #[schemars(with = "shapes::LicenseArn")]
    license_arn: LicenseArn,
    #[schemars(with = "shapes::AccountId")]
    account: AccountId,
    #[schemars(with = "Option<shapes::AgreementId>")]
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "SubscriptionUpdate")]
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "TenantConfirmation")]
pub(crate) struct TenantBody {
    #[schemars(with = "shapes::TenantId")]
    pub(crate) tenant_id: TenantId,
}

/// A subscription as callers see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Subscription")]
pub(crate) struct SubscriptionBody {
    #[schemars(with = "shapes::SubscriptionId")]
    id: SubscriptionId,
    #[schemars(with = "shapes::SubscriptionStatus")]
    status: Status,
    access: AccessBody,
    #[schemars(with = "String")]
    product: ProductCode,
    #[schemars(with = "shapes::PricingModel")]
    pricing_model: PricingModel,
    #[schemars(with = "Option<shapes::LicenseArn>")]
    license_arn: Option<LicenseArn>,
    #[schemars(with = "Option<shapes::AccountId>")]
    account: Option<AccountId>,
    #[schemars(with = "Option<String>")]
    customer_identifier: Option<CustomerIdentifier>,
    agreement: Option<AgreementBody>,
    plan: Option<PlanBody>,
    #[schemars(with = "BTreeSet<shapes::FeatureId>")]
    features: BTreeSet<FeatureId>,
    #[schemars(with = "Option<shapes::Instant>")]
    registered_at: Option<Timestamp>,
    #[schemars(with = "Option<shapes::Hold>")]
    hold: Option<Hold>,
    tenant: TenantView,
    entitlements: Option<SnapshotBody>,
    free_trial: bool,
    #[schemars(with = "Option<shapes::SubscriptionId>")]
    continues: Option<SubscriptionId>,
    cancellation: Option<CancellationBody>,
    #[schemars(with = "Option<shapes::Instant>")]
    final_usage_until: Option<Timestamp>,
    #[schemars(with = "shapes::Instant")]
    created_at: Timestamp,
    #[schemars(with = "shapes::Instant")]
    updated_at: Timestamp,
    revision: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessDecision")]
pub(crate) struct AccessBody {
    granted: bool,
    /// Why not, or `granted`.
    #[schemars(with = "shapes::Access")]
    reason: Access,
}

impl From<Access> for AccessBody {
    fn from(access: Access) -> Self {
        Self { granted: access.is_granted(), reason: access }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Agreement")]
struct AgreementBody {
    #[schemars(with = "shapes::AgreementId")]
    id: AgreementId,
    #[schemars(with = "Option<shapes::Instant>")]
    ends_at: Option<Timestamp>,
    auto_renew: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
pub(crate) struct PlanBody {
    #[schemars(with = "shapes::PlanId")]
    id: PlanId,
    title: String,
}

impl PlanBody {
    pub(crate) fn of(subscription: &Subscription, catalog: &Catalog) -> Option<Self> {
        let plan = subscription.plan(catalog)?;
        Some(Self { id: plan.id.clone(), title: plan.title.clone() })
    }
}

lambda_shell::words! {
    TenantState ["none", "requested", "ready", "revoked"]
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tenant")]
struct TenantView {
    #[schemars(with = "TenantState")]
    state: &'static str,
    #[schemars(with = "Option<shapes::TenantId>")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EntitlementSnapshot")]
struct SnapshotBody {
    #[schemars(with = "shapes::Instant")]
    as_of: Timestamp,
    values: BTreeMap<String, ValueBody>,
    #[schemars(with = "Option<shapes::Instant>")]
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "EntitledValue")]
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

/// A cancellation that AWS was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Cancellation")]
struct CancellationBody {
    id: String,
    #[schemars(with = "shapes::Instant")]
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
