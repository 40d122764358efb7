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
    /// what was bought, nothing is due, and what would block does: that AWS cannot be asked grants nothing.
    pub fn terms(&self, spec: &DimensionSpec, catalog: &Catalog) -> Terms {
        if self.terms_are_provisional() {
            return match self.pricing {
                PricingModel::Contract => {
                    Terms { included: Allowance::NOTHING, overage: Overage::Blocked }
                }
                PricingModel::Usage | PricingModel::ContractWithConsumption => {
                    Terms { included: Allowance::Unlimited, overage: Overage::Billed }
                }
            };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LicenseRef;
    use crate::metering::MeterKey;
    use crate::notice::LicenseChange;
    use crate::subscription::LicenseFacts;
    use crate::time::Month;

    fn now() -> Timestamp {
        "2026-11-24T07:30:00Z".parse().unwrap()
    }

    fn catalog() -> Catalog {
        Catalog::from_toml(include_str!("../../../config/plans.toml")).unwrap()
    }

    fn subscription(pricing: PricingModel) -> Subscription {
        let arn = "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap();
        let license = LicenseRef::License { arn };
        Subscription::new(license, "product".parse().unwrap(), pricing, now())
    }

    fn granted(pricing: PricingModel, values: &[(&str, EntitledValue)]) -> Subscription {
        let values = values.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
        let snapshot = EntitlementSnapshot { as_of: now(), values, expires: None };
        Subscription { entitlements: Some(snapshot), ..subscription(pricing) }
    }

    fn amount(units: u64) -> EntitledValue {
        EntitledValue::Amount(Quantity::whole(units))
    }

    fn limited(units: u64) -> Allowance {
        Allowance::Limited(Quantity::whole(units))
    }

    fn terms(subscription: &Subscription, dimension: &str) -> Terms {
        let catalog = catalog();
        subscription.terms(catalog.dimension_named(dimension).unwrap(), &catalog)
    }

    fn used(subscription: &Subscription, dimension: &str, units: u64) -> Meter {
        let catalog = catalog();
        let spec = catalog.dimension_named(dimension).unwrap();
        let key = MeterKey {
            subscription: subscription.id.clone(),
            month: Month::of(now()),
            dimension: spec.id.clone(),
        };
        let mut meter = Meter::new(key, spec.aggregation, subscription.terms(spec, &catalog));
        meter.record(Quantity::whole(units), now());
        meter
    }

    fn in_use(subscription: &Subscription, dimension: &str, units: u64) -> DimensionUse {
        let catalog = catalog();
        let spec = catalog.dimension_named(dimension).unwrap();
        DimensionUse::of(subscription, spec, Some(&used(subscription, dimension, units)), &catalog)
    }

    fn active(subscription: Subscription) -> Subscription {
        let license_facts = LicenseFacts::of(LicenseChange::Updated, now());
        Subscription { license_facts, registered: Some(now()), ..subscription }
    }

    #[test]
    fn a_value_grants_unless_it_is_nothing() {
        assert!(amount(1).grants() && !amount(0).grants());
        assert!(EntitledValue::Flag(true).grants() && !EntitledValue::Flag(false).grants());
        assert!(EntitledValue::Text("x".into()).grants());
        assert!(!EntitledValue::Text(String::new()).grants());
    }

    #[test]
    fn a_snapshot_tells_what_it_grants_and_all_that_it_holds() {
        let snapshot = granted(
            PricingModel::Contract,
            &[
                ("a", amount(3)),
                ("b", EntitledValue::Flag(false)),
                ("c", EntitledValue::Text("x".into())),
            ],
        )
        .entitlements
        .unwrap();
        assert_eq!(snapshot.granted().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(snapshot.summary(), "a=3, b=false, c=x");
        let empty = granted(PricingModel::Contract, &[]).entitlements.unwrap();
        assert_eq!(empty.summary(), "none");
    }

    #[test]
    fn usage_pricing_includes_nothing_and_bills_everything() {
        let bills = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
        assert_eq!(terms(&subscription(PricingModel::Usage), "scans"), bills);
        assert_eq!(terms(&granted(PricingModel::Usage, &[("scans", amount(9))]), "scans"), bills);
    }

    #[test]
    fn a_contract_blocks_beyond_what_was_bought_or_the_plan_holds() {
        let bought = granted(PricingModel::Contract, &[("basic", amount(1)), ("users", amount(9))]);
        let blocks = |included| Terms { included, overage: Overage::Blocked };
        assert_eq!(terms(&bought, "users"), blocks(limited(9)));
        assert_eq!(terms(&bought, "scans"), blocks(limited(100)));
        let flag = granted(PricingModel::Contract, &[("users", EntitledValue::Flag(true))]);
        assert_eq!(terms(&flag, "users"), blocks(limited(5)), "a switch is no amount");
    }

    #[test]
    fn a_contract_with_consumption_bills_beyond_them() {
        let pricing = PricingModel::ContractWithConsumption;
        let bought = granted(pricing, &[("standard", amount(1)), ("users", amount(9))]);
        let bills = |included| Terms { included, overage: Overage::Billed };
        assert_eq!(terms(&bought, "users"), bills(limited(9)));
        assert_eq!(terms(&bought, "scans"), bills(limited(500)));
        let unlimited = granted(pricing, &[("enterprise", amount(1))]);
        assert_eq!(terms(&unlimited, "scans").included, Allowance::Unlimited);
    }

    #[test]
    fn before_aws_has_told_what_was_bought_nothing_is_due_and_what_blocks_blocks() {
        let consumption = subscription(PricingModel::ContractWithConsumption);
        assert_eq!(
            terms(&consumption, "scans"),
            Terms { included: Allowance::Unlimited, overage: Overage::Billed }
        );
        let contract = active(subscription(PricingModel::Contract));
        assert_eq!(
            terms(&contract, "scans"),
            Terms { included: Allowance::NOTHING, overage: Overage::Blocked }
        );
        let scans = in_use(&contract, "scans", 0);
        let asked = decide(&contract, &catalog(), None, Some((&scans, Quantity::whole(1))), now());
        assert_eq!(asked, Decision::QuotaExceeded);
    }

    #[test]
    fn a_dimension_shows_what_is_used_and_left() {
        let bought = granted(PricingModel::Contract, &[("basic", amount(1))]);
        let scans = in_use(&bought, "scans", 60);
        assert_eq!((scans.used, scans.remaining), (Quantity::whole(60), Some(Quantity::whole(40))));
        assert_eq!((scans.included, scans.overage), (limited(100), Overage::Blocked));
        assert!(scans.allows(Quantity::whole(40)) && !scans.allows(Quantity::whole(41)));
        let unused = DimensionUse::of(
            &bought,
            catalog().dimension_named("scans").unwrap(),
            None,
            &catalog(),
        );
        assert_eq!(unused.remaining, Some(Quantity::whole(100)));
        let pricing = PricingModel::ContractWithConsumption;
        let billed = in_use(&granted(pricing, &[("basic", amount(1))]), "scans", 150);
        assert!(billed.allows(Quantity::whole(1000)), "what is billed does not block");
        let without_limit = DimensionUse { remaining: None, ..scans };
        assert!(without_limit.allows(Quantity::whole(1000)));
    }

    #[test]
    fn access_then_feature_then_quota_decide() {
        let catalog = catalog();
        let bought = granted(PricingModel::Contract, &[("basic", amount(1))]);
        assert_eq!(
            decide(&bought, &catalog, None, None, now()),
            Decision::NoAccess(Access::NotActive)
        );
        let bought = active(bought);
        let scans = in_use(&bought, "scans", 99);
        let wanted = |units| Some((&scans, Quantity::whole(units)));
        assert_eq!(decide(&bought, &catalog, None, wanted(1), now()), Decision::Allowed);
        assert_eq!(decide(&bought, &catalog, None, wanted(2), now()), Decision::QuotaExceeded);
        let (mine, other) = ("basic-reports".parse().unwrap(), "ai-chat".parse().unwrap());
        assert_eq!(decide(&bought, &catalog, Some(&mine), None, now()), Decision::Allowed);
        assert_eq!(
            decide(&bought, &catalog, Some(&other), None, now()),
            Decision::FeatureNotInPlan
        );
    }
}
