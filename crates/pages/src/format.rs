//! How numbers, money and times are written for people. Exact: nothing is rounded that would change a sum.

use domain::quantity::Quantity;
use jiff::Timestamp;
use maud::{Markup, html};
use rust_decimal::Decimal;

/// A number with its thousands apart: `1,234,567.5`.
pub fn decimal(value: Decimal) -> String {
    let text = value.normalize().to_string();
    grouped(&text)
}

/// An amount of usage.
pub fn quantity(value: Quantity) -> String {
    decimal(value.as_decimal())
}

/// A count.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// An amount of money: at least two places, and as many as it has.
pub fn money(value: Decimal, currency: &str) -> String {
    let mut exact = value.normalize();
    if exact.scale() < 2 {
        exact.rescale(2);
    }
    let sign = if value.is_sign_negative() && !value.is_zero() { "−" } else { "" };
    let digits = grouped(&exact.abs().to_string());
    match currency {
        "USD" => format!("{sign}${digits}"),
        "EUR" => format!("{sign}€{digits}"),
        "GBP" => format!("{sign}£{digits}"),
        other => format!("{sign}{digits} {other}"),
    }
}

fn grouped(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let length = whole.len();
    let mut all = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (length - place).is_multiple_of(3) {
            all.push(',');
        }
        all.push(digit);
    }
    if let Some(fraction) = fraction {
        all.push('.');
        all.push_str(fraction);
    }
    all
}

/// `24 November 2026, 07:30 UTC`.
pub fn moment(at: Timestamp) -> Markup {
    time(at, "%-d %B %Y, %H:%M UTC")
}

/// `24 November 2026`.
pub fn day(at: Timestamp) -> Markup {
    time(at, "%-d %B %Y")
}

/// `24 Nov, 07:30`, for tables.
pub fn brief(at: Timestamp) -> Markup {
    time(at, "%-d %b, %H:%M")
}

fn time(at: Timestamp, format: &str) -> Markup {
    html! { time datetime=(at) { (at.strftime(format)) } }
}

/// `November 2026`.
pub fn month(month: domain::time::Month) -> String {
    month.start().strftime("%B %Y").to_string()
}

/// `1 scan`, `2 scans`, `0.5 scans`; a unit in capitals is an abbreviation and stays.
pub fn units(value: Quantity, unit: &str) -> String {
    let one = value == Quantity::whole(1);
    let plain = one || unit.chars().all(char::is_uppercase);
    format!("{} {unit}{}", quantity(value), if plain { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn thousands_are_apart_and_no_digit_is_lost() {
        for (value, written) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("1234567.500", "1,234,567.5"),
            ("0.000001", "0.000001"),
            ("-1234.5", "−1,234.5"),
        ] {
            assert_eq!(decimal(dec(value)), written);
        }
    }

    #[test]
    fn money_has_two_places_or_more() {
        for (value, written) in [
            ("0", "$0.00"),
            ("299", "$299.00"),
            ("1234.5", "$1,234.50"),
            ("0.001", "$0.001"),
            ("-3", "−$3.00"),
        ] {
            assert_eq!(money(dec(value), "USD"), written);
        }
        assert_eq!(money(dec("12"), "JPY"), "12.00 JPY");
    }

    #[test]
    fn units_follow_their_number() {
        assert_eq!(units(Quantity::whole(1), "scan"), "1 scan");
        assert_eq!(units(Quantity::whole(1200), "scan"), "1,200 scans");
        assert_eq!(units(Quantity::whole(3), "GB"), "3 GB");
    }
}
