//! The shapes in which Lambda gets its events (fact sheet §12).

use domain::time::Hour;
use serde_json::{Value, json};

use super::queue::{Letter, Queue};

const ACCOUNT: &str = "444455556666";
const REGION: &str = "us-east-1";

/// A batch from SQS. The body of each record is the message as it was sent, without a wrapper.
pub fn sqs_event(queue: Queue, letters: &[Letter]) -> Value {
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
    let record = |letter: &Letter| {
        let sent = letter.sent_at.as_millisecond().to_string();
        json!({
            "messageId": message_id(letter),
            "receiptHandle": format!("receipt-{}-{}", letter.id, letter.receives),
            "body": letter.body,
            "attributes": {
                "ApproximateReceiveCount": letter.receives.to_string(),
                "SentTimestamp": sent,
                "SenderId": ACCOUNT,
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": REGION,
        })
    };
    json!({ "Records": letters.iter().map(record).collect::<Vec<_>>() })
}

/// A batch from a table's stream: each letter's body is the `dynamodb` part of an inserted item.
pub fn stream_event(table: &str, letters: &[Letter]) -> Value {
    let arn =
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000");
    let record = |letter: &Letter| {
        let mut change: Value = serde_json::from_str(&letter.body).unwrap_or_default();
        if let Value::Object(members) = &mut change {
            members.insert("SequenceNumber".into(), json!(message_id(letter)));
            members.insert("StreamViewType".into(), json!("NEW_IMAGE"));
            members.insert("ApproximateCreationDateTime".into(), json!(letter.sent_at.as_second()));
        }
        json!({
            "eventID": format!("event-{}", letter.id),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": change,
            "eventSourceARN": arn,
        })
    };
    json!({ "Records": letters.iter().map(record).collect::<Vec<_>>() })
}

/// The schedule's event for the run in `hour`.
pub fn scheduled_event(rule: &str, hour: Hour, at: jiff::Timestamp) -> Value {
    json!({
        "version": "0",
        "id": format!("schedule-{hour}"),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}")],
        "detail": {},
    })
}

/// What an event source calls a message, and what a function names in its batch item failures.
pub(crate) fn message_id(letter: &Letter) -> String {
    letter.id.to_string()
}
