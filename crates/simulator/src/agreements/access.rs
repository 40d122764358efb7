//! Which agreement a caller may look at, and the service's errors (F§5.4).

use axum::http::StatusCode;
use serde_json::Value;

use crate::records::Agreement;
use crate::state::State;
use crate::switches::CppoVisibility;
use crate::wire::{ApiError, Caller, Service};

/// How a caller relates to an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    Proposer,
    Acceptor,
    /// The seller of a product that a reseller sold.
    Manufacturer,
}

impl State {
    pub(super) fn party(&self, agreement: &Agreement, caller: &Caller) -> Option<Party> {
        let publisher = self.product_of(agreement).map(|it| it.publishing_account.as_str());
        if agreement.proposer == caller.account {
            Some(Party::Proposer)
        } else if agreement.account == caller.account {
            Some(Party::Acceptor)
        } else if publisher == Some(&caller.account) {
            Some(Party::Manufacturer)
        } else {
            None
        }
    }

    /// The agreement that the request names, if the caller may see it.
    pub(super) fn named_agreement(
        &self,
        caller: &Caller,
        request: &Value,
    ) -> Result<(&Agreement, Party), ApiError> {
        let id = text(request, "agreementId")?
            .ok_or_else(|| invalid("MISSING_AGREEMENT_ID", "agreementId is missing"))?;
        let well_formed = (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte));
        if !well_formed {
            return Err(invalid("INVALID_AGREEMENT_ID", "agreementId is not of the known form"));
        }
        let agreement = self.agreements.get(&id).ok_or_else(|| {
            refuse(StatusCode::NOT_FOUND, "ResourceNotFoundException", "There is no such agreement")
                .with("resourceId", &id)
                .with("resourceType", "Agreement")
        })?;
        match self.party(agreement, caller) {
            Some(Party::Manufacturer)
                if self.switches.cppo_visibility == CppoVisibility::Denied =>
            {
                Err(denied())
            }
            Some(party) => Ok((agreement, party)),
            None => Err(denied()),
        }
    }
}

pub(super) fn text(request: &Value, member: &str) -> Result<Option<String>, ApiError> {
    match request.get(member) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(ApiError::serialization(format!("{member} is not a string"))),
    }
}

/// A page size between 1 and `most`; `most` if none is given.
pub(super) fn page_size(request: &Value, most: usize) -> Result<usize, ApiError> {
    let given = match request.get("maxResults") {
        Some(Value::Null) | None => return Ok(most),
        Some(given) => given.as_u64().and_then(|it| usize::try_from(it).ok()),
    };
    given
        .filter(|it| (1..=most).contains(it))
        .ok_or_else(|| invalid("INVALID_MAX_RESULTS", "maxResults is out of range"))
}

pub(super) fn invalid(reason: &'static str, message: &str) -> ApiError {
    refuse(StatusCode::BAD_REQUEST, "ValidationException", message).with("reason", reason)
}

pub(super) fn refuse(status: StatusCode, code: &'static str, message: &str) -> ApiError {
    ApiError::new(Service::Agreement, status, code, message)
}

fn denied() -> ApiError {
    let message = "The caller is no party of the agreement";
    refuse(StatusCode::FORBIDDEN, "AccessDeniedException", message)
}
