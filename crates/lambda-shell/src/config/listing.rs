//! The listing that a deployment serves.

use std::sync::Arc;

use app::Listing;
use domain::catalog::{Catalog, PricingModel};
use domain::ids::ProductCode;
use domain::time::MeteringWindow;

use super::{Configuration, Reader};

/// The plan catalog that is built in.
const BUILT_IN_CATALOG: &str = include_str!("../../../../config/plans.toml");

/// `MARKETPLACE_PRODUCT_CODE`, `PRICING_MODEL`, `PLAN_CATALOG_FILE`, `LATE_USAGE_DAYS` and `HEARTBEAT`.
#[derive(Debug, Clone)]
pub struct ListingConfig {
    product: ProductCode,
    pricing: PricingModel,
    catalog: Catalog,
    late_usage_days: u16,
    heartbeat: bool,
}

impl Configuration for ListingConfig {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let product = vars.required(
            "MARKETPLACE_PRODUCT_CODE",
            "the listing's product code (not the prod-… product id)",
            |text| text.parse().ok(),
        );
        let pricing = vars.or(
            "PRICING_MODEL",
            "usage, contract or contract-with-consumption",
            PricingModel::default(),
            |text| text.parse().ok(),
        );
        let late_usage_days =
            vars.or("LATE_USAGE_DAYS", "a number of days from 0 to 31", 7, |text| {
                text.parse().ok().filter(|days| (0..=31).contains(days))
            });
        let heartbeat = vars.or("HEARTBEAT", "on or off", false, |text| match text {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        });
        let catalog = catalog(vars);
        Some(Self {
            product: product?,
            pricing: pricing?,
            catalog: catalog?,
            late_usage_days: late_usage_days?,
            heartbeat: heartbeat?,
        })
    }
}

const CATALOG_FILE: &str = "PLAN_CATALOG_FILE";

fn catalog(vars: &mut Reader<'_>) -> Option<Catalog> {
    let file = vars.optional(CATALOG_FILE, "a path", |path| Some(path.to_owned()))?;
    let text = match file {
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                vars.problem(CATALOG_FILE, &format!("names a file that cannot be read: {error}"));
                return None;
            }
        },
        None => BUILT_IN_CATALOG.to_owned(),
    };
    Catalog::from_toml(&text)
        .inspect_err(|error| vars.problem(CATALOG_FILE, &format!("is not a plan catalog: {error}")))
        .ok()
}

impl From<ListingConfig> for Listing {
    fn from(config: ListingConfig) -> Self {
        Self {
            product: config.product,
            pricing: config.pricing,
            catalog: Arc::new(config.catalog),
            window: MeteringWindow::default(),
            late_usage_days: config.late_usage_days,
            heartbeat: config.heartbeat,
        }
    }
}
