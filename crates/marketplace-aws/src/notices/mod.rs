//! Reading AWS's notifications: EventBridge events and SNS envelopes become notices (fact sheet §6, §7).
//!
//! What is unknown is kept as such and acknowledged; what is known but lacks something is unreadable, so that it is
//! set aside and someone is told. Nothing here repeats a body: it may hold what must not be logged.

mod event_bridge;
mod sns;
mod sources;
#[cfg(test)]
mod tests;

use domain::ids::InvalidId;
use domain::notice::Notice;
use serde_json::Value;

pub use sns::from_sns;
pub use sources::Sources;

/// Why a notification cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or not an object.
    #[error("the notification is not a JSON object")]
    NotJson,
    /// From a source that speaks of other things.
    #[error("the event does not come from aws.agreement-marketplace")]
    ForeignSource,
    /// An SNS message that carries no notification: a confirmation.
    #[error("the SNS message is not a notification")]
    NotANotification,
    /// A member is missing or of the wrong kind.
    #[error("the notification has no {0}")]
    Missing(&'static str),
    /// A member breaks its pattern.
    #[error("the notification's {member} is not valid: {source}")]
    Invalid {
        /// Which.
        member: &'static str,
        /// How.
        source: InvalidId,
    },
}

/// Reads an EventBridge event of AWS's own source.
///
/// # Errors
/// When it is not an event of the agreement marketplace, or a known kind lacks what it must say.
pub fn from_event_bridge(event: &[u8]) -> Result<Notice, Unreadable> {
    Sources::default().event_bridge(event)
}

/// Reads the body of a queue's message: the bare event of AWS's own source, or an SNS envelope (fact sheet §12).
///
/// # Errors
/// As [`from_event_bridge`] and [`from_sns`].
pub fn from_sqs_body(body: &[u8]) -> Result<Notice, Unreadable> {
    Sources::default().sqs_body(body)
}

fn object(text: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(text).ok().filter(Value::is_object).ok_or(Unreadable::NotJson)
}

/// A text at a path, trimmed; AWS's samples have stray spaces.
fn text<'a>(value: &'a Value, path: &'static str) -> Result<&'a str, Unreadable> {
    optional(value, path).ok_or(Unreadable::Missing(path))
}

fn optional<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn id<T>(value: &Value, path: &'static str) -> Result<T, Unreadable>
where
    T: std::str::FromStr<Err = InvalidId>,
{
    text(value, path)?.parse().map_err(|source| Unreadable::Invalid { member: path, source })
}
