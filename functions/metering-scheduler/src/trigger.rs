//! What the scheduler is invoked for.

use app::BoxError;
use app::ports::SettlementRequest;
use aws_lambda_events::sqs::SqsEvent;
use serde_json::Value;

/// An event, read.
#[derive(Debug)]
pub(crate) enum Trigger {
    /// The hour has come.
    Schedule,
    /// Requests, by message id; each can fail by itself.
    Queue(Vec<(String, Result<SettlementRequest, serde_json::Error>)>),
}

impl Trigger {
    /// Tells the triggers apart.
    ///
    /// # Errors
    /// An event of another kind.
    pub(crate) fn read(event: Value) -> Result<Self, BoxError> {
        match event.pointer("/Records/0/eventSource").and_then(Value::as_str) {
            Some("aws:sqs") => Ok(Self::Queue(queue(serde_json::from_value(event)?))),
            Some(other) => Err(format!("records of {other}").into()),
            None if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") => {
                Ok(Self::Schedule)
            }
            None => Err("neither a schedule nor a queue".into()),
        }
    }
}

fn queue(event: SqsEvent) -> Vec<(String, Result<SettlementRequest, serde_json::Error>)> {
    event
        .records
        .into_iter()
        .map(|message| {
            // Lambda always names its messages; to an answer without a name it would repeat the whole batch.
            let id = message.message_id.unwrap_or_default();
            (id, serde_json::from_str(&message.body.unwrap_or_default()))
        })
        .collect()
}
