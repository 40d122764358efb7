//! Quantities, always compared by value: 17 = 17.0 (F§3.1).

use rust_decimal::Decimal;
use serde_json::Value;

use crate::wire::ApiError;

/// Which field carried a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) value: Decimal,
    /// `None` when no quantity was given and 0 is assumed.
    pub(super) kind: Option<Kind>,
}

/// Why a quantity is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Not the documented type.
    Type(ApiError),
    /// The documented type, against a constraint.
    Constraint(String),
}

/// Reads the integer member `integer` or the decimal member `decimal`.
pub(super) fn read(record: &Value, integer: &str, decimal: &str) -> Result<Quantity, Refusal> {
    let given = |name| record.get(name).filter(|value| !value.is_null());
    match (given(integer), given(decimal)) {
        (Some(_), Some(_)) => {
            Err(Refusal::Constraint(format!("{integer} and {decimal} exclude each other")))
        }
        (Some(value), None) => {
            let number = value.as_i64().ok_or_else(|| wrong_type(integer, "an integer"))?;
            let number = i32::try_from(number).map_err(|_| wrong_type(integer, "an integer"))?;
            if number < 0 {
                return Err(Refusal::Constraint(format!("{integer} is negative")));
            }
            Ok(Quantity { value: number.into(), kind: Some(Kind::Integer) })
        }
        (None, Some(value)) => {
            let text = value.as_str().ok_or_else(|| wrong_type(decimal, "a string"))?;
            let value = parse(text).ok_or_else(|| {
                Refusal::Constraint(format!("{decimal} is no decimal of the documented form"))
            })?;
            Ok(Quantity { value, kind: Some(Kind::Decimal) })
        }
        (None, None) => Ok(Quantity { value: Decimal::ZERO, kind: None }),
    }
}

fn wrong_type(member: &str, wanted: &str) -> Refusal {
    Refusal::Type(ApiError::serialization(format!("{member} is not {wanted}")))
}

/// `^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$`
fn parse(text: &str) -> Option<Decimal> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_fits = (1..=10).contains(&whole.len())
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'));
    let fraction_fits = fraction.is_none_or(|it| (1..=6).contains(&it.len()) && digits(it));
    if whole_fits && fraction_fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_sign_no_leading_zero_and_at_most_six_places() {
        for good in ["0", "17", "17.0", "0.000001", "9999999999.999999"] {
            assert!(parse(good).is_some(), "{good}");
        }
        for bad in ["", "-1", "+1", "01", "1.", ".5", "1.0000001", "10000000000", "1e3", " 1"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn seventeen_is_seventeen_point_nothing() {
        assert_eq!(parse("17"), parse("17.000000"));
    }
}
