//! All of AWS that a function may need, as one value.

use std::collections::BTreeMap;

use app::Error;
use app::ports::{
    AgreementDetails, AgreementDirectory, AgreementPage, AgreementSearch, AgreementService,
    EntitlementService, MeteringService, OutgoingRecord, Provisioned, RecordAnswer,
    RegistrationService, RegistrationToken, ResolveError, ResolvedBuyer, SettlementQueue,
    SettlementRequest, SubmitError,
};
use domain::entitlement::EntitledValue;
use domain::ids::{AgreementId, LicenseRef, ProductCode};
use domain::subscription::CancellationRequest;
use jiff::Timestamp;

use crate::{Agreements, Entitlements, Metering};

/// The marketplace's services and a settlement queue; each port is served by its part.
#[derive(Debug, Clone)]
pub struct Aws<Q> {
    /// Metering and registration.
    pub metering: Metering,
    /// Entitlements.
    pub entitlements: Entitlements,
    /// Agreements.
    pub agreements: Agreements,
    /// The scheduler's queue; `()` where a function never asks for a settlement.
    pub queue: Q,
}

impl<Q> Aws<Q> {
    /// All services over one configuration.
    pub fn connect(config: &aws_config::SdkConfig, metering_region: &str, queue: Q) -> Self {
        Self {
            metering: Metering::connect(config, metering_region),
            entitlements: Entitlements::connect(config),
            agreements: Agreements::connect(config),
            queue,
        }
    }
}

impl<Q> Aws<Q> {
    /// Limits searches for agreements to one listing, by its `prod-…` id.
    #[must_use]
    pub fn of_product(self, product_id: String) -> Self {
        Self { agreements: self.agreements.of_product(product_id), ..self }
    }
}

impl<Q: Sync> MeteringService for Aws<Q> {
    async fn submit(
        &self,
        product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        self.metering.submit(product, records).await
    }
}

impl<Q: Sync> RegistrationService for Aws<Q> {
    async fn resolve(&self, token: &RegistrationToken) -> Result<ResolvedBuyer, ResolveError> {
        self.metering.resolve(token).await
    }
}

impl<Q: Sync> EntitlementService for Aws<Q> {
    async fn entitlements(
        &self,
        product: &ProductCode,
        license: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        self.entitlements.entitlements(product, license).await
    }
}

impl<Q: Sync> AgreementService for Aws<Q> {
    async fn describe(&self, agreement: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        self.agreements.describe(agreement).await
    }

    async fn request_cancellation(
        &self,
        agreement: &AgreementId,
        now: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        self.agreements.request_cancellation(agreement, now).await
    }
}

impl<Q: SettlementQueue + Sync> SettlementQueue for Aws<Q> {
    async fn send(&self, request: &SettlementRequest, delay_seconds: u16) -> Result<(), Error> {
        self.queue.send(request, delay_seconds).await
    }
}

impl<Q: Sync> AgreementDirectory for Aws<Q> {
    async fn search(
        &self,
        search: &AgreementSearch,
        page: Option<&str>,
    ) -> Result<AgreementPage, Error> {
        self.agreements.search(search, page).await
    }

    async fn provisioned(&self, agreement: &AgreementId) -> Result<Option<Provisioned>, Error> {
        self.agreements.provisioned(agreement).await
    }
}
