#![doc = include_str!("../README.md")]

mod deliveries;
mod error;
mod idempotency;
mod item;
mod memos;
mod outbox;
mod read;
mod subscriptions;
mod usage;
mod wait;
mod write;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use item::is_outbox_key;
pub use outbox::{outbox_item, stream_image};

/// The names of the four tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// States, links, marks, outbox, answers.
    pub subscription: String,
    /// Who bought; personal data.
    pub customer: String,
    /// Meters, events, records.
    pub usage: String,
    /// The audit trail.
    pub audit: String,
}

/// The store over DynamoDB. Clones share the client.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Arc<Tables>,
}

impl DynamoStore {
    /// A store over a client.
    pub fn new(client: Client, tables: Tables) -> Self {
        Self { client, tables: Arc::new(tables) }
    }

    /// A store over a client of its own.
    pub fn connect(config: &aws_config::SdkConfig, tables: Tables) -> Self {
        Self::new(Client::new(config), tables)
    }

    /// The names of the tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}
