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
use lambda_shell::contract::shapes;
use lambda_shell::number::NumberText;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::subscription::{AccessBody, PlanBody};
use super::{dimension_name, invalid_body};
use crate::refusal::denial;

/// One dimension this month.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DimensionUse")]
pub(crate) struct DimensionBody {
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    unlimited: bool,
    /// Absent when unlimited.
    #[schemars(with = "Option<shapes::Decimal>")]
    included: Option<Quantity>,
    #[schemars(with = "shapes::Decimal")]
    used: Quantity,
    /// Absent when unlimited.
    #[schemars(with = "Option<shapes::Decimal>")]
    remaining: Option<Quantity>,
    #[schemars(with = "shapes::Overage")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Entitlements")]
pub(crate) struct EntitlementsBody {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "shapes::SubscriptionStatus")]
    status: Status,
    access: AccessBody,
    #[schemars(with = "shapes::Month")]
    month: Month,
    plan: Option<PlanBody>,
    #[schemars(with = "BTreeSet<shapes::FeatureId>")]
    features: BTreeSet<FeatureId>,
    dimensions: Vec<DimensionBody>,
    /// When AWS was last asked what was bought.
    #[schemars(with = "Option<shapes::Instant>")]
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
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

lambda_shell::words! {
    Denial ["no_access", "feature_not_in_plan", "quota_exceeded"]
    ReservationState ["reserved", "duplicate"]
    ReleaseState ["released", "already-released"]
    KeepState ["kept", "already-kept"]
}

/// Yes or no.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Decision")]
pub(crate) struct CheckAnswer {
    allowed: bool,
    /// Why not: `no_access`, `feature_not_in_plan` or `quota_exceeded`.
    #[schemars(with = "Option<Denial>")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reserved")]
pub(crate) struct ConsumeAnswer {
    /// `reserved`, or `duplicate` when it was before.
    #[schemars(with = "ReservationState")]
    pub(crate) status: &'static str,
    #[schemars(with = "shapes::Key")]
    pub(crate) key: String,
    /// The month of its own time: name it to release the reservation.
    #[schemars(with = "Option<shapes::Month>")]
    pub(crate) month: Option<Month>,
    /// Until when it is held: keep or release it before. Absent when it counts for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shapes::Instant>")]
    pub(crate) held_until: Option<Timestamp>,
    /// The dimension as it stands now.
    pub(crate) usage: Option<DimensionBody>,
}

/// `POST …/entitlements/keep` and `…/release`: which reservation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Reservation")]
pub(crate) struct ReservationBody {
    #[schemars(with = "shapes::Key")]
    pub(crate) key: String,
    #[schemars(with = "shapes::Month")]
    pub(crate) month: Month,
}

/// A reservation that counts for good.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Kept")]
pub(crate) struct KeepAnswer {
    /// `kept`, or `already-kept`.
    #[schemars(with = "KeepState")]
    pub(crate) status: &'static str,
}

/// A reservation that counts nothing any more.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Released")]
pub(crate) struct ReleaseAnswer {
    /// `released`, or `already-released`.
    #[schemars(with = "ReleaseState")]
    pub(crate) status: &'static str,
}
