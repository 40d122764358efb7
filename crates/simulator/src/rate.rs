//! A share of things, in thousandths, so that no float is needed.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share between nothing and all, in thousandths. Its text is a decimal: `0.05`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u16);

impl Rate {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ALL: Self = Self(1000);

    /// So many of a thousand; more than a thousand is all.
    pub fn permille(thousandths: u16) -> Self {
        Self(thousandths.min(1000))
    }

    /// Whether it strikes this time.
    pub(crate) fn strikes(self, random: &mut impl rand::Rng) -> bool {
        self.0 > 0 && random.random_range(0..1000) < self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Decimal::new(self.0.into(), 3).normalize(), f)
    }
}

/// The text is not a decimal between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a decimal between 0 and 1, such as 0.05")]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let share: Decimal = text.parse().map_err(|_| InvalidRate)?;
        if share < Decimal::ZERO || share > Decimal::ONE {
            return Err(InvalidRate);
        }
        (share * Decimal::ONE_THOUSAND).to_u16().map(Self).ok_or(InvalidRate)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}
