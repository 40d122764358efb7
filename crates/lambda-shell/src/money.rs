//! Money in metrics: whole minor units, because a metric takes no decimal without a float.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// An amount in the currency's minor units, halves to the even one; cents for dollars. Never negative.
pub fn minor_units(amount: Decimal, currency: &str) -> u64 {
    let places = match currency {
        "JPY" | "KRW" => 0,
        _ => 2,
    };
    let units = amount.saturating_mul(Decimal::from(10_u64.pow(places)));
    let whole = units.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    whole.max(Decimal::ZERO).to_u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_cents_and_yen_are_yen() {
        let units = |amount: &str, currency| minor_units(amount.parse().unwrap(), currency);
        assert_eq!(units("12.34", "USD"), 1234);
        assert_eq!(units("0.005", "USD"), 0);
        assert_eq!(units("0.015", "USD"), 2);
        assert_eq!(units("1200", "JPY"), 1200);
        assert_eq!(units("-1", "USD"), 0);
        assert_eq!(units("79228162514264337593543950335", "USD"), u64::MAX);
    }
}
