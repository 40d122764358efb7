//! The environment of this function.

use lambda_shell::config::{
    Configuration, ListingConfig, Reader, SecretsConfig, ServiceConfig, SettlementQueueUrl,
    SnsTopics, TablesConfig, WebhookEndpoint,
};

/// Everything the webhook reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The listing.
    pub listing: ListingConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// The secrets that senders share with us.
    pub secrets: SecretsConfig,
    /// The topics that may deliver here over HTTPS.
    pub sns_topics: SnsTopics,
    /// Where the webhook is.
    pub endpoint: WebhookEndpoint,
    /// Where the final flush of a closing license is asked for.
    pub settlement_queue: SettlementQueueUrl,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let listing = ListingConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let secrets = SecretsConfig::read(vars);
        let sns_topics = SnsTopics::read(vars);
        let endpoint = WebhookEndpoint::read(vars);
        let settlement_queue = SettlementQueueUrl::read(vars);
        Some(Self {
            service: service?,
            listing: listing?,
            tables: tables?,
            secrets: secrets?,
            sns_topics: sns_topics?,
            endpoint: endpoint?,
            settlement_queue: settlement_queue?,
        })
    }
}
