//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, ServiceConfig, SettlementQueueUrl, TablesConfig,
};

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
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let settlement_queue = SettlementQueueUrl::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            settlement_queue: settlement_queue?,
        })
    }
}
