//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, MeteringRegion, Reader, ServiceConfig, SettlementQueueUrl,
    TablesConfig,
};

/// Everything the scheduler reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// The Region that all records of this deployment are sent to.
    pub metering_region: MeteringRegion,
    /// The scheduler's own queue.
    pub settlement_queue: SettlementQueueUrl,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let metering_region = MeteringRegion::read(vars);
        let settlement_queue = SettlementQueueUrl::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            metering_region: metering_region?,
            settlement_queue: settlement_queue?,
        })
    }
}
