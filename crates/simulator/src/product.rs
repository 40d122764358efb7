//! What the seller has listed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::switches::EntitlementValueType;

/// A listed product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The product code that metering and entitlement calls use (F§1).
    pub code: String,
    /// The `prod-…` id, never accepted in place of the code (F§13.10).
    pub id: String,
    /// The name a buyer sees.
    pub title: String,
    /// The pricing model.
    pub pricing: Pricing,
    /// The listed dimensions by their case-sensitive API name.
    pub dimensions: BTreeMap<String, Dimension>,
    /// The account that published the product; calls must come from it.
    pub publishing_account: String,
}

impl Default for Product {
    fn default() -> Self {
        Self::sample(Pricing::Usage)
    }
}

impl Product {
    /// A product with the placeholder ids of the fact sheet and a few dimensions for `pricing`.
    pub fn sample(pricing: Pricing) -> Self {
        let dimensions = match pricing {
            Pricing::Usage => {
                vec![("api_calls", Dimension::metered()), ("storage_gb", Dimension::metered())]
            }
            Pricing::Contract => {
                vec![("seats", Dimension::contract()), ("projects", Dimension::contract())]
            }
            Pricing::ContractWithConsumption => vec![
                ("seats", Dimension::contract()),
                ("api_calls", Dimension::both()),
                ("storage_gb", Dimension::metered()),
            ],
        };
        Self {
            code: "abcd1234efgh5678ijkl9012m".into(),
            id: "prod-abcdefghijklm".into(),
            title: "Sample product".into(),
            pricing,
            dimensions: dimensions.into_iter().map(|(name, it)| (name.into(), it)).collect(),
            publishing_account: "444455556666".into(),
        }
    }

    /// Whether usage of `dimension` can be metered at all; a contract never meters (F§8.3).
    pub(crate) fn meters(&self, dimension: &str) -> bool {
        self.pricing != Pricing::Contract
            && self.dimensions.get(dimension).is_some_and(|it| it.metered)
    }

    /// Whether `dimension` can be bought up front.
    pub(crate) fn sells(&self, dimension: &str) -> bool {
        self.pricing.has_contract() && self.dimensions.get(dimension).is_some_and(|it| it.contract)
    }
}

/// How a product is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pricing {
    /// Pay as you go: metered only.
    Usage,
    /// Paid up front: entitlements only, never metered.
    Contract,
    /// Paid up front, with metered usage above the commitment.
    ContractWithConsumption,
}

impl Pricing {
    /// Whether the product sells entitlements.
    pub fn has_contract(self) -> bool {
        match self {
            Self::Usage => false,
            Self::Contract | Self::ContractWithConsumption => true,
        }
    }
}

impl std::str::FromStr for Pricing {
    type Err = UnknownPricing;

    fn from_str(text: &str) -> Result<Self, UnknownPricing> {
        match text {
            "usage" => Ok(Self::Usage),
            "contract" => Ok(Self::Contract),
            "contract-with-consumption" => Ok(Self::ContractWithConsumption),
            _ => Err(UnknownPricing),
        }
    }
}

/// The text names no pricing model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pricing model is usage, contract or contract-with-consumption")]
pub struct UnknownPricing;

/// One dimension of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dimension {
    /// Usage of it can be metered.
    pub metered: bool,
    /// It can be bought up front.
    pub contract: bool,
    /// The type of its entitlement's value; `None` follows the switches (F§4).
    pub value_type: Option<EntitlementValueType>,
}

impl Dimension {
    /// A dimension that is only metered.
    pub fn metered() -> Self {
        Self { metered: true, ..Self::default() }
    }

    /// A dimension that is only bought up front.
    pub fn contract() -> Self {
        Self { contract: true, ..Self::default() }
    }

    /// A dimension that is bought up front and metered above the commitment.
    pub fn both() -> Self {
        Self { metered: true, contract: true, ..Self::default() }
    }
}
