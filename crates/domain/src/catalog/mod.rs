//! The plan catalog: dimensions, features and plans, read from `config/plans.toml` and checked as a whole on load.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, FeatureId, PlanId};
use crate::quantity::Quantity;

pub use file::InvalidCatalog;

/// How reports of one dimension add up over a billing month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Every report adds to the month's total.
    Sum,
    /// The largest report counts.
    Peak,
}

/// How much of a dimension a plan or an entitlement includes. Unlimited is its own value, never a big number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowance {
    /// Up to this amount a month.
    Limited(Quantity),
    /// As much as the buyer likes.
    Unlimited,
}

impl Allowance {
    /// Nothing included.
    pub const NOTHING: Self = Self::Limited(Quantity::ZERO);
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(quantity) => write!(f, "{quantity}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// What happens beyond the included amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overage {
    /// It is metered to AWS and billed per unit.
    Billed,
    /// It is refused.
    Blocked,
}

/// What the seller charges through the listing (fact sheet §8.2 to §8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum PricingModel {
    /// Pay as you go: everything used is metered, nothing is included.
    Usage,
    /// A commitment bought up front: never metered, usage beyond it is refused.
    Contract,
    /// A commitment, and metering of what goes beyond it.
    #[default]
    ContractWithConsumption,
}

impl PricingModel {
    /// Whether GetEntitlements tells what was bought.
    pub fn has_entitlements(self) -> bool {
        match self {
            Self::Usage => false,
            Self::Contract | Self::ContractWithConsumption => true,
        }
    }

    /// Whether usage is ever metered to AWS.
    pub fn is_metered(self) -> bool {
        match self {
            Self::Contract => false,
            Self::Usage | Self::ContractWithConsumption => true,
        }
    }
}

impl std::str::FromStr for PricingModel {
    type Err = UnknownPricingModel;

    fn from_str(text: &str) -> Result<Self, UnknownPricingModel> {
        match text {
            "usage" => Ok(Self::Usage),
            "contract" => Ok(Self::Contract),
            "contract-with-consumption" => Ok(Self::ContractWithConsumption),
            _ => Err(UnknownPricingModel),
        }
    }
}

impl fmt::Display for PricingModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usage => "usage",
            Self::Contract => "contract",
            Self::ContractWithConsumption => "contract-with-consumption",
        })
    }
}

/// A pricing model that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pricing model is usage, contract or contract-with-consumption")]
pub struct UnknownPricingModel;

/// One dimension of the listing and the platform metric that feeds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimensionSpec {
    /// The listing's dimension.
    pub id: Dimension,
    /// The platform's name for it, e.g. `totalScans`.
    pub metric: String,
    /// For people.
    pub title: String,
    /// One of it, for people.
    pub unit: String,
    /// How reports add up.
    pub aggregation: Aggregation,
}

/// A capability that a plan switches on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Its id.
    pub id: FeatureId,
    /// For people.
    pub title: String,
}

/// A plan's rule for one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimensionRule {
    /// What is included a month.
    pub included: Allowance,
    /// What happens beyond it.
    pub overage: Overage,
    /// Price of one unit beyond it, in the catalog's currency; zero where nothing is billed.
    pub unit_price: Decimal,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// For people.
    pub title: String,
    /// Price per month in the catalog's currency; `None` is agreed in private.
    pub monthly_price: Option<Decimal>,
    /// The AWS entitlement dimension that names this plan.
    pub entitlement: String,
    /// All its features, inherited ones included.
    pub features: BTreeSet<FeatureId>,
    /// A rule for each dimension of the catalog.
    pub dimensions: BTreeMap<Dimension, DimensionRule>,
}

/// Everything that can be bought. Every plan has a rule for every dimension, and every name resolves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    currency: String,
    default_plan: PlanId,
    dimensions: Vec<DimensionSpec>,
    features: Vec<FeatureSpec>,
    plans: Vec<Plan>,
}

impl Catalog {
    /// Reads and checks a catalog.
    ///
    /// # Errors
    /// Names the plan, dimension or feature that is wrong and what it should be.
    pub fn from_toml(text: &str) -> Result<Self, InvalidCatalog> {
        file::read(text)
    }

    /// ISO code of all prices.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The plan of a subscription for which none is named.
    pub fn default_plan(&self) -> &PlanId {
        &self.default_plan
    }

    /// The dimensions, in the file's order.
    pub fn dimensions(&self) -> &[DimensionSpec] {
        &self.dimensions
    }

    /// The features, in the file's order.
    pub fn features(&self) -> &[FeatureSpec] {
        &self.features
    }

    /// The plans, from smallest to largest.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// A plan by id.
    pub fn plan(&self, id: &PlanId) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == *id)
    }

    /// A dimension by its id.
    pub fn dimension(&self, id: &Dimension) -> Option<&DimensionSpec> {
        self.dimensions.iter().find(|spec| spec.id == *id)
    }

    /// A dimension by its id or by the platform metric that feeds it.
    pub fn dimension_named(&self, name: &str) -> Option<&DimensionSpec> {
        self.dimensions.iter().find(|spec| spec.id.as_str() == name || spec.metric == name)
    }

    /// The largest plan that one of these entitlement dimensions names.
    pub fn plan_entitled<'a>(
        &self,
        dimensions: impl IntoIterator<Item = &'a str>,
    ) -> Option<&Plan> {
        let named: BTreeSet<&str> = dimensions.into_iter().collect();
        self.plans.iter().rfind(|plan| named.contains(plan.entitlement.as_str()))
    }
}
