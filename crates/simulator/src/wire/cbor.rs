//! Requests from CBOR and answers to it.
//!
//! Requests may hold indefinite-length maps and lists, as the Rust SDK sends them. Answers have
//! definite lengths, and timestamps as tag 1 with a float (F§11).

use ciborium::Value as Cbor;
use serde_json::Value;

use super::float;
use super::shape::Shape;

/// A timestamp in seconds since the epoch.
const EPOCH_TAG: u64 = 1;

/// The request as JSON; `None` when it is not CBOR. An empty body is an empty request.
pub(super) fn read(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    ciborium::from_reader::<Cbor, _>(body).ok().map(to_json)
}

pub(super) fn write(shape: &Shape) -> Vec<u8> {
    let mut body = Vec::new();
    if let Err(error) = ciborium::into_writer(&from_shape(shape), &mut body) {
        tracing::error!(%error, "an answer could not be written as CBOR");
    }
    body
}

fn to_json(value: Cbor) -> Value {
    match value {
        Cbor::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::from)
        }
        Cbor::Text(text) => Value::from(text),
        Cbor::Bool(flag) => Value::from(flag),
        Cbor::Float(number) => float::from_cbor(number),
        Cbor::Tag(_, content) => to_json(*content),
        Cbor::Array(items) => items.into_iter().map(to_json).collect(),
        Cbor::Map(members) => members
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_text().ok()?, to_json(value))))
            .collect(),
        _ => Value::Null,
    }
}

fn from_shape(shape: &Shape) -> Cbor {
    match shape {
        Shape::Absent => Cbor::Null,
        Shape::Text(text) => Cbor::from(text.as_str()),
        Shape::Integer(number) => Cbor::from(*number),
        Shape::Boolean(flag) => Cbor::from(*flag),
        Shape::Double(number) => Cbor::Float(float::double(*number)),
        Shape::Time(at) => Cbor::Tag(EPOCH_TAG, Box::new(Cbor::Float(float::epoch_seconds(*at)))),
        Shape::List(items) => Cbor::Array(items.iter().map(from_shape).collect()),
        Shape::Map(members) => {
            let present = members.iter().filter(|(_, value)| *value != Shape::Absent);
            Cbor::Map(
                present.map(|(name, it)| (Cbor::from(name.as_str()), from_shape(it))).collect(),
            )
        }
        Shape::Json(value) => Cbor::serialized(value).unwrap_or(Cbor::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_indefinite_length_request_is_read() {
        // {_ "ProductCode": "p", "Filter": {_ "DIMENSION": [_ "seats"]}}
        let mut body = vec![0xbf];
        body.extend(b"\x6bProductCode\x61p\x66Filter\xbf\x69DIMENSION\x9f\x65seats\xff\xff\xff");
        let expected =
            serde_json::json!({ "ProductCode": "p", "Filter": { "DIMENSION": ["seats"] } });
        assert_eq!(read(&body), Some(expected));
    }

    #[test]
    fn a_timestamp_is_written_as_tag_1_with_a_float() {
        let at = jiff::Timestamp::from_second(1).unwrap();
        assert_eq!(write(&Shape::Time(at)), [0xc1, 0xf9, 0x3c, 0x00]);
    }
}
