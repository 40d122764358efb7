//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, SecretsConfig, ServiceConfig, TablesConfig,
};

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
    /// Who the pages speak for.
    pub seller: Seller,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let secrets = SecretsConfig::read(vars);
        let seller = Seller::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            secrets: secrets?,
            seller: seller?,
        })
    }
}

/// `PRODUCT_NAME`, `SUPPORT_URL`, `SUPPORT_EMAIL` and `LOGIN_URL`: what AWS asks a registration page to show
/// (fact sheet §9). All are optional, and all are shown to anyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seller {
    /// What the product is called.
    pub product: Option<String>,
    /// Where help is found.
    pub support_url: Option<String>,
    /// Who helps by e-mail.
    pub support_email: Option<String>,
    /// Where existing customers log in.
    pub login_url: Option<String>,
}

impl Configuration for Seller {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let product = vars.optional("PRODUCT_NAME", "1 to 80 characters in one line", |text| {
            let plain = text.chars().count() <= 80 && !text.chars().any(char::is_control);
            plain.then(|| text.to_owned())
        });
        let support_url = vars.optional("SUPPORT_URL", LINK, link);
        let support_email = vars.optional("SUPPORT_EMAIL", "an e-mail address", |text| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "@.+-_".contains(c);
            (text.contains('@') && text.chars().all(plain)).then(|| text.to_owned())
        });
        let login_url = vars.optional("LOGIN_URL", LINK, link);
        Some(Self {
            product: product?,
            support_url: support_url?,
            support_email: support_email?,
            login_url: login_url?,
        })
    }
}

const LINK: &str = "an address that begins with https:// (or http:// on this machine)";

/// Any other scheme could run as script where a buyer clicks.
fn link(text: &str) -> Option<String> {
    let local = ["http://localhost", "http://127.0.0.1"];
    let safe = text.starts_with("https://") || local.iter().any(|local| text.starts_with(local));
    (safe && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}
