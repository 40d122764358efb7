//! An AWS that answers as it is told, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use app::Error;
use app::ports::{
    AgreementDetails, AgreementService, EntitlementService, MeteringService, OutgoingRecord,
    RecordAnswer, SettlementQueue, SettlementRequest, SubmitError,
};
use domain::entitlement::EntitledValue;
use domain::ids::{AgreementId, LicenseRef, ProductCode};
use domain::subscription::CancellationRequest;
use jiff::Timestamp;

/// One answer to one call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Each record is answered so.
    Each(RecordAnswer),
    /// The records are answered one by one.
    Records(Vec<RecordAnswer>),
    /// Throttled, failed or lost.
    Retry,
    /// The batch holds a bad record.
    Bad(&'static str),
    /// Our credentials are refused.
    Credentials,
}

/// What was asked, and what is to be answered: first the answers that are lined up, then acceptance; a batch with a
/// poisoned hour or dimension is refused.
#[derive(Clone, Default)]
pub(crate) struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    poisoned: Option<(LicenseRef, &'static str)>,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
    calls: Vec<Vec<OutgoingRecord>>,
    requests: Vec<(SettlementRequest, u16)>,
    grants: BTreeMap<String, EntitledValue>,
    entitlement_calls: usize,
    agreements: BTreeMap<AgreementId, AgreementDetails>,
    described: usize,
}

impl Scripted {
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().unwrap().answers.extend(answers);
    }

    /// A batch that holds a record of this license is refused with a code.
    pub(crate) fn poison(&self, license: &LicenseRef, code: &'static str) {
        self.0.lock().unwrap().poisoned = Some((license.clone(), code));
    }

    /// Something that happens while the next call is under way.
    pub(crate) fn meanwhile(&self, happens: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().meanwhile = Some(Box::new(happens));
    }

    pub(crate) fn grant(&self, dimension: &str, value: EntitledValue) {
        self.0.lock().unwrap().grants.insert(dimension.to_owned(), value);
    }

    pub(crate) fn withdraw(&self, dimension: &str) {
        self.0.lock().unwrap().grants.remove(dimension);
    }

    /// What DescribeAgreement tells of an agreement; of others it tells nothing.
    pub(crate) fn describes(&self, agreement: &str, details: AgreementDetails) {
        self.0.lock().unwrap().agreements.insert(agreement.parse().unwrap(), details);
    }

    /// How often AWS was asked about an agreement.
    pub(crate) fn described(&self) -> usize {
        self.0.lock().unwrap().described
    }

    /// The calls of BatchMeterUsage.
    pub(crate) fn calls(&self) -> Vec<Vec<OutgoingRecord>> {
        self.0.lock().unwrap().calls.clone()
    }

    /// The quantities that were sent, with their hours, in order.
    pub(crate) fn sent(&self) -> Vec<(String, u64)> {
        let records = self.calls().into_iter().flatten();
        records.map(|record| (record.hour.to_string(), record.quantity)).collect()
    }

    /// The requests to the scheduler's own queue, each with its delay in seconds.
    pub(crate) fn requests(&self) -> Vec<(SettlementRequest, u16)> {
        self.0.lock().unwrap().requests.clone()
    }

    pub(crate) fn entitlement_calls(&self) -> usize {
        self.0.lock().unwrap().entitlement_calls
    }
}

impl MeteringService for Scripted {
    async fn submit(
        &self,
        _: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        // Whoever else is at work gets on meanwhile.
        tokio::task::yield_now().await;
        let mut script = self.0.lock().unwrap();
        script.calls.push(records.to_vec());
        if let Some(happens) = script.meanwhile.take() {
            happens();
        }
        if let Some((license, code)) = &script.poisoned
            && records.iter().any(|record| record.license == *license)
        {
            let code = (*code).to_owned();
            return Err(SubmitError::BadRecord { code, source: "a bad record".into() });
        }
        let answer =
            script.answers.pop_front().unwrap_or(Answer::Each(RecordAnswer::Accepted(None)));
        match answer {
            Answer::Each(answer) => Ok(records.iter().map(|_| answer.clone()).collect()),
            Answer::Records(answers) => {
                assert_eq!(answers.len(), records.len(), "the script and the call differ");
                Ok(answers)
            }
            Answer::Retry => Err(SubmitError::Retry("throttled".into())),
            Answer::Bad(code) => {
                let code = code.to_owned();
                Err(SubmitError::BadRecord { code, source: "a bad record".into() })
            }
            Answer::Credentials => {
                let code = "AccessDeniedException".to_owned();
                Err(SubmitError::Credentials { code, source: "denied".into() })
            }
        }
    }
}

impl SettlementQueue for Scripted {
    async fn send(&self, request: &SettlementRequest, delay: u16) -> Result<(), Error> {
        self.0.lock().unwrap().requests.push((request.clone(), delay));
        Ok(())
    }
}

impl EntitlementService for Scripted {
    async fn entitlements(
        &self,
        _: &ProductCode,
        _: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        let mut script = self.0.lock().unwrap();
        script.entitlement_calls += 1;
        Ok((script.grants.clone(), None))
    }
}

impl AgreementService for Scripted {
    async fn describe(&self, id: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        let mut script = self.0.lock().unwrap();
        script.described += 1;
        Ok(script.agreements.get(id).cloned())
    }

    async fn request_cancellation(
        &self,
        _: &AgreementId,
        at: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        Ok(CancellationRequest { id: "acr-1".to_owned(), at })
    }
}
