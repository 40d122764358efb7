//! The events that carry notices, taken apart into records. A record that cannot be read does not hide the others.

use app::BoxError;
use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::SqsEvent;
use domain::notice::Notice;
use marketplace_aws::notices::{from_event_bridge, from_sns, from_sqs_body};
use serde_json::Value;

pub(crate) use marketplace_aws::notices::Unreadable;

/// An event, read.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Messages of a queue, by message id; each can fail by itself.
    Queue(Vec<(String, Result<Notice, Unreadable>)>),
    /// Notices that Lambda was invoked with; they fail together.
    Direct(Vec<Result<Notice, Unreadable>>),
}

impl Delivery {
    /// Tells the triggers apart.
    ///
    /// # Errors
    /// An event of another kind.
    pub(crate) fn read(event: Value) -> Result<Self, BoxError> {
        let source =
            event.pointer("/Records/0/eventSource").or(event.pointer("/Records/0/EventSource"));
        match source.and_then(Value::as_str) {
            Some("aws:sqs") => Ok(Self::Queue(queue(serde_json::from_value(event)?))),
            Some("aws:sns") => Ok(Self::Direct(topic(serde_json::from_value(event)?)?)),
            Some(other) => Err(format!("records of {other}").into()),
            None if event.get("detail-type").is_some() => {
                Ok(Self::Direct(vec![from_event_bridge(event.to_string().as_bytes())]))
            }
            None => Err("neither records nor an EventBridge event".into()),
        }
    }
}

fn queue(event: SqsEvent) -> Vec<(String, Result<Notice, Unreadable>)> {
    event
        .records
        .into_iter()
        .map(|message| {
            // Lambda always names its messages; to an answer without a name it would repeat the whole batch.
            let id = message.message_id.unwrap_or_default();
            (id, from_sqs_body(message.body.unwrap_or_default().as_bytes()))
        })
        .collect()
}

fn topic(event: SnsEvent) -> Result<Vec<Result<Notice, Unreadable>>, BoxError> {
    let envelopes: Result<Vec<_>, _> =
        event.records.into_iter().map(|record| serde_json::to_vec(&record.sns)).collect();
    Ok(envelopes?.iter().map(|envelope| from_sns(envelope)).collect())
}
