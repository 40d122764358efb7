//! The stream's event: of all that changes in the table, the outbox items that were inserted.

use app::ports::OutboxItem;
use app::{BoxError, Error};
use aws_lambda_events::dynamodb::{Event, EventRecord};
use serde_json::Value;

/// A record's sequence number, and the outbox item it inserts; `None` is a record of something else.
pub(crate) type Record = (String, Result<Option<OutboxItem>, Error>);

/// Reads an event into records.
///
/// # Errors
/// An event of another kind.
pub(crate) fn read(event: Value) -> Result<Vec<Record>, BoxError> {
    match event.pointer("/Records/0/eventSource").and_then(Value::as_str) {
        Some("aws:dynamodb") => {
            let event: Event = serde_json::from_value(event)?;
            Ok(event.records.into_iter().map(record).collect())
        }
        Some(other) => Err(format!("records of {other}").into()),
        None => Err("neither a stream nor a schedule".into()),
    }
}

fn record(record: EventRecord) -> Record {
    // Lambda always numbers its records; to an answer without a number it would repeat the whole batch.
    let sequence_number = record.change.sequence_number.unwrap_or_default();
    let item = if record.event_name == "INSERT" {
        store_dynamodb::outbox_item(record.change.new_image)
    } else {
        Ok(None)
    };
    (sequence_number, item)
}
