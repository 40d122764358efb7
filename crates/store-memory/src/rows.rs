//! What is kept, and what of it is kept beside a document for the indexes.

use std::collections::{BTreeMap, BTreeSet};

use app::ports::{AgreementLink, BookedEvent, Customer, Memo, SavedResponse, StateWrite, Task};
use domain::audit::AuditEntry;
use domain::ids::{AgreementId, IdempotencyKey, NoticeId, SubscriptionId};
use domain::metering::{Line, Meter, MeterKey, MeteringRecord, RecordKey};
use domain::notice::Channel;
use domain::subscription::{Status, Subscription, TenantNotice};
use domain::time::Month;
use jiff::Timestamp;

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) states: BTreeMap<SubscriptionId, StateRow>,
    pub(crate) links: BTreeMap<AgreementId, AgreementLink>,
    pub(crate) seen: BTreeSet<(Channel, NoticeId)>,
    pub(crate) outbox: BTreeMap<(SubscriptionId, String), TenantNotice>,
    pub(crate) requests: BTreeMap<(String, String), RequestRow>,
    pub(crate) customers: BTreeMap<String, Customer>,
    pub(crate) audit: BTreeMap<(SubscriptionId, u64), AuditEntry>,
    pub(crate) meters: BTreeMap<(SubscriptionId, Month), BTreeMap<MeterKey, Meter>>,
    pub(crate) events: BTreeMap<EventPlace, BookedEvent>,
    pub(crate) records: BTreeMap<RecordPlace, MeteringRecord>,
    pub(crate) memos: BTreeMap<Task, Memo>,
}

/// Where an event is: its own month, whichever meter took it.
pub(crate) type EventPlace = (SubscriptionId, Month, IdempotencyKey);

/// Where a record is: its month, and its name within it.
pub(crate) type RecordPlace = (SubscriptionId, Month, String);

/// A state, and what the indexes saw when it was written.
#[derive(Debug)]
pub(crate) struct StateRow {
    pub(crate) state: Subscription,
    pub(crate) status: Status,
    pub(crate) due: Option<Timestamp>,
}

impl StateRow {
    pub(crate) fn of(write: &StateWrite) -> Self {
        Self {
            state: write.after.clone(),
            status: write.after.status(write.now),
            due: write.after.due(write.now),
        }
    }
}

/// A claimed request, and its answer once there is one.
#[derive(Debug)]
pub(crate) struct RequestRow {
    pub(crate) fingerprint: String,
    pub(crate) until: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) response: Option<SavedResponse>,
}

impl Rows {
    pub(crate) fn meter(&self, key: &MeterKey) -> Option<&Meter> {
        self.meters.get(&(key.subscription.clone(), key.month))?.get(key)
    }

    pub(crate) fn put_meter(&mut self, meter: &Meter) {
        let place = (meter.key.subscription.clone(), meter.key.month);
        self.meters.entry(place).or_default().insert(meter.key.clone(), meter.clone());
    }
}

/// An event's own month is where it is kept.
pub(crate) fn event_place(subscription: &SubscriptionId, booked: &BookedEvent) -> EventPlace {
    (subscription.clone(), Month::of(booked.event.at), booked.event.key.clone())
}

/// A record that was sent is named by its hour, which carries only one; units that were never sent by when they were
/// given up.
pub(crate) fn record_place(record: &RecordKey) -> RecordPlace {
    let dimension = &record.meter.dimension;
    let name = match record.line {
        Line::Hour(hour) => format!("{hour}#{dimension}"),
        Line::NeverSent(at) => format!("never-sent#{at}#{dimension}"),
    };
    (record.meter.subscription.clone(), record.meter.month, name)
}

/// An instant whose text sorts as it does: always nine decimal places.
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}
