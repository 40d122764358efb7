//! The shape of every item: keys, guards, index keys, and the document. No other file names an attribute.
//!
//! The document is one JSON text: the domain's types say what is in it, and nothing queries inside. What a condition
//! or an index needs stands beside it as an attribute of its own.

mod cursor;
mod keys;

use std::collections::HashMap;
use std::fmt::Display;

use app::Error;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use cursor::{read_cursor, write_cursor};
pub use keys::is_outbox_key;
pub(crate) use keys::{
    Key, agreement_key, audit_key, audit_partition, customer_key, delivery_key, delivery_prefix,
    endpoint_key, endpoint_partition, event_key, event_prefix, idempotency_key, memo_key,
    meter_key, meter_of_keys, meter_prefix, notice_key, outbox_key, outbox_key_named, record_key,
    record_prefix, state_key, subscription_of_key, subscription_of_usage, usage_partition,
};

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const PK: &str = "pk";
pub(crate) const SK: &str = "sk";
pub(crate) const CUSTOMER_ID: &str = "customer_id";
/// The document.
pub(crate) const DOC: &str = "doc";
/// Guards every write of a state, link or meter.
pub(crate) const REVISION: &str = "revision";
/// Epoch seconds after which DynamoDB may delete the item.
pub(crate) const EXPIRES_AT: &str = "expires_at";
/// Index `by_customer`.
pub(crate) const CUSTOMER: &str = "customer";
/// Index `by_status`.
pub(crate) const STATUS: &str = "status";
/// Sort key of both lists: first seen, then id.
pub(crate) const LISTED: &str = "listed";
/// Sparse index `due`.
pub(crate) const DUE_SHARD: &str = "due_shard";
/// Its sort key.
pub(crate) const DUE_AT: &str = "due_at";
/// Sparse index `unpublished`.
pub(crate) const OUTBOX_SHARD: &str = "outbox_shard";
/// Its sort key.
pub(crate) const OUTBOX_AT: &str = "outbox_at";
/// Sparse index `unsettled`.
pub(crate) const UNSETTLED_SHARD: &str = "unsettled_shard";
/// Its sort key.
pub(crate) const UNSETTLED_SINCE: &str = "unsettled_since";
/// Sparse index `parked`.
pub(crate) const PARKED_SHARD: &str = "parked_shard";
/// Its sort key.
pub(crate) const PARKED_AT: &str = "parked_at";
/// That a parked line of the ledger was retried, and may be booked again.
pub(crate) const REOPENED: &str = "reopened";
/// Sparse index `held`.
pub(crate) const HELD_SHARD: &str = "held_shard";
/// Its sort key.
pub(crate) const HELD_UNTIL: &str = "held_until";
/// Whether an event is a reservation that was given back.
pub(crate) const RELEASED: &str = "released";
/// A claim's owner: the hash of what was asked.
pub(crate) const FINGERPRINT: &str = "fingerprint";
/// Until when a claim holds; RFC 3339.
pub(crate) const CLAIMED_UNTIL: &str = "claimed_until";
/// What a processed notice was about.
pub(crate) const KIND: &str = "kind";
/// When it was processed.
pub(crate) const SEEN_AT: &str = "seen_at";

/// The one value of shards that are not split.
pub(crate) const ONE_SHARD: &str = "0";

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(format!("{value}"))
}

/// An item that is its key and its document.
///
/// # Errors
/// Never for our types; a map with keys that are not texts could not be written.
pub(crate) fn document<T: Serialize>(
    key: Key,
    what: &'static str,
    value: &T,
) -> Result<Item, Error> {
    let doc = serde_json::to_string(value)
        .map_err(|source| Error::Corrupt { what, source: source.into() })?;
    let mut item = key.into_item();
    item.insert(DOC.to_owned(), text(doc));
    Ok(item)
}

/// Reads an item's document.
pub(crate) fn read_document<T: DeserializeOwned>(
    what: &'static str,
    item: &Item,
) -> Result<T, Error> {
    let doc = text_of(item, DOC).ok_or_else(|| missing(what, DOC))?;
    serde_json::from_str(doc).map_err(|source| Error::Corrupt { what, source: source.into() })
}

pub(crate) fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A row that lacks an attribute.
pub(crate) fn missing(what: &'static str, attribute: &'static str) -> Error {
    Error::Corrupt {
        what,
        source: format!("the attribute {attribute} is missing or no text").into(),
    }
}
