//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, MeteringRegion, Reader, ServiceConfig, SettlementQueueUrl,
    TablesConfig,
};

/// Everything the reconciler reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The listing's other id.
    pub product_id: ProductId,
    /// The tables.
    pub tables: TablesConfig,
    /// The Region that all records of this deployment are sent to.
    pub metering_region: MeteringRegion,
    /// The scheduler's queue: a license that ended is flushed.
    pub settlement_queue: SettlementQueueUrl,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let product_id = ProductId::read(vars);
        let tables = TablesConfig::read(vars);
        let metering_region = MeteringRegion::read(vars);
        let settlement_queue = SettlementQueueUrl::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            product_id: product_id?,
            tables: tables?,
            metering_region: metering_region?,
            settlement_queue: settlement_queue?,
        })
    }
}

/// `MARKETPLACE_PRODUCT_ID`: the listing's `prod-…` id. Agreements do not name the product code, and the seller may
/// have other listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductId(pub String);

impl Configuration for ProductId {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.required("MARKETPLACE_PRODUCT_ID", "the listing's prod-… id", |text| {
            let id = text.strip_prefix("prod-")?;
            let plain = id.chars().all(|c| c.is_ascii_alphanumeric());
            (plain && (1..=60).contains(&id.len())).then(|| Self(text.to_owned()))
        })
    }
}
