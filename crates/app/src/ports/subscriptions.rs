//! The store of subscriptions, agreements, processed notices, customers and the audit trail.

use std::collections::BTreeMap;
use std::future::Future;

use domain::audit::AuditEntry;
use domain::ids::{
    AccountId, AgreementId, CustomerIdentifier, NoticeId, ProductCode, SubscriptionId,
};
use domain::metering::{Meter, MeterKey, MeteringRecord};
use domain::notice::Channel;
use domain::subscription::{AgreementFacts, Status, Subscription, TenantNotice};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cursor, Page};
use crate::Error;

/// What to read at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewKeys {
    /// A subscription's state.
    pub subscription: Option<SubscriptionId>,
    /// Agreements' links.
    pub agreements: Vec<AgreementId>,
    /// Whether a notice was processed.
    pub notice: Option<(Channel, NoticeId)>,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The state, if there is one.
    pub subscription: Option<Subscription>,
    /// The links that exist.
    pub links: BTreeMap<AgreementId, AgreementLink>,
    /// Whether the notice was processed.
    pub notice_seen: bool,
}

/// An agreement: the subscription it belongs to once known, and until then what was heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgreementLink {
    /// Which agreement.
    pub agreement: AgreementId,
    /// The subscription, once a license event or ResolveCustomer told.
    pub subscription: Option<SubscriptionId>,
    /// What is known of it; kept after it is linked as well.
    pub facts: AgreementFacts,
    /// A registration that came before the license was known.
    pub registration: Option<ParkedRegistration>,
    /// A newer agreement that goes on from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_on_in: Option<AgreementId>,
    /// How many writes it has seen; guards every write.
    pub revision: u64,
}

/// A registration without a license yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedRegistration {
    /// When the buyer registered.
    pub at: Timestamp,
    /// The buyer.
    pub account: AccountId,
    /// The listing.
    pub product: ProductCode,
}

/// A state to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    /// The state after the change, with its new revision.
    pub after: Subscription,
    /// The revision it was read with; absent to create.
    pub expected: Option<u64>,
    /// When the change happens; status and due time are derived for it.
    pub now: Timestamp,
}

/// A link to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkWrite {
    /// The link after the change, with its new revision.
    pub after: AgreementLink,
    /// The revision it was read with; absent to create.
    pub expected: Option<u64>,
}

/// A meter to write, or a guard that it does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a change holds a few, each for one write")]
pub enum MeterWrite {
    /// Write it if its revision is still the expected one.
    Change {
        /// The meter after the change, with its new revision.
        after: Meter,
        /// The revision it was read with.
        expected: u64,
    },
    /// Go on only if it does not exist: a meter created meanwhile would miss the change.
    Absent(MeterKey),
}

/// That a notice was processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenNotice {
    /// Its channel.
    pub channel: Channel,
    /// Its id.
    pub id: NoticeId,
    /// What it was about, for people.
    pub kind: String,
    /// When it was processed.
    pub at: Timestamp,
}

/// Who bought: the only record with personal data. Its `Debug` tells the key alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// The buying account, or the legacy customer identifier.
    pub id: String,
    /// The buying account.
    pub account: Option<AccountId>,
    /// The buyer, on older listings.
    pub customer_identifier: Option<CustomerIdentifier>,
    /// The company's name.
    pub company: String,
    /// The contact's name.
    pub contact: String,
    /// The contact's e-mail.
    pub email: String,
    /// What the seller's form asks for besides, by the names of its fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Customer {
    /// Whether another record of the same buyer holds the same details.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.company == other.company
            && self.contact == other.contact
            && self.email == other.email
            && self.extra == other.extra
    }
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Customer").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One state change: everything in it is written, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The subscription's state.
    pub state: Option<StateWrite>,
    /// The audit entry of the change.
    pub audit: Option<AuditEntry>,
    /// What the platform must be told; of one kind at most once.
    pub outbox: Vec<TenantNotice>,
    /// The notice that caused it.
    pub notice: Option<SeenNotice>,
    /// Agreements linked or updated by it.
    pub links: Vec<LinkWrite>,
    /// Meters that change with the plan.
    pub meters: Vec<MeterWrite>,
    /// The buyer's record.
    pub customer: Option<Customer>,
    /// Lines of the ledger that a human took up: each is written only if it is still parked.
    pub records: Vec<MeteringRecord>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// It is written.
    Done,
    /// The notice was processed before; nothing was written.
    AlreadySeen,
    /// Something it was based on has changed; nothing was written. Read again and decide again.
    Overtaken,
}

/// Which subscriptions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFilter {
    /// All, by status.
    All,
    /// Those shown with this status.
    Status(Status),
    /// Those of one buying account or legacy customer.
    Customer(String),
}

/// A subscription for which something is to be done although no notice comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueItem {
    /// Which.
    pub subscription: SubscriptionId,
    /// Since when.
    pub at: Timestamp,
}

/// The store of subscriptions and what changes with them.
pub trait Subscriptions {
    /// Reads one state.
    fn subscription(
        &self,
        id: &SubscriptionId,
    ) -> impl Future<Output = Result<Option<Subscription>, Error>> + Send;

    /// Reads a state, links and a notice's mark in one round trip.
    fn view(&self, keys: &ViewKeys) -> impl Future<Output = Result<View, Error>> + Send;

    /// Writes a change in one transaction. MUST refuse all of it when any guard fails, and MUST answer
    /// [`Committed::AlreadySeen`] when the notice is marked, whatever else failed.
    fn commit(&self, change: &Change) -> impl Future<Output = Result<Committed, Error>> + Send;

    /// Lists subscriptions.
    fn list(
        &self,
        filter: &ListFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<Subscription>, Error>> + Send;

    /// Lists what is due at or before `now`, oldest first.
    fn due(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<DueItem>, Error>> + Send;

    /// Reads audit entries, oldest first.
    fn audit(
        &self,
        id: &SubscriptionId,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<AuditEntry>, Error>> + Send;

    /// Reads the buyer's record.
    fn customer(&self, id: &str) -> impl Future<Output = Result<Option<Customer>, Error>> + Send;
}
