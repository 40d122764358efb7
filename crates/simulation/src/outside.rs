//! AWS and the platform as the product sees them in a world: the real adapters over the line, with a boundary before
//! and after every call.

use std::collections::BTreeMap;

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
use domain::time::{Hour, after};
use jiff::{SignedDuration, Timestamp};
use marketplace_aws::Aws;

use crate::bug::Bug;
use crate::core::{Core, Letter, Struck};
use crate::laws;

/// Everything outside.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) aws: Aws<()>,
    pub(crate) core: Core,
}

fn down(dependency: &'static str) -> impl FnOnce(Struck) -> Error {
    move |struck| Error::Unavailable { dependency, source: struck.into() }
}

impl MeteringService for Outside {
    async fn submit(
        &self,
        product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        let lost = |struck: Struck| SubmitError::Retry(struck.into());
        laws::tried(&self.core, records);
        let answers =
            self.core.call("send records", self.send(product, records)).await.map_err(lost)??;
        Ok(answers.into_iter().map(|answer| self.mistaken(answer)).collect())
    }
}

fn told(records: &[OutgoingRecord], answers: &Result<Vec<RecordAnswer>, SubmitError>) -> String {
    match answers {
        Ok(answers) => {
            let each = records.iter().zip(answers).map(|(record, answer)| {
                let kind = match answer {
                    RecordAnswer::Accepted(_) => "accepted",
                    RecordAnswer::AlreadyHeld => "already held",
                    RecordAnswer::HeldDifferently => "held differently",
                    RecordAnswer::NotSubscribed => "not subscribed",
                    RecordAnswer::Unprocessed => "unprocessed",
                };
                let id = record.license.subscription_id();
                let OutgoingRecord { dimension, hour, quantity, .. } = record;
                format!("{id}/{dimension}/{hour}={quantity}: {kind}")
            });
            each.collect::<Vec<_>>().join(", ")
        }
        Err(SubmitError::Retry(_)) => "nothing".to_owned(),
        Err(SubmitError::BadRecord { code, .. } | SubmitError::Credentials { code, .. }) => {
            code.clone()
        }
    }
}

impl Outside {
    async fn send(
        &self,
        product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        let records = self.stamped(records);
        laws::sending(&self.core, &records);
        let kept: Vec<_> =
            records.iter().filter(|record| !self.is_forgotten(record)).cloned().collect();
        if kept.is_empty() {
            return Ok(vec![RecordAnswer::Unprocessed; records.len()]);
        }
        let answers = self.aws.submit(product, &kept).await;
        laws::billed(&self.core, &kept);
        self.core.tell(format_args!("AWS answers {}", told(&kept, &answers)));
        laws::answered(&self.core, &kept, &answers);
        let mut answers = answers?.into_iter();
        let in_order = records.iter().map(|record| {
            let answer = if self.is_forgotten(record) { None } else { answers.next() };
            answer.unwrap_or(RecordAnswer::Unprocessed)
        });
        Ok(in_order.collect())
    }

    /// The bug: what the hour in progress holds is not sent.
    fn is_forgotten(&self, record: &OutgoingRecord) -> bool {
        self.core.is(Bug::ForgetTheCurrentHourOnCancel) && record.hour == Hour::of(self.core.now())
    }

    /// The bug: the hour of the moment in place of the frozen one.
    fn stamped(&self, records: &[OutgoingRecord]) -> Vec<OutgoingRecord> {
        let mut records = records.to_vec();
        if self.core.is(Bug::StampTheHourAtSendTime) {
            for record in &mut records {
                record.hour = Hour::of(self.core.now()).previous();
            }
        }
        records
    }

    /// The bugs: what AWS said, misread.
    fn mistaken(&self, answer: RecordAnswer) -> RecordAnswer {
        match answer {
            RecordAnswer::Unprocessed if self.core.is(Bug::IgnoreUnprocessedRecords) => {
                RecordAnswer::Accepted(None)
            }
            RecordAnswer::HeldDifferently | RecordAnswer::AlreadyHeld
                if self.core.is(Bug::SettleDuplicatesWithoutComparing) =>
            {
                RecordAnswer::Accepted(None)
            }
            answer @ (RecordAnswer::Accepted(_)
            | RecordAnswer::AlreadyHeld
            | RecordAnswer::HeldDifferently
            | RecordAnswer::NotSubscribed
            | RecordAnswer::Unprocessed) => answer,
        }
    }
}

impl RegistrationService for Outside {
    async fn resolve(&self, token: &RegistrationToken) -> Result<ResolvedBuyer, ResolveError> {
        let lost = |struck: Struck| ResolveError::Unavailable(struck.into());
        self.core.call("resolve a token", self.aws.resolve(token)).await.map_err(lost)?
    }
}

impl EntitlementService for Outside {
    async fn entitlements(
        &self,
        product: &ProductCode,
        license: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        let ask = self.aws.entitlements(product, license);
        let told =
            self.core.call("ask for entitlements", ask).await.map_err(down("AWS entitlements"))?;
        if self.core.is(Bug::FindNoEntitlements) {
            return told.map(|(_, expires)| (BTreeMap::new(), expires));
        }
        told
    }
}

impl AgreementService for Outside {
    async fn describe(&self, agreement: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        self.core
            .ask("describe an agreement", self.aws.describe(agreement))
            .await
            .map_err(down("AWS agreements"))?
    }

    async fn request_cancellation(
        &self,
        agreement: &AgreementId,
        now: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        let place = "ask for a cancellation";
        self.core
            .call(place, self.aws.request_cancellation(agreement, now))
            .await
            .map_err(down("AWS agreements"))?
    }
}

impl AgreementDirectory for Outside {
    async fn search(
        &self,
        search: &AgreementSearch,
        page: Option<&str>,
    ) -> Result<AgreementPage, Error> {
        self.core
            .ask("search agreements", self.aws.search(search, page))
            .await
            .map_err(down("AWS agreements"))?
    }

    async fn provisioned(&self, agreement: &AgreementId) -> Result<Option<Provisioned>, Error> {
        self.core
            .ask("ask for a license", self.aws.provisioned(agreement))
            .await
            .map_err(down("AWS agreements"))?
    }
}

impl SettlementQueue for Outside {
    async fn send(&self, request: &SettlementRequest, delay_seconds: u16) -> Result<(), Error> {
        let send = async {
            let visible = after(self.core.now(), SignedDuration::from_secs(delay_seconds.into()));
            let mut inner = self.core.lock();
            let id = inner.next_letter;
            inner.next_letter = id.saturating_add(1);
            inner.letters.push(Letter { id, request: request.clone(), visible });
        };
        self.core.call("queue a settlement", send).await.map_err(down("SQS"))
    }
}

impl TenantTopic for Outside {
    async fn publish(&self, notice: &TenantNotice) -> Result<(), Error> {
        let publish = async { crate::platform::receive(&self.core, notice) };
        self.core.call("publish a notice", publish).await.map_err(down("SNS"))
    }
}
