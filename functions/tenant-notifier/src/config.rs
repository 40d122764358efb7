//! The environment of this function.

use lambda_shell::config::{Configuration, ListingConfig, Reader, TablesConfig, TenantTopicArn};

/// Everything the notifier reads from the environment, besides what every function reads.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// Where the platform listens.
    pub tenant_topic: TenantTopicArn,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let tenant_topic = TenantTopicArn::read(vars);
        Some(Self { listing: listing?, tables: tables?, tenant_topic: tenant_topic? })
    }
}
