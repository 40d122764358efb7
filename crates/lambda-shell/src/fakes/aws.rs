//! AWS: remembers what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use app::Error;
use app::ports::{
    AgreementDetails, AgreementDirectory, AgreementPage, AgreementSearch, AgreementService,
    EntitlementService, MeteringService, OutgoingRecord, Provisioned, RecordAnswer,
    RegistrationService, RegistrationToken, ResolveError, ResolvedBuyer, SettlementQueue,
    SettlementRequest, SubmitError, TenantTopic,
};
use domain::entitlement::EntitledValue;
use domain::ids::{AgreementId, LicenseRef, ProductCode};
use domain::subscription::{CancellationRequest, TenantNotice};
use jiff::Timestamp;

use super::down;

/// An AWS without entitlements and agreements that accepts every metering record.
#[derive(Debug, Clone, Default)]
pub struct FakeAws {
    /// Settlement requests sent, with their delays.
    pub requests: Arc<Mutex<Vec<(SettlementRequest, u16)>>>,
    /// Tenant notices published.
    pub published: Arc<Mutex<Vec<TenantNotice>>>,
    /// The subscriptions for which publishing fails, by id.
    pub unpublishable: Arc<Mutex<Vec<String>>>,
    /// Who each registration token stands for; another is not known.
    pub buyers: Arc<Mutex<BTreeMap<String, ResolvedBuyer>>>,
    /// Agreements whose cancellation was asked for.
    pub cancellations: Arc<Mutex<Vec<AgreementId>>>,
}

/// Whatever a test that failed has left behind.
fn of<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SettlementQueue for FakeAws {
    async fn send(&self, request: &SettlementRequest, delay_seconds: u16) -> Result<(), Error> {
        of(&self.requests).push((request.clone(), delay_seconds));
        Ok(())
    }
}

impl TenantTopic for FakeAws {
    async fn publish(&self, notice: &TenantNotice) -> Result<(), Error> {
        if of(&self.unpublishable).contains(&notice.subscription_id.to_string()) {
            return Err(down("SNS"));
        }
        of(&self.published).push(notice.clone());
        Ok(())
    }
}

impl RegistrationService for FakeAws {
    async fn resolve(&self, token: &RegistrationToken) -> Result<ResolvedBuyer, ResolveError> {
        of(&self.buyers).get(token.expose()).cloned().ok_or(ResolveError::InvalidToken)
    }
}

impl EntitlementService for FakeAws {
    async fn entitlements(
        &self,
        _product: &ProductCode,
        _license: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        Ok((BTreeMap::new(), None))
    }
}

impl AgreementService for FakeAws {
    async fn describe(&self, _agreement: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        Ok(None)
    }

    async fn request_cancellation(
        &self,
        agreement: &AgreementId,
        now: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        of(&self.cancellations).push(agreement.clone());
        Ok(CancellationRequest { id: "acr-0123456789".to_owned(), at: now })
    }
}

impl AgreementDirectory for FakeAws {
    async fn search(
        &self,
        _search: &AgreementSearch,
        _page: Option<&str>,
    ) -> Result<AgreementPage, Error> {
        Ok(AgreementPage { items: Vec::new(), next: None })
    }

    async fn provisioned(&self, _agreement: &AgreementId) -> Result<Option<Provisioned>, Error> {
        Ok(None)
    }
}

impl MeteringService for FakeAws {
    async fn submit(
        &self,
        _product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        Ok(records.iter().map(|_| RecordAnswer::Accepted(None)).collect())
    }
}
