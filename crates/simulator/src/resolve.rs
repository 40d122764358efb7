//! `ResolveCustomer` (F§2.2).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use crate::records::Agreement;
use crate::state::State;
use crate::switches::{LegacyLicenseArn, ResolveLicenseArn, TokenReuse, WrongAccount};
use crate::wire::{ApiError, Caller, Service, Shape};

impl State {
    pub(crate) fn resolve_customer(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        let text = match request.get("RegistrationToken") {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::String(_)) => return Err(self.invalid("RegistrationToken is empty")),
            Some(Value::Null) | None => return Err(self.invalid("RegistrationToken is missing")),
            Some(_) => return Err(ApiError::serialization("RegistrationToken is not a string")),
        };
        let token = self.tokens.get(&text).cloned().ok_or_else(invalid_token)?;
        let agreement = self.agreements.get(&token.agreement_id).cloned();
        let agreement = agreement.ok_or_else(invalid_token)?;
        let publisher = self.product_of(&agreement).map(|it| it.publishing_account.clone());
        if publisher.as_deref() != Some(&caller.account) {
            return Err(self.wrong_account());
        }
        if token.expires <= now {
            return Err(ApiError::metering(
                "ExpiredTokenException",
                "The submitted registration token has expired",
            ));
        }
        if token.uses > 0 && self.switches.token_reuse == TokenReuse::SingleUse {
            return Err(invalid_token());
        }
        self.tokens.update(&text, |token| token.uses += 1);
        let license_arn = self.resolved_license(&agreement, token.uses, now);
        Ok(Shape::map([
            ("CustomerIdentifier", agreement.customer_identifier.unwrap_or_default().into()),
            ("CustomerAWSAccountId", agreement.account.into()),
            ("ProductCode", agreement.product_code.into()),
            ("LicenseArn", license_arn.into()),
            ("Metadata", Shape::map([("AgreementId", agreement.id.into())])),
        ]))
    }

    fn resolved_license(&self, agreement: &Agreement, uses: u32, now: Timestamp) -> Option<String> {
        let legacy = agreement.customer_identifier.is_some();
        if legacy && self.switches.legacy_license_arn == LegacyLicenseArn::Absent {
            return None;
        }
        let updated = || {
            let from = self.license_of(agreement).and_then(|it| it.active_from);
            from.is_some_and(|from| from <= now)
        };
        let shown = match self.switches.resolve_license_arn {
            ResolveLicenseArn::Always => true,
            ResolveLicenseArn::AfterLicenseUpdated => updated(),
            ResolveLicenseArn::AbsentFirstCall => uses > 0,
        };
        shown.then(|| agreement.license_arn.clone())
    }

    fn wrong_account(&self) -> ApiError {
        match self.switches.wrong_account {
            WrongAccount::InvalidToken => invalid_token(),
            WrongAccount::AccessDenied => ApiError::new(
                Service::Metering,
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                "The caller is not the publisher of the product",
            ),
        }
    }
}

fn invalid_token() -> ApiError {
    ApiError::metering("InvalidTokenException", "Registration token is invalid")
}
