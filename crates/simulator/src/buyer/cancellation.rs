//! The buyer's answer to a seller's cancellation request (F§5.3).

use jiff::Timestamp;

use crate::records::{AgreementStatus, CancellationStatus};
use crate::state::State;

use super::change::ChangeError;

impl State {
    /// Approves or rejects the pending request for the agreement `agreement_id`.
    pub(crate) fn answer_cancellation(
        &mut self,
        agreement_id: &str,
        answer: CancellationStatus,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let pending = self.cancellations.values().find(|it| {
            it.agreement_id == agreement_id && it.status == CancellationStatus::PendingApproval
        });
        let id = pending.map(|it| it.id.clone());
        let id = id.ok_or_else(|| ChangeError::Unknown(agreement_id.to_owned()))?;
        self.decide_cancellation(&id, answer, now);
        Ok(())
    }

    /// Decides a request that is still pending.
    pub(crate) fn decide_cancellation(
        &mut self,
        id: &str,
        answer: CancellationStatus,
        at: Timestamp,
    ) {
        let Some(mut request) = self.cancellations.get(id).cloned() else { return };
        let Some(agreement) = self.agreements.get(&request.agreement_id).cloned() else { return };
        if request.status != CancellationStatus::PendingApproval {
            return;
        }
        request.status = answer;
        request.updated = at;
        self.tell_cancellation(&request, &agreement, at);
        self.cancellations.insert(request.id.clone(), request);
        if answer == CancellationStatus::Approved && agreement.is_active() {
            self.end(&agreement.id, AgreementStatus::Cancelled, false, at);
        }
    }
}
