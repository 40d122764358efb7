//! An answer before its protocol is chosen.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::float;

/// A value of an AWS answer; JSON and CBOR write its timestamps differently.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A member that is left out.
    Absent,
    Text(String),
    Integer(i64),
    Boolean(bool),
    Double(Decimal),
    Time(Timestamp),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
    /// Taken over from a request.
    Json(Value),
}

impl Shape {
    pub(crate) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Integer(number) => Value::from(*number),
            Self::Boolean(flag) => Value::from(*flag),
            Self::Double(number) => float::double_number(*number),
            Self::Time(at) => float::epoch_number(*at),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => {
                let present = members.iter().filter(|(_, value)| *value != Self::Absent);
                Value::Object(present.map(|(name, it)| (name.clone(), it.to_json())).collect())
            }
            Self::Json(value) => value.clone(),
        }
    }
}

impl From<&str> for Shape {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Shape {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Shape {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Shape {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<Timestamp> for Shape {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl<T: Into<Self>> From<Option<T>> for Shape {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}
