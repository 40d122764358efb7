//! Decimal numbers as they were written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number from JSON, given as a number or as a string, with exactly the digits that were sent: it never passes
/// through a float. What the digits mean, and whether they are a number at all, is decided by whoever reads them.
///
/// Only reads from JSON, and not inside internally tagged or flattened types, which lose the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberText(String);

impl NumberText {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str(text).map(Self).map_err(D::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(text.to_owned())),
            _ => Err(D::Error::custom("expected a number or a string with a number in it")),
        }
    }
}

impl JsonSchema for NumberText {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A decimal with at most 6 places and 10 digits before the point, as text or as a number; \
                            its digits are taken as they are written.",
            "anyOf": [
                { "type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,6})?$" },
                { "type": "integer", "minimum": 0, "maximum": 9_999_999_999_i64 },
                { "type": "number", "minimum": 0, "maximum": 9_999_999_999_i64 },
            ],
            "examples": ["17.42"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, String> {
        serde_json::from_str::<NumberText>(json)
            .map(NumberText::into_string)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn digits_survive_that_a_float_would_lose() {
        assert_eq!(read("9999999999.123456").unwrap(), "9999999999.123456");
        assert_eq!(read("0.10").unwrap(), "0.10");
        assert_eq!(read(r#""17.420000""#).unwrap(), "17.420000");
        assert_eq!(
            read("123456789012345678901234567890").unwrap(),
            "123456789012345678901234567890"
        );
    }

    #[test]
    fn what_is_neither_number_nor_text_is_refused() {
        for json in ["true", "null", "[1]", r#"{"n":1}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
