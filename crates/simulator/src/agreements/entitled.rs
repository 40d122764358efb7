//! `GetAgreementEntitlements` (F§5.1).

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Party, page_size};
use crate::records::{Agreement, AgreementStatus};
use crate::state::State;
use crate::wire::{ApiError, Caller, Shape};

impl State {
    pub(crate) fn get_agreement_entitlements(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        page_size(request, 50)?;
        let (agreement, party) = self.named_agreement(caller, request)?;
        let agreement = agreement.clone();
        let token = (party == Party::Acceptor && agreement.is_active())
            .then(|| self.mint(&agreement, self.switches.acceptor_token_ttl, now));
        let product = self.product_of(&agreement).map(|it| it.id.clone());
        let (status, reason) = self.provisioning(&agreement, now);
        let entitlement = Shape::map([
            ("resource", Shape::map([("id", product.into()), ("type", "SaaSProduct".into())])),
            ("type", "SaaSProduct".into()),
            ("status", status.into()),
            ("statusReasonCode", reason.into()),
            ("licenseArn", (&agreement.license_arn).into()),
            ("registrationToken", token.into()),
        ]);
        Ok(Shape::map([("agreementEntitlements", Shape::List(vec![entitlement]))]))
    }

    fn provisioning(&self, agreement: &Agreement, now: Timestamp) -> (&'static str, &'static str) {
        match agreement.status {
            AgreementStatus::RolledBack => ("FAILED", "INVALID_PAYMENT_INSTRUMENT"),
            AgreementStatus::Active if now < agreement.starts => ("SCHEDULED", "FUTURE_START_DATE"),
            AgreementStatus::Active => {
                let from = self.license_of(agreement).and_then(|it| it.active_from);
                if from.is_some_and(|from| from <= now) {
                    ("PROVISIONED", "AGREEMENT_ACTIVE")
                } else {
                    ("PENDING", "PROVISIONING_IN_PROGRESS")
                }
            }
            AgreementStatus::Cancelled
            | AgreementStatus::Expired
            | AgreementStatus::Renewed
            | AgreementStatus::Replaced
            | AgreementStatus::Terminated => ("DEPROVISIONED", "AGREEMENT_INACTIVE"),
        }
    }
}
