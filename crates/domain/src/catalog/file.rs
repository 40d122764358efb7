//! The catalog's file form, and the checks that make it a [`Catalog`].

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    Aggregation, Allowance, Catalog, DimensionRule, DimensionSpec, FeatureSpec, Overage, Plan,
};
use crate::ids::{Dimension, FeatureId, InvalidId, PlanId};
use crate::quantity::Quantity;

/// A catalog that cannot be sold from; the message says where and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCatalog {
    /// Not TOML, or a field is missing, unknown or of the wrong kind; the text shows the line.
    #[error("the plan catalog cannot be read: {0}")]
    Syntax(String),
    /// A rule is broken.
    #[error("{place}: {problem}")]
    Rule {
        /// Whose line it is, e.g. `plan PREMIUM, dimension scans`.
        place: String,
        /// What is wrong and what to write.
        problem: String,
    },
}

fn broken(place: impl Into<String>, problem: impl Into<String>) -> InvalidCatalog {
    InvalidCatalog::Rule { place: place.into(), problem: problem.into() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    currency: String,
    default_plan: String,
    dimensions: Vec<DimensionLine>,
    #[serde(default)]
    features: Vec<FeatureLine>,
    plans: Vec<PlanLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DimensionLine {
    id: String,
    metric: String,
    title: String,
    unit: String,
    aggregation: Aggregation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureLine {
    id: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanLine {
    id: String,
    title: String,
    monthly_price: String,
    entitlement: Option<String>,
    inherits: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    dimensions: BTreeMap<String, RuleLine>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct RuleLine {
    included: IncludedLine,
    overage: Option<Overage>,
    unit_price: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "included is a whole number, a decimal in quotes, or \"unlimited\"")]
enum IncludedLine {
    Whole(u64),
    Text(String),
}

pub(super) fn read(text: &str) -> Result<Catalog, InvalidCatalog> {
    let file: CatalogFile =
        toml::from_str(text).map_err(|error| InvalidCatalog::Syntax(error.to_string()))?;
    if file.currency.len() != 3 || !file.currency.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(broken("currency", "write an ISO code such as USD"));
    }
    let dimensions = read_dimensions(file.dimensions)?;
    let features = read_features(file.features)?;
    let plans = read_plans(file.plans, &dimensions, &features)?;
    let default_plan: PlanId = id(&file.default_plan, "default_plan")?;
    if !plans.iter().any(|plan| plan.id == default_plan) {
        return Err(broken("default_plan", format!("there is no plan {default_plan}")));
    }
    Ok(Catalog { currency: file.currency, default_plan, dimensions, features, plans })
}

fn read_dimensions(lines: Vec<DimensionLine>) -> Result<Vec<DimensionSpec>, InvalidCatalog> {
    if lines.is_empty() {
        return Err(broken("dimensions", "at least one dimension is needed"));
    }
    let mut seen = BTreeSet::new();
    lines
        .into_iter()
        .map(|line| {
            let place = format!("dimension {}", line.id);
            for name in [&line.id, &line.metric] {
                if !seen.insert(name.clone()) {
                    return Err(broken(
                        &place,
                        format!("{name} is used twice as a dimension or metric"),
                    ));
                }
            }
            Ok(DimensionSpec {
                id: id(&line.id, &place)?,
                metric: line.metric,
                title: line.title,
                unit: line.unit,
                aggregation: line.aggregation,
            })
        })
        .collect()
}

fn read_features(lines: Vec<FeatureLine>) -> Result<Vec<FeatureSpec>, InvalidCatalog> {
    let mut seen = BTreeSet::new();
    lines
        .into_iter()
        .map(|line| {
            let place = format!("feature {}", line.id);
            if !seen.insert(line.id.clone()) {
                return Err(broken(&place, "it is listed twice"));
            }
            Ok(FeatureSpec { id: id(&line.id, &place)?, title: line.title })
        })
        .collect()
}

fn read_plans(
    lines: Vec<PlanLine>,
    dimensions: &[DimensionSpec],
    features: &[FeatureSpec],
) -> Result<Vec<Plan>, InvalidCatalog> {
    let mut plans: Vec<Plan> = Vec::new();
    for line in lines {
        let place = format!("plan {}", line.id);
        let plan = read_plan(line, &place, &plans, dimensions, features)?;
        if plans.iter().any(|other| other.id == plan.id) {
            return Err(broken(place, "it is listed twice"));
        }
        if plans.iter().any(|other| other.entitlement == plan.entitlement) {
            return Err(broken(
                place,
                format!("entitlement {} already names another plan", plan.entitlement),
            ));
        }
        if dimensions.iter().any(|spec| spec.id.as_str() == plan.entitlement) {
            return Err(broken(
                place,
                format!("entitlement {} is a dimension, it cannot name a plan", plan.entitlement),
            ));
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn read_plan(
    line: PlanLine,
    place: &str,
    earlier: &[Plan],
    dimensions: &[DimensionSpec],
    features: &[FeatureSpec],
) -> Result<Plan, InvalidCatalog> {
    let parent = line
        .inherits
        .map(|name| {
            earlier.iter().find(|plan| plan.id.as_str() == name).ok_or_else(|| {
                broken(place, format!("inherits {name}, which is no plan listed before it"))
            })
        })
        .transpose()?;
    let mut all: BTreeSet<FeatureId> = parent.map(|plan| plan.features.clone()).unwrap_or_default();
    for name in &line.features {
        let feature = features.iter().find(|spec| spec.id.as_str() == name).ok_or_else(|| {
            broken(place, format!("feature {name} is not listed under [[features]]"))
        })?;
        all.insert(feature.id.clone());
    }
    let monthly_price = match line.monthly_price.as_str() {
        "custom" => None,
        text => Some(price(text, place, "monthly_price")?),
    };
    Ok(Plan {
        id: id(&line.id, place)?,
        entitlement: line.entitlement.unwrap_or_else(|| line.id.to_lowercase()),
        title: line.title,
        monthly_price,
        features: all,
        dimensions: read_rules(&line.dimensions, place, parent, dimensions)?,
    })
}

fn read_rules(
    lines: &BTreeMap<String, RuleLine>,
    place: &str,
    parent: Option<&Plan>,
    dimensions: &[DimensionSpec],
) -> Result<BTreeMap<Dimension, DimensionRule>, InvalidCatalog> {
    if let Some(name) =
        lines.keys().find(|name| !dimensions.iter().any(|spec| spec.id.as_str() == name.as_str()))
    {
        return Err(broken(place, format!("dimension {name} is not listed under [[dimensions]]")));
    }
    dimensions
        .iter()
        .map(|spec| {
            let place = format!("{place}, dimension {}", spec.id);
            let inherited = parent.and_then(|plan| plan.dimensions.get(&spec.id)).cloned();
            let rule = match (lines.get(spec.id.as_str()), inherited) {
                (Some(line), _) => read_rule(line, &place)?,
                (None, Some(inherited)) => inherited,
                (None, None) => {
                    return Err(broken(
                        place,
                        "say what is included: a number (0 for none) or \"unlimited\"",
                    ));
                }
            };
            Ok((spec.id.clone(), rule))
        })
        .collect()
}

fn read_rule(line: &RuleLine, place: &str) -> Result<DimensionRule, InvalidCatalog> {
    let included = match &line.included {
        IncludedLine::Whole(units) => Allowance::Limited(Quantity::whole(*units)),
        IncludedLine::Text(text) if text == "unlimited" => Allowance::Unlimited,
        IncludedLine::Text(text) => Allowance::Limited(text.parse().map_err(|_| {
            broken(place, "included is a whole number, a decimal in quotes, or \"unlimited\"")
        })?),
    };
    let unit_price =
        line.unit_price.as_deref().map(|text| price(text, place, "unit_price")).transpose()?;
    match (included, line.overage, unit_price) {
        (Allowance::Unlimited, None, None) => {
            Ok(DimensionRule { included, overage: Overage::Billed, unit_price: Decimal::ZERO })
        }
        (Allowance::Unlimited, _, _) => {
            Err(broken(place, "unlimited has no overage: leave out overage and unit_price"))
        }
        (Allowance::Limited(_), None, _) => {
            Err(broken(place, "say what happens beyond it: overage = \"billed\" or \"blocked\""))
        }
        (Allowance::Limited(_), Some(Overage::Billed), None) => {
            Err(broken(place, "overage is billed, so it needs a unit_price"))
        }
        (Allowance::Limited(_), Some(Overage::Blocked), Some(_)) => {
            Err(broken(place, "overage is blocked, so it has no unit_price"))
        }
        (Allowance::Limited(_), Some(overage), unit_price) => {
            Ok(DimensionRule { included, overage, unit_price: unit_price.unwrap_or_default() })
        }
    }
}

fn price(text: &str, place: &str, field: &str) -> Result<Decimal, InvalidCatalog> {
    let value = Decimal::from_str_exact(text)
        .map_err(|_| broken(place, format!("{field} is a decimal in quotes such as \"0.25\"")))?;
    if value.is_sign_negative() {
        return Err(broken(place, format!("{field} is negative")));
    }
    if value.scale() > 8 {
        return Err(broken(place, format!("{field} has more than 8 decimal places")));
    }
    Ok(value)
}

fn id<T>(text: &str, place: &str) -> Result<T, InvalidCatalog>
where
    T: TryFrom<String, Error = InvalidId>,
{
    T::try_from(text.to_owned()).map_err(|error| broken(place, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../../../config/plans.toml");

    fn refused(from: &str, to: &str) -> String {
        assert!(OURS.contains(from), "{from}");
        read(&OURS.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn the_catalog_in_the_repository_is_the_briefs() {
        let catalog = read(OURS).unwrap();
        assert_eq!(
            catalog.plans().iter().map(|p| p.id.as_str()).collect::<Vec<_>>(),
            ["BASIC", "STANDARD", "PREMIUM", "ENTERPRISE"]
        );
        let standard = catalog.plan(&"STANDARD".parse().unwrap()).unwrap();
        assert_eq!(standard.features.len(), 5, "its own three and the two of BASIC");
        let scans: Dimension = "scans".parse().unwrap();
        assert_eq!(standard.dimensions[&scans].included, Allowance::Limited(Quantity::whole(500)));
        assert_eq!(catalog.dimension_named("totalScans").unwrap().id, scans);
        let enterprise = catalog.plan_entitled(["basic", "enterprise"]).unwrap();
        assert_eq!(enterprise.dimensions[&scans].included, Allowance::Unlimited);
        assert_eq!(enterprise.monthly_price, None);
    }

    #[test]
    fn a_wrong_line_is_named_by_its_meaning() {
        let rule = "scans = { included = 500, overage = \"billed\", unit_price = \"1.00\" }";
        assert_eq!(
            refused(rule, "scans = { included = 500, overage = \"billed\" }"),
            "plan STANDARD, dimension scans: overage is billed, so it needs a unit_price"
        );
        assert_eq!(
            refused(rule, "scans = { included = \"unlimited\", overage = \"billed\" }"),
            "plan STANDARD, dimension scans: unlimited has no overage: leave out overage and unit_price"
        );
        assert_eq!(
            refused(rule, "scan = { included = 500, overage = \"blocked\" }"),
            "plan STANDARD: dimension scan is not listed under [[dimensions]]"
        );
        assert_eq!(
            refused("inherits = \"BASIC\"", "inherits = \"BASE\""),
            "plan STANDARD: inherits BASE, which is no plan listed before it"
        );
        assert_eq!(
            refused("\"ai-chat\", ", "\"ai-chats\", "),
            "plan STANDARD: feature ai-chats is not listed under [[features]]"
        );
        assert_eq!(
            refused("default_plan = \"BASIC\"", "default_plan = \"FREE\""),
            "default_plan: there is no plan FREE"
        );
        assert!(
            refused("included = 500", "included = -1").contains("included"),
            "a negative amount"
        );
        assert!(
            refused("currency = \"USD\"", "currency = \"USD\"\ncolour = 1").contains("colour"),
            "an unknown field"
        );
    }
}
