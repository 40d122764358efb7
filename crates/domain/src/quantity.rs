//! Amounts of usage: exact decimals, never negative, at most six places (AWS's `QuantityAsDecimal`, fact sheet §1).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Decimal places a reported quantity may have.
pub const PLACES: u32 = 6;

/// The largest quantity one event may report: ten digits before the point.
pub const LARGEST_REPORT: i64 = 9_999_999_999;

/// An amount of usage in a dimension's unit; at least zero, at most [`PLACES`] decimal places.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(Decimal);

/// Why a reported quantity is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuantity {
    /// Not a plain decimal number.
    #[error("a quantity is a plain decimal number such as 17 or 17.42")]
    NotANumber,
    /// Below zero.
    #[error("a quantity is never negative")]
    Negative,
    /// More than six places.
    #[error("a quantity has at most 6 decimal places")]
    TooPrecise,
    /// More than ten digits before the point.
    #[error("a quantity is at most 9999999999.999999")]
    TooLarge,
}

impl Quantity {
    /// Nothing used.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// A whole number of units.
    pub fn whole(units: u64) -> Self {
        Self(Decimal::from(units))
    }

    /// Reads a reported quantity.
    ///
    /// # Errors
    /// Names the rule that the text breaks.
    pub fn report(text: &str) -> Result<Self, InvalidQuantity> {
        let quantity: Self = text.parse()?;
        if quantity.0.trunc() > Decimal::from(LARGEST_REPORT) {
            Err(InvalidQuantity::TooLarge)
        } else {
            Ok(quantity)
        }
    }

    /// The exact decimal.
    pub fn as_decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum. Saturates at the end of what a decimal holds (28 digits), which no number of reports can reach.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, zero when `other` is larger.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(Decimal::ZERO))
    }

    /// So many hundredths of it, exact.
    #[must_use]
    pub fn percent(self, percent: u8) -> Self {
        let share = Decimal::new(i64::from(percent), 2);
        Self(self.0.checked_mul(share).unwrap_or(self.0))
    }

    /// Whole units, rounded down.
    pub fn floor(self) -> u64 {
        u64::try_from(self.0.floor().mantissa().max(0)).unwrap_or(u64::MAX)
    }
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let plain = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
        if text.is_empty()
            || text.len() > 40
            || !text.chars().all(plain)
            || !text.ends_with(|c: char| c.is_ascii_digit())
        {
            return Err(InvalidQuantity::NotANumber);
        }
        Self::try_from(Decimal::from_str_exact(text).map_err(|_| InvalidQuantity::NotANumber)?)
    }
}

impl TryFrom<Decimal> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(value: Decimal) -> Result<Self, InvalidQuantity> {
        let value = value.normalize();
        if value.is_sign_negative() && !value.is_zero() {
            Err(InvalidQuantity::Negative)
        } else if value.scale() > PLACES {
            Err(InvalidQuantity::TooPrecise)
        } else {
            Ok(Self(value.abs()))
        }
    }
}

impl TryFrom<String> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(text: String) -> Result<Self, InvalidQuantity> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_ten_times_is_one() {
        let tenth = Quantity::report("0.1").unwrap();
        let sum = (0..10).fold(Quantity::ZERO, |sum, _| sum.plus(tenth));
        assert_eq!(sum, Quantity::whole(1));
        assert_eq!(sum.floor(), 1);
        assert_eq!(sum.to_string(), "1");
    }

    #[test]
    fn what_cannot_be_billed_is_refused_by_name() {
        let refused = |text| Quantity::report(text).unwrap_err();
        assert_eq!(refused("-1"), InvalidQuantity::Negative);
        assert_eq!(refused("0.1234567"), InvalidQuantity::TooPrecise);
        assert_eq!(refused("10000000000"), InvalidQuantity::TooLarge);
        for text in ["", "1e3", "NaN", "+1", " 1", "1.", "1,5", "0x10", "--1", "1.2.3"] {
            assert_eq!(refused(text), InvalidQuantity::NotANumber, "{text:?}");
        }
    }

    #[test]
    fn equal_values_are_equal_however_written() {
        assert_eq!(Quantity::report("17"), Quantity::report("17.000"));
        assert_eq!(Quantity::report("17.90").unwrap().floor(), 17);
        assert_eq!(Quantity::report("-0").unwrap(), Quantity::ZERO);
    }
}
