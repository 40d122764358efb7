//! What the sender is called with.

use app::BoxError;
use aws_lambda_events::sqs::SqsEvent;
use domain::delivery::EndpointName;
use domain::subscription::TenantNotice;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// An operator's command.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", tag = "command", deny_unknown_fields)]
pub(crate) enum Command {
    /// Send to a paused endpoint again.
    Resume {
        /// Which.
        endpoint: EndpointName,
    },
    /// Send everything again.
    Replay {
        /// Where to.
        endpoint: EndpointName,
        /// From when on.
        from: Timestamp,
    },
    /// Tell how an endpoint does.
    Status {
        /// Which.
        endpoint: EndpointName,
    },
}

/// A message of the queue.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something to tell.
    Notice(Box<TenantNotice>),
    /// Try what is due.
    Wake,
}

/// A trigger, read.
#[derive(Debug)]
pub(crate) enum Trigger {
    /// Messages, by their ids.
    Queue(Vec<(String, Result<Message, serde_json::Error>)>),
    /// Try what is due.
    Schedule,
    /// Somebody wants something.
    Command(Command),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Wake {
        #[serde(rename = "wake")]
        _wake: bool,
    },
    Notice(Box<TenantNotice>),
}

impl Trigger {
    /// Tells the triggers apart.
    ///
    /// # Errors
    /// An event of another kind.
    pub(crate) fn read(event: Value) -> Result<Self, BoxError> {
        if event.get("command").is_some() {
            return Ok(Self::Command(serde_json::from_value(event)?));
        }
        if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
            return Ok(Self::Schedule);
        }
        match event.pointer("/Records/0/eventSource").and_then(Value::as_str) {
            Some("aws:sqs") => {
                let event: SqsEvent = serde_json::from_value(event)?;
                let messages = event.records.into_iter().map(|record| {
                    let body = serde_json::from_str(&record.body.unwrap_or_default());
                    let message = body.map(|body| match body {
                        Body::Wake { .. } => Message::Wake,
                        Body::Notice(notice) => Message::Notice(notice),
                    });
                    // Lambda always names its messages; to an answer without a name it would repeat the whole batch.
                    (record.message_id.unwrap_or_default(), message)
                });
                Ok(Self::Queue(messages.collect()))
            }
            Some(other) => Err(format!("records of {other}").into()),
            None => Err("neither a queue, nor a schedule, nor a command".into()),
        }
    }
}
