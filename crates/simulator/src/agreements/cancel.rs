//! `SendAgreementCancellationRequest` (F§5.3).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::access::{Party, invalid, refuse, text};
use crate::records::{CancellationRequest, CancellationStatus};
use crate::state::State;
use crate::wire::{ApiError, Caller, Shape};

const REASONS: [&str; 8] = [
    "INCORRECT_TERMS_ACCEPTED",
    "REPLACING_AGREEMENT",
    "TEST_AGREEMENT",
    "ALTERNATIVE_PROCUREMENT_CHANNEL",
    "PRODUCT_DISCONTINUED",
    "UNINTENDED_RENEWAL",
    "BUYER_DISSATISFACTION",
    "OTHER",
];

impl State {
    pub(crate) fn send_cancellation_request(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        let reason_code = text(request, "reasonCode")?
            .ok_or_else(|| invalid("MISSING_REASON_CODE", "reasonCode is missing"))?;
        if !REASONS.contains(&reason_code.as_str()) {
            return Err(invalid("INVALID_REASON_CODE", "There is no such reasonCode"));
        }
        let description = text(request, "description")?;
        let (agreement, party) = self.named_agreement(caller, request)?;
        let agreement = agreement.clone();
        if party != Party::Proposer {
            let message = "Only the proposer can ask for a cancellation";
            return Err(refuse(StatusCode::FORBIDDEN, "AccessDeniedException", message));
        }
        if !agreement.is_active() {
            return Err(invalid("INACTIVE_AGREEMENT", "The agreement is not active"));
        }
        let pending = self.cancellations.values().any(|it| {
            it.agreement_id == agreement.id && it.status == CancellationStatus::PendingApproval
        });
        if pending {
            let message = "A cancellation request is pending";
            return Err(refuse(StatusCode::CONFLICT, "ConflictException", message)
                .with("resourceId", &agreement.id)
                .with("resourceType", "Agreement"));
        }
        let sent = CancellationRequest {
            id: self.ids.cancellation_request(),
            agreement_id: agreement.id.clone(),
            reason_code,
            description,
            status: CancellationStatus::PendingApproval,
            created: now,
            updated: now,
        };
        self.tell_cancellation(&sent, &agreement, now);
        self.plan_approval(&sent);
        let answer = Shape::map([
            ("agreementId", (&sent.agreement_id).into()),
            ("agreementCancellationRequestId", (&sent.id).into()),
            ("status", sent.status.as_str().into()),
            ("reasonCode", (&sent.reason_code).into()),
            ("description", sent.description.clone().into()),
            ("createdAt", sent.created.into()),
            ("updatedAt", sent.updated.into()),
        ]);
        self.cancellations.insert(sent.id.clone(), sent);
        Ok(answer)
    }
}
