//! SNS envelopes of the two legacy topics.

use domain::ids::NoticeId;
use domain::notice::{Channel, LegacyChange, Notice, NoticeBody};
use serde_json::Value;

use super::{Unreadable, id, object, optional, text};

/// Reads a `Notification` envelope, as it comes through SQS, over HTTPS, or to a function.
///
/// # Errors
/// When it is another kind of envelope, or its message lacks what it must say.
pub fn from_sns(envelope: &[u8]) -> Result<Notice, Unreadable> {
    read(&object(envelope)?)
}

pub(super) fn read(envelope: &Value) -> Result<Notice, Unreadable> {
    if optional(envelope, "/Type").is_some_and(|kind| kind != "Notification") {
        return Err(Unreadable::NotANotification);
    }
    let at =
        text(envelope, "/Timestamp")?.parse().map_err(|_| Unreadable::Missing("/Timestamp"))?;
    let id: NoticeId = id(envelope, "/MessageId")?;
    let message = message(text(envelope, "/Message")?)?;
    Ok(Notice { channel: Channel::Sns, id, at, body: body(&message)? })
}

/// The message is a JSON text, now and then encoded twice, and AWS's own samples have a comma too many.
fn message(text: &str) -> Result<Value, Unreadable> {
    match lenient(text)? {
        Value::String(inner) => lenient(&inner).and_then(an_object),
        once => an_object(once),
    }
}

fn an_object(value: Value) -> Result<Value, Unreadable> {
    if value.is_object() { Ok(value) } else { Err(Unreadable::Missing("/Message")) }
}

fn lenient(text: &str) -> Result<Value, Unreadable> {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&without_trailing_comma(text)))
        .map_err(|_| Unreadable::Missing("/Message"))
}

fn without_trailing_comma(text: &str) -> String {
    let body = text.trim().trim_end_matches('}').trim_end().trim_end_matches(',');
    format!("{body}}}")
}

fn body(message: &Value) -> Result<NoticeBody, Unreadable> {
    let change = match text(message, "/action")? {
        "subscribe-success" => LegacyChange::Subscribed {
            offer: optional(message, "/offer-identifier").and_then(|offer| offer.parse().ok()),
            free_trial: is_true(message.get("isFreeTrialTermPresent")),
        },
        "subscribe-fail" => LegacyChange::Failed,
        "unsubscribe-pending" => LegacyChange::Unsubscribing,
        "unsubscribe-success" => LegacyChange::Unsubscribed,
        "entitlement-updated" => LegacyChange::EntitlementUpdated,
        other => return Ok(NoticeBody::Unknown { kind: other.to_owned() }),
    };
    Ok(NoticeBody::Legacy {
        product: id(message, "/product-code")?,
        customer: id(message, "/customer-identifier")?,
        change,
    })
}

/// AWS sends this flag as a text.
fn is_true(flag: Option<&Value>) -> bool {
    flag.is_some_and(|flag| flag.as_bool() == Some(true) || flag.as_str() == Some("true"))
}
