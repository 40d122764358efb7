//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, SecretsConfig, ServiceConfig, SettlementQueueUrl,
    TablesConfig,
};
use pages::Brand;

/// Everything the function reads.
#[derive(Debug, Clone)]
pub struct Config {
    /// The function itself; the health route tells its version.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// Where settlements are asked for.
    pub settlement_queue: SettlementQueueUrl,
    /// What seals the links and sessions of pages.
    pub secrets: SecretsConfig,
    /// Who the pages speak for.
    pub brand: Brand,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let settlement_queue = SettlementQueueUrl::read(vars);
        let secrets = SecretsConfig::read(vars);
        let brand = Brand::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            settlement_queue: settlement_queue?,
            secrets: secrets?,
            brand: brand?,
        })
    }
}
