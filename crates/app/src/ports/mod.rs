//! What the use cases need of the outside. A port is named by what it keeps or reaches, speaks domain types, and
//! promises what its comments say; the contract suite in `app::contracts` holds every store to it.
//!
//! A write that may lose a race answers with an outcome, never an error: an error means that the outcome is unknown
//! or that nothing could be asked.

mod agreements;
mod deliveries;
mod idempotency;
mod marketplace;
mod memos;
mod outbox;
mod page;
mod subscriptions;
mod usage;

pub use agreements::{
    AgreementDirectory, AgreementPage, AgreementSearch, AgreementSummary, Provisioned, Standing,
};
pub use deliveries::{Deliveries, Posted, Postman, WakeUp};
pub use idempotency::{Begun, Idempotency, RequestKey, SavedResponse};
pub use marketplace::{
    AgreementDetails, AgreementService, EntitlementService, MeteringService, OutgoingRecord,
    RecordAnswer, RegistrationService, RegistrationToken, ResolveError, ResolvedBuyer,
    SettlementQueue, SettlementRequest, SubmitError, TenantTopic,
};
pub use memos::{Memo, Memos, Task};
pub use outbox::{Outbox, OutboxItem, OutboxKey};
pub use page::{Cursor, Page};
pub use subscriptions::{
    AgreementLink, Change, Committed, Customer, DueItem, LinkWrite, ListFilter, MeterWrite,
    ParkedRegistration, SeenNotice, StateWrite, Subscriptions, View, ViewKeys,
};
pub use usage::{
    BookedEvent, LapsedEvent, Recorded, Saved, UnsettledMeter, Usage, UsageRead, UsageWrite,
};

/// Everything the store adapter offers.
pub trait Store:
    Subscriptions + Usage + Idempotency + Outbox + Memos + Clone + Send + Sync + 'static
{
}

impl<T> Store for T where
    T: Subscriptions + Usage + Idempotency + Outbox + Memos + Clone + Send + Sync + 'static
{
}

/// Shards of the index of unsettled meters.
pub const SHARDS: u8 = 16;
