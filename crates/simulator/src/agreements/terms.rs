//! `GetAgreementTerms` (F§5.1): price, validity, renewal and trial. Every unit costs one dollar,
//! since the simulator has no prices.

use jiff::SignedDuration;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::access::page_size;
use crate::records::Agreement;
use crate::state::State;
use crate::wire::{ApiError, Caller, Shape};

impl State {
    pub(crate) fn get_agreement_terms(
        &mut self,
        caller: &Caller,
        request: &Value,
    ) -> Result<Shape, ApiError> {
        page_size(request, 50)?;
        let (agreement, _) = self.named_agreement(caller, request)?;
        let mut terms = vec![validity(agreement)];
        terms.extend(self.usage_prices(agreement));
        terms.extend(entitlements(agreement));
        terms.extend(trial(agreement));
        if agreement.ends.is_some() {
            terms.push(renewal(agreement));
        }
        Ok(Shape::map([("acceptedTerms", Shape::List(terms))]))
    }

    fn usage_prices(&self, agreement: &Agreement) -> Option<Shape> {
        let product = self.product_of(agreement)?;
        let metered = product.dimensions.keys().filter(|it| product.meters(it));
        let card: Vec<Shape> = metered
            .map(|it| Shape::map([("dimensionKey", it.into()), ("price", "1".into())]))
            .collect();
        if card.is_empty() {
            return None;
        }
        let cards = Shape::List(vec![Shape::map([("rateCard", Shape::List(card))])]);
        Some(Shape::map([(
            "usageBasedPricingTerm",
            Shape::map([
                ("type", "UsageBasedPricingTerm".into()),
                ("id", "term-usage".into()),
                ("currencyCode", "USD".into()),
                ("rateCards", cards),
            ]),
        )]))
    }
}

fn entitlements(agreement: &Agreement) -> Option<Shape> {
    let bought = agreement.signed_entitlements();
    if bought.is_empty() {
        return None;
    }
    let dimensions = bought.iter().map(|(dimension, quantity)| {
        Shape::map([
            ("dimensionKey", dimension.into()),
            ("dimensionValue", Shape::Integer(rounded_up(*quantity))),
        ])
    });
    let dimensions: Vec<Shape> = dimensions.collect();
    let prices = bought
        .keys()
        .map(|dimension| Shape::map([("dimensionKey", dimension.into()), ("price", "1".into())]));
    let card = Shape::map([("rateCard", Shape::List(prices.collect()))]);
    let configuration = Shape::map([
        ("selectorValue", duration(agreement).into()),
        ("dimensions", Shape::List(dimensions)),
    ]);
    Some(Shape::map([(
        "configurableUpfrontPricingTerm",
        Shape::map([
            ("type", "ConfigurableUpfrontPricingTerm".into()),
            ("id", "term-upfront".into()),
            ("currencyCode", "USD".into()),
            ("rateCards", Shape::List(vec![card])),
            ("configuration", configuration),
        ]),
    )]))
}

fn validity(agreement: &Agreement) -> Shape {
    Shape::map([(
        "validityTerm",
        Shape::map([
            ("type", "ValidityTerm".into()),
            ("id", "term-validity".into()),
            ("agreementDuration", agreement.ends.map(|_| duration(agreement)).into()),
            ("agreementStartDate", agreement.starts.into()),
            ("agreementEndDate", agreement.ends.into()),
        ]),
    )])
}

fn renewal(agreement: &Agreement) -> Shape {
    Shape::map([(
        "renewalTerm",
        Shape::map([
            ("type", "RenewalTerm".into()),
            ("id", "term-renewal".into()),
            ("configuration", Shape::map([("enableAutoRenew", agreement.auto_renew.into())])),
        ]),
    )])
}

fn trial(agreement: &Agreement) -> Option<Shape> {
    let length = agreement.free_trial_ends?.duration_since(agreement.starts);
    let grants = agreement.signed_entitlements();
    let grants = grants.iter().map(|(dimension, quantity)| {
        Shape::map([
            ("dimensionKey", dimension.into()),
            ("maxQuantity", Shape::Integer(rounded_up(*quantity))),
        ])
    });
    Some(Shape::map([(
        "freeTrialPricingTerm",
        Shape::map([
            ("type", "FreeTrialPricingTerm".into()),
            ("id", "term-trial".into()),
            ("duration", days(length).into()),
            ("grants", Shape::List(grants.collect())),
        ]),
    )]))
}

/// The term as an ISO 8601 duration in days.
fn duration(agreement: &Agreement) -> String {
    days(agreement.ends.map_or(SignedDuration::ZERO, |it| it.duration_since(agreement.starts)))
}

fn days(length: SignedDuration) -> String {
    format!("P{}D", length.as_hours() / 24)
}

fn rounded_up(quantity: Decimal) -> i64 {
    quantity.ceil().to_i64().unwrap_or(i64::MAX)
}
