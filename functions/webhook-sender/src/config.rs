//! The environment of this function.

use lambda_shell::config::{
    Configuration, OutgoingWebhooks, Reader, ServiceConfig, TablesConfig, WebhookQueueUrl,
};

/// Everything the sender reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every function is told.
    pub service: ServiceConfig,
    /// The tables.
    pub tables: TablesConfig,
    /// The endpoints.
    pub webhooks: OutgoingWebhooks,
    /// The queue that feeds this function.
    pub queue: WebhookQueueUrl,
}

impl Configuration for Config {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let tables = TablesConfig::read(vars);
        let webhooks = OutgoingWebhooks::read(vars);
        let queue = WebhookQueueUrl::read(vars);
        Some(Self { service: service?, tables: tables?, webhooks: webhooks?, queue: queue? })
    }
}
