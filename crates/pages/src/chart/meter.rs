//! A bar: used beside included, and what goes beyond.

use domain::catalog::Allowance;
use domain::quantity::Quantity;
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The length of the whole bar.
const LENGTH: u32 = 1000;

/// A bar of used and included. It is a picture of the text beside it, so it is hidden from screen readers.
pub fn meter(used: Quantity, included: Allowance) -> Markup {
    let included = match included {
        Allowance::Limited(included) => included,
        // Nothing to compare with: a bar would say something that is not so.
        Allowance::Unlimited => return html! {},
    };
    let whole = used.max(included);
    let within = share(used.min(included), whole);
    let beyond = if used > included { LENGTH.saturating_sub(within) } else { 0 };
    let mark = share(included, whole);
    html! {
        svg viewBox={ "0 0 " (LENGTH) " 10" } preserveAspectRatio="none" aria-hidden="true" {
            rect.track width=(LENGTH) height="10" {}
            rect.used width=(within) height="10" {}
            @if beyond > 0 {
                rect.beyond x=(within) width=(beyond) height="10" {}
                @if within > 0 { rect.mark x=(mark.saturating_sub(2)) width="4" height="10" {} }
            }
        }
    }
}

/// How much of the bar a part of the whole takes.
fn share(part: Quantity, whole: Quantity) -> u32 {
    let (part, whole) = (part.as_decimal(), whole.as_decimal());
    if whole.is_zero() {
        return 0;
    }
    part.checked_mul(Decimal::from(LENGTH))
        .and_then(|scaled| scaled.checked_div(whole))
        .and_then(|share| share.round().to_u32())
        .unwrap_or(LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(used: u64, included: u64) -> String {
        meter(Quantity::whole(used), Allowance::Limited(Quantity::whole(included))).into_string()
    }

    #[test]
    fn a_bar_shows_the_share_that_is_used() {
        assert!(bar(250, 500).contains("class=\"used\" width=\"500\""));
        assert!(!bar(500, 500).contains("beyond"));
        assert!(bar(0, 0).contains("class=\"used\" width=\"0\""));
    }

    #[test]
    fn what_goes_beyond_is_set_apart_and_the_limit_is_marked() {
        let text = bar(620, 500);
        assert!(text.contains("class=\"used\" width=\"806\""), "{text}");
        assert!(text.contains("class=\"beyond\" x=\"806\" width=\"194\""), "{text}");
        assert!(bar(7, 0).contains("class=\"beyond\" x=\"0\" width=\"1000\""));
    }

    #[test]
    fn without_a_limit_there_is_no_bar() {
        assert!(meter(Quantity::whole(7), Allowance::Unlimited).into_string().is_empty());
    }
}
