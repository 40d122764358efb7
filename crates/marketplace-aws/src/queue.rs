//! Queues that functions send to themselves: the scheduler's, for flushes of closing licenses and handed-over backlogs,
//! and the webhook sender's, for tries that are due before its schedule.

use app::Error;
use app::ports::{SettlementQueue, SettlementRequest, WakeUp};
use aws_sdk_sqs::Client;
use jiff::SignedDuration;

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

/// The webhook sender's queue.
#[derive(Debug, Clone)]
pub struct WebhookSqsQueue(SettlementSqsQueue);

impl WebhookSqsQueue {
    /// A queue by its URL.
    pub fn connect(config: &aws_config::SdkConfig, url: String) -> Self {
        Self(SettlementSqsQueue::connect(config, url))
    }
}

impl WakeUp for WebhookSqsQueue {
    /// What is further away than SQS can delay is left to the schedule.
    async fn wake_in(&self, delay: SignedDuration) -> Result<(), Error> {
        let seconds = u16::try_from(delay.as_secs()).unwrap_or(u16::MAX);
        if seconds > LONGEST_DELAY {
            return Ok(());
        }
        let Self(queue) = self;
        queue
            .client
            .send_message()
            .queue_url(&queue.url)
            .message_body(r#"{"wake":true}"#)
            .delay_seconds(i32::from(seconds))
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
        Ok(())
    }
}
