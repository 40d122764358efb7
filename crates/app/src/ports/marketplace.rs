//! What AWS does for us: it resolves registration tokens, takes metering records, tells entitlements and agreements,
//! and carries our messages.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use domain::entitlement::EntitledValue;
use domain::ids::{
    AccountId, AgreementId, CustomerIdentifier, Dimension, LicenseArn, LicenseRef,
    MeteringRecordId, ProductCode, SubscriptionId,
};
use domain::metering::Allocation;
use domain::subscription::{CancellationRequest, TenantNotice};
use domain::time::Hour;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::BoxError;

/// A registration token: a bearer secret of the buyer's browser. Never stored, logged, or put in a URL or cookie.
#[derive(Clone)]
pub struct RegistrationToken(String);

impl RegistrationToken {
    /// Takes a form field; `None` when it is empty or absurdly long.
    pub fn from_form(text: String) -> Option<Self> {
        (!text.is_empty() && text.len() <= 4096).then_some(Self(text))
    }

    /// The secret, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RegistrationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationToken(redacted)")
    }
}

/// Who a registration token stands for. Every part but the product may be missing (fact sheet §2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedBuyer {
    /// The listing that was bought.
    pub product: ProductCode,
    /// The buying account.
    pub account: Option<AccountId>,
    /// The license.
    pub license: Option<LicenseArn>,
    /// The agreement.
    pub agreement: Option<AgreementId>,
    /// The buyer, on older listings.
    pub customer: Option<CustomerIdentifier>,
}

/// Why a token was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// AWS does not know the token.
    #[error("AWS Marketplace does not know the registration token")]
    InvalidToken,
    /// The token's time is over.
    #[error("the registration token has expired")]
    ExpiredToken,
    /// Our credentials or policy are wrong: not the buyer's fault.
    #[error("AWS refuses our credentials for ResolveCustomer")]
    Credentials(#[source] BoxError),
    /// Throttled, failing, or out of reach: try again.
    #[error("AWS Marketplace could not be asked to resolve a registration token")]
    Unavailable(#[source] BoxError),
}

/// Resolves registration tokens.
pub trait RegistrationService {
    /// Asks AWS who a token stands for. May be repeated until the token expires.
    fn resolve(
        &self,
        token: &RegistrationToken,
    ) -> impl Future<Output = Result<ResolvedBuyer, ResolveError>> + Send;
}

/// A record to send. Its content never changes once frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// Whose.
    pub license: LicenseRef,
    /// The buying account; AWS demands it with a license ARN.
    pub account: Option<AccountId>,
    /// Of what.
    pub dimension: Dimension,
    /// The hour key; stamped with its first instant.
    pub hour: Hour,
    /// Whole units, at most 2147483647.
    pub quantity: u64,
    /// How they are allocated to tags: adding up to the quantity, or empty when none of them carries any.
    pub allocations: Vec<Allocation>,
}

/// What AWS said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordAnswer {
    /// It is billed.
    Accepted(Option<MeteringRecordId>),
    /// AWS already had exactly this record: it is billed, once.
    AlreadyHeld,
    /// AWS holds another quantity under this key and bills that.
    HeldDifferently,
    /// AWS takes nothing for this license now.
    NotSubscribed,
    /// AWS did not get to it, or did not mention it: send the same again.
    Unprocessed,
}

/// Why a whole batch was not processed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Throttled, failing, or no answer: it may have taken effect; send the same again.
    #[error("AWS did not answer a metering batch")]
    Retry(#[source] BoxError),
    /// A record in it is bad, and nothing was processed: split it to find which.
    #[error("AWS refuses a metering batch: {code}")]
    BadRecord {
        /// AWS's error code.
        code: String,
        /// What it said.
        #[source]
        source: BoxError,
    },
    /// Our credentials, policy or configuration are wrong: every batch will fail until a human mends it.
    #[error("AWS refuses our credentials or configuration for metering: {code}")]
    Credentials {
        /// AWS's error code.
        code: String,
        /// What it said.
        #[source]
        source: BoxError,
    },
}

/// Takes metering records.
pub trait MeteringService {
    /// Sends at most 25 records of one product in exactly one call, and answers for each in the order given.
    fn submit(
        &self,
        product: &ProductCode,
        records: &[OutgoingRecord],
    ) -> impl Future<Output = Result<Vec<RecordAnswer>, SubmitError>> + Send;
}

/// Tells what was bought.
pub trait EntitlementService {
    /// All entitlements of one license and the earliest of their dates; an empty answer is an answer.
    ///
    /// # Errors
    /// Any failure to ask; the last stored snapshot stays in force.
    fn entitlements(
        &self,
        product: &ProductCode,
        license: &LicenseRef,
    ) -> impl Future<Output = Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error>> + Send;
}

/// What DescribeAgreement tells that notices do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementDetails {
    /// The first agreement of its chain of renewals and replacements.
    pub initial: Option<AgreementId>,
    /// When it ends by its terms; absent for pay as you go.
    pub ends: Option<Timestamp>,
}

/// Tells of agreements, and asks AWS to cancel them.
pub trait AgreementService {
    /// Asks about one agreement; `None` when AWS does not show it to us (reseller agreements, fact sheet §5.4).
    fn describe(
        &self,
        agreement: &AgreementId,
    ) -> impl Future<Output = Result<Option<AgreementDetails>, Error>> + Send;

    /// Asks AWS to cancel an agreement; the buyer approves, or seven days pass.
    fn request_cancellation(
        &self,
        agreement: &AgreementId,
        now: Timestamp,
    ) -> impl Future<Output = Result<CancellationRequest, Error>> + Send;
}

/// Carries tenant notices to the platform.
pub trait TenantTopic {
    /// Publishes one notice; may be repeated.
    fn publish(&self, notice: &TenantNotice) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Work for the metering scheduler besides its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "request")]
pub enum SettlementRequest {
    /// Settle one subscription now: it is ending, or an operator asked.
    Flush {
        /// Which.
        subscription: SubscriptionId,
    },
    /// Go on with a backlog.
    Backlog,
}

/// Carries settlement requests to the scheduler, at least once.
pub trait SettlementQueue {
    /// Sends a request, delivered after `delay_seconds` (0 to 900).
    fn send(
        &self,
        request: &SettlementRequest,
        delay_seconds: u16,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
