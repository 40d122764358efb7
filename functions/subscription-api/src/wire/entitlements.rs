//! What may be used, and the questions about it.

use std::collections::BTreeSet;

use app::entitlements::{Overview, Question};
use domain::catalog::{Allowance, Catalog, Overage};
use domain::entitlement::{Decision, DimensionUse};
use domain::ids::{Dimension, FeatureId, SubscriptionId};
use domain::quantity::Quantity;
use domain::subscription::Status;
use domain::time::Month;
use jiff::Timestamp;
use lambda_shell::number::NumberText;
use lambda_shell::problem::Problem;
use serde::{Deserialize, Serialize};

use super::subscription::{AccessBody, PlanBody};
use super::{dimension_name, invalid_body};
use crate::refusal::denial;

/// One dimension this month.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DimensionBody {
    dimension: Dimension,
    unlimited: bool,
    /// Absent when unlimited.
    included: Option<Quantity>,
    used: Quantity,
    /// Absent when unlimited.
    remaining: Option<Quantity>,
    overage: Overage,
}

impl From<DimensionUse> for DimensionBody {
    fn from(usage: DimensionUse) -> Self {
        let included = match usage.included {
            Allowance::Limited(included) => Some(included),
            Allowance::Unlimited => None,
        };
        Self {
            dimension: usage.dimension,
            unlimited: included.is_none(),
            included,
            used: usage.used,
            remaining: usage.remaining,
            overage: usage.overage,
        }
    }
}

/// `GET …/entitlements`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntitlementsBody {
    subscription_id: SubscriptionId,
    status: Status,
    access: AccessBody,
    month: Month,
    plan: Option<PlanBody>,
    features: BTreeSet<FeatureId>,
    dimensions: Vec<DimensionBody>,
    /// When AWS was last asked what was bought.
    as_of: Option<Timestamp>,
}

impl EntitlementsBody {
    pub(crate) fn of(overview: Overview, catalog: &Catalog, now: Timestamp) -> Self {
        Self {
            subscription_id: overview.subscription.id.clone(),
            status: overview.subscription.status(now),
            access: overview.access.into(),
            month: Month::of(now),
            plan: PlanBody::of(&overview.subscription, catalog),
            features: overview.features,
            dimensions: overview.dimensions.into_iter().map(Into::into).collect(),
            as_of: overview.as_of,
        }
    }
}

/// `POST …/entitlements/check`. An empty question asks for access alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckBody {
    feature: Option<String>,
    dimension: Option<String>,
    metric: Option<String>,
    quantity: Option<NumberText>,
}

impl TryFrom<CheckBody> for Question {
    type Error = Problem;

    fn try_from(body: CheckBody) -> Result<Self, Problem> {
        let dimension = dimension_name(body.dimension, body.metric, "")?;
        if dimension.is_none() && body.quantity.is_some() {
            return Err(invalid_body("quantity", "goes with a dimension or a metric"));
        }
        let quantity = body.quantity.map(NumberText::into_string);
        Ok(Self { feature: body.feature, dimension, quantity })
    }
}

/// Yes or no.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckAnswer {
    allowed: bool,
    /// Why not: `no_access`, `feature_not_in_plan` or `quota_exceeded`.
    code: Option<&'static str>,
    detail: Option<String>,
    /// The dimension asked about, as it stands.
    usage: Option<DimensionBody>,
}

impl CheckAnswer {
    pub(crate) fn of(decision: Decision, usage: Option<DimensionUse>) -> Self {
        let (code, detail) = denial(decision).unzip();
        Self { allowed: code.is_none(), code, detail, usage: usage.map(Into::into) }
    }
}

/// A reservation that is counted.
#[derive(Debug, Serialize)]
pub(crate) struct ConsumeAnswer {
    /// `reserved`, or `duplicate` when it was before.
    pub(crate) status: &'static str,
    pub(crate) key: String,
    /// The month of its own time: name it to release the reservation.
    pub(crate) month: Option<Month>,
    /// The dimension as it stands now.
    pub(crate) usage: Option<DimensionBody>,
}

/// `POST …/entitlements/release`: which reservation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseBody {
    pub(crate) key: String,
    pub(crate) month: Month,
}

/// A reservation that counts nothing any more.
#[derive(Debug, Serialize)]
pub(crate) struct ReleaseAnswer {
    /// `released`, or `already-released`.
    pub(crate) status: &'static str,
}
