//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, SecretsConfig, ServiceConfig, TablesConfig,
};
use pages::Brand;

/// Everything the function reads.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// What seals the registration session.
    pub secrets: SecretsConfig,
    /// Who the pages speak for: what AWS asks a registration page to show (fact sheet §9).
    pub brand: Brand,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let secrets = SecretsConfig::read(vars);
        let brand = Brand::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            secrets: secrets?,
            brand: brand?,
        })
    }
}
