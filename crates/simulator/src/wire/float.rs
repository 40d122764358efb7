//! The only place with floating-point numbers: the wire demands them for timestamps and for
//! `DoubleValue`. Nothing is ever computed with them.
#![allow(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "AWS's protocols carry timestamps and doubles as 64-bit floats"
)]

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Number, Value};

/// Seconds since the epoch, to the millisecond.
pub(super) fn epoch_seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// The timestamp as JSON: an integer when it is whole.
pub(super) fn epoch_number(at: Timestamp) -> Value {
    if at.subsec_nanosecond() == 0 {
        return Value::from(at.as_second());
    }
    Number::from_f64(epoch_seconds(at)).map_or(Value::Null, Value::Number)
}

/// A double of the same value, as near as there is one.
pub(super) fn double(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}

/// The double as JSON.
pub(super) fn double_number(value: Decimal) -> Value {
    Number::from_f64(double(value)).map_or(Value::Null, Value::Number)
}

/// A float of a CBOR request as JSON; not-a-number and the infinities become null.
pub(super) fn from_cbor(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
