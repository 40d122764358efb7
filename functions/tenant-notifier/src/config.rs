//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, ServiceConfig, TablesConfig, TenantTopicArn,
};

/// Everything the notifier reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// Where the platform listens.
    pub tenant_topic: TenantTopicArn,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let tenant_topic = TenantTopicArn::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            tenant_topic: tenant_topic?,
        })
    }
}
