//! What a buyer may use: the last answer of GetEntitlements, the terms each dimension is metered on, and the view that
//! quota and bill share.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::{Allowance, Catalog, DimensionSpec, Overage, PricingModel};
use crate::ids::{Dimension, FeatureId};
use crate::metering::{Meter, Terms};
use crate::quantity::Quantity;
use crate::subscription::{Access, Subscription};

/// The value AWS gives one entitlement; its type depends on the listing (fact sheet §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntitledValue {
    /// An amount.
    Amount(Quantity),
    /// A switch.
    Flag(bool),
    /// A text that is no amount.
    Text(String),
}

impl EntitledValue {
    /// Whether it grants anything.
    pub fn grants(&self) -> bool {
        match self {
            Self::Amount(quantity) => !quantity.is_zero(),
            Self::Flag(granted) => *granted,
            Self::Text(text) => !text.is_empty(),
        }
    }

    fn allowance(&self) -> Option<Allowance> {
        match self {
            Self::Amount(quantity) => Some(Allowance::Limited(*quantity)),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }
}

/// What GetEntitlements answered for one license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementSnapshot {
    /// When it was asked.
    pub as_of: Timestamp,
    /// By entitlement dimension; empty before activation and after the end.
    pub values: BTreeMap<String, EntitledValue>,
    /// The earliest date after which to ask again.
    pub expires: Option<Timestamp>,
}

impl EntitlementSnapshot {
    /// The dimensions that grant something.
    pub fn granted(&self) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(|(_, value)| value.grants())
            .map(|(dimension, _)| dimension.as_str())
    }

    /// One line for the audit trail.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        for (dimension, value) in &self.values {
            parts.push(match value {
                EntitledValue::Amount(quantity) => format!("{dimension}={quantity}"),
                EntitledValue::Flag(granted) => format!("{dimension}={granted}"),
                EntitledValue::Text(text) => format!("{dimension}={text}"),
            });
        }
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    }
}

impl Subscription {
    /// The terms a dimension is metered on now.
    ///
    /// Usage pricing includes nothing and bills everything; a contract owes nothing and blocks beyond what was bought;
    /// a contract with consumption bills what goes beyond AWS's entitlement or, without one, the plan. Until AWS has told
    /// what was bought, nothing is due.
    pub fn terms(&self, spec: &DimensionSpec, catalog: &Catalog) -> Terms {
        if self.terms_are_provisional() {
            return Terms { included: Allowance::Unlimited, overage: Overage::Billed };
        }
        let rule = self.plan(catalog).and_then(|plan| plan.dimensions.get(&spec.id));
        let entitled = self
            .entitlements
            .as_ref()
            .and_then(|snapshot| snapshot.values.get(spec.id.as_str()))
            .and_then(EntitledValue::allowance);
        let by_plan = rule.map_or(Allowance::NOTHING, |rule| rule.included);
        match self.pricing {
            PricingModel::Usage => Terms { included: Allowance::NOTHING, overage: Overage::Billed },
            PricingModel::Contract => {
                Terms { included: entitled.unwrap_or(by_plan), overage: Overage::Blocked }
            }
            PricingModel::ContractWithConsumption => Terms {
                included: entitled.unwrap_or(by_plan),
                overage: rule.map_or(Overage::Blocked, |rule| rule.overage),
            },
        }
    }
}

/// One dimension as its buyer sees it this month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DimensionUse {
    /// What.
    pub dimension: Dimension,
    /// What costs nothing extra.
    pub included: Allowance,
    /// Used this month.
    pub used: Quantity,
    /// Left of what is included; absent when unlimited.
    pub remaining: Option<Quantity>,
    /// What happens beyond it.
    pub overage: Overage,
}

impl DimensionUse {
    /// The view of a dimension; `meter` is absent when nothing was used this month.
    pub fn of(
        subscription: &Subscription,
        spec: &DimensionSpec,
        meter: Option<&Meter>,
        catalog: &Catalog,
    ) -> Self {
        let terms = meter.map_or_else(|| subscription.terms(spec, catalog), |meter| meter.terms);
        let used = meter.map_or(Quantity::ZERO, |meter| meter.aggregate);
        let remaining = match terms.included {
            Allowance::Limited(included) => Some(included.minus(used)),
            Allowance::Unlimited => None,
        };
        Self {
            dimension: spec.id.clone(),
            included: terms.included,
            used,
            remaining,
            overage: terms.overage,
        }
    }

    /// Whether so much more may be used.
    pub fn allows(&self, quantity: Quantity) -> bool {
        match (self.overage, self.remaining) {
            (Overage::Billed, _) | (Overage::Blocked, None) => true,
            (Overage::Blocked, Some(remaining)) => quantity <= remaining,
        }
    }
}

/// The answer to "may this buyer do that now?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No access at all.
    NoAccess(Access),
    /// The plan has no such feature.
    FeatureNotInPlan,
    /// The quota does not hold so much more.
    QuotaExceeded,
}

/// Decides whether a feature may be used and a quantity more of a dimension.
pub fn decide(
    subscription: &Subscription,
    catalog: &Catalog,
    feature: Option<&FeatureId>,
    wanted: Option<(&DimensionUse, Quantity)>,
    now: Timestamp,
) -> Decision {
    let access = subscription.access(now);
    if !access.is_granted() {
        return Decision::NoAccess(access);
    }
    if feature.is_some_and(|feature| !subscription.features(catalog, now).contains(feature)) {
        return Decision::FeatureNotInPlan;
    }
    match wanted {
        Some((usage, quantity)) if !usage.allows(quantity) => Decision::QuotaExceeded,
        Some(_) | None => Decision::Allowed,
    }
}
