//! The catalog as AWS lists it: which dimensions are metered, and which are bought up front.

use std::collections::BTreeMap;

use domain::catalog::{Catalog, PricingModel};
use simulator::{Dimension, Pricing, Product};

/// Another listing of the same seller: its tokens and notifications must be told from ours.
pub(crate) fn other_listing() -> Product {
    Product {
        code: "zyxw9876vuts5432rqpo1098n".to_owned(),
        id: "prod-zyxwvutsrqpon".to_owned(),
        title: "Another product of the seller".to_owned(),
        pricing: Pricing::Usage,
        dimensions: BTreeMap::from([("units".to_owned(), Dimension::metered())]),
        ..Product::default()
    }
}

/// The product as it would be listed: with usage pricing every dimension is metered; with a contract the plans and the
/// amounts are bought up front; with consumption both.
pub(crate) fn product(catalog: &Catalog, pricing: PricingModel) -> Product {
    let (pricing, listed) = match pricing {
        PricingModel::Usage => (Pricing::Usage, Dimension::metered()),
        PricingModel::Contract => (Pricing::Contract, Dimension::contract()),
        PricingModel::ContractWithConsumption => {
            (Pricing::ContractWithConsumption, Dimension::both())
        }
    };
    let mut dimensions: BTreeMap<String, Dimension> =
        catalog.dimensions().iter().map(|spec| (spec.id.to_string(), listed.clone())).collect();
    if pricing.has_contract() {
        dimensions.extend(
            catalog.plans().iter().map(|plan| (plan.entitlement.clone(), Dimension::contract())),
        );
    }
    Product { title: "Compliance scanning".to_owned(), pricing, dimensions, ..Product::default() }
}
