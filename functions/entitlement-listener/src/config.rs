//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, ServiceConfig, SettlementQueueUrl, TablesConfig,
};

/// Everything the listener reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// Where the final flush of a closing license is asked for.
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
