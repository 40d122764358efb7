//! The scheduler's own queue: flushes of closing licenses and handed-over backlogs.

use app::Error;
use app::ports::{SettlementQueue, SettlementRequest};
use aws_sdk_sqs::Client;

use crate::failure::Failure;
use crate::patience;

const SERVICE: &str = "SQS";
/// The longest delay SQS knows.
const LONGEST_DELAY: u16 = 900;

/// A standard queue.
#[derive(Debug, Clone)]
pub struct SettlementSqsQueue {
    client: Client,
    url: String,
}

impl SettlementSqsQueue {
    /// A queue by its URL.
    pub fn connect(config: &aws_config::SdkConfig, url: String) -> Self {
        let config = aws_sdk_sqs::config::Builder::from(config)
            .timeout_config(patience::limits(config))
            .build();
        Self { client: Client::from_conf(config), url }
    }
}

impl SettlementQueue for SettlementSqsQueue {
    async fn send(&self, request: &SettlementRequest, delay_seconds: u16) -> Result<(), Error> {
        let body = serde_json::to_string(request).map_err(|error| Error::Corrupt {
            what: "a settlement request",
            source: error.into(),
        })?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(i32::from(delay_seconds.min(LONGEST_DELAY)))
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
        Ok(())
    }
}
