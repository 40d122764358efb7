//! `DescribeAgreement` (F§5.1).

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::records::Agreement;
use crate::state::State;
use crate::wire::{ApiError, Caller, Shape};

impl State {
    pub(crate) fn describe_agreement(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        let (agreement, _) = self.named_agreement(caller, request)?;
        let trial = agreement.free_trial_ends.filter(|_| self.shows_trial(agreement, now));
        let trial = trial.map(|end| Shape::map([("trialEndTime", end.into())]));
        Ok(Shape::map([
            ("agreementId", (&agreement.id).into()),
            ("acceptor", Shape::map([("accountId", (&agreement.account).into())])),
            ("proposer", Shape::map([("accountId", (&agreement.proposer).into())])),
            ("startTime", agreement.starts.into()),
            ("endTime", agreement.ends.into()),
            ("acceptanceTime", agreement.accepted.into()),
            ("agreementType", "PurchaseAgreement".into()),
            ("estimatedCharges", estimated_charges(agreement)),
            ("proposalSummary", self.proposal_summary(agreement)),
            ("status", agreement.status.as_str().into()),
            ("initialAgreementId", (&agreement.initial_id).into()),
            ("endTimeBehavior", end_time_behavior(agreement)),
            ("freeTrialSummary", trial.unwrap_or(Shape::Absent)),
        ]))
    }

    pub(super) fn proposal_summary(&self, agreement: &Agreement) -> Shape {
        let product = self.product_of(agreement).map(|it| it.id.clone());
        let resource = Shape::map([("id", product.into()), ("type", "SaaSProduct".into())]);
        Shape::map([
            ("resources", Shape::List(vec![resource])),
            ("offerId", (&agreement.offer_id).into()),
        ])
    }

    /// The trial of a usage agreement stays visible until it turns paid.
    fn shows_trial(&self, agreement: &Agreement, now: Timestamp) -> bool {
        let contract = self.product_of(agreement).is_some_and(|it| it.pricing.has_contract());
        contract || agreement.in_free_trial(now)
    }
}

/// Every unit costs one dollar, and nothing in a trial: the simulator has no prices.
fn estimated_charges(agreement: &Agreement) -> Shape {
    let value: Decimal = match agreement.free_trial_ends {
        Some(_) => Decimal::ZERO,
        None => agreement.signed_entitlements().values().sum(),
    };
    Shape::map([("currencyCode", "USD".into()), ("agreementValue", value.to_string().into())])
}

/// `RENEW` or `EXPIRE`, with the reason for the latter; absent without an end (F§5.1).
pub(super) fn end_behavior(agreement: &Agreement) -> Option<(&'static str, Option<&'static str>)> {
    agreement.ends.filter(|_| agreement.is_active())?;
    Some(match (agreement.auto_renew, agreement.free_trial_ends) {
        (true, _) => ("RENEW", None),
        (false, Some(_)) => ("EXPIRE", Some("NO_RENEWAL_TERM")),
        (false, None) => ("EXPIRE", Some("ACCEPTOR_RENEW_OPTED_OUT")),
    })
}

fn end_time_behavior(agreement: &Agreement) -> Shape {
    let Some((behavior, reason)) = end_behavior(agreement) else { return Shape::Absent };
    let renewal = match behavior {
        "RENEW" => Shape::map([("offerId", (&agreement.offer_id).into())]),
        _ => Shape::Absent,
    };
    Shape::map([
        ("type", behavior.into()),
        ("reasonCode", reason.into()),
        ("renewalSummary", renewal),
    ])
}
