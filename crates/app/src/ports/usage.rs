//! The store of meters, usage events and metering records.

use std::future::Future;

use domain::ids::{IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, MeteringRecord, RecordKey, UsageEvent};
use domain::subscription::{Subscription, TenantNotice};
use domain::time::{Hour, Month};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cursor, Page};
use crate::Error;

/// A usage event as it is kept. Its place is derived from the event's own month and key, so a repeat finds it
/// whichever meter it was booked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookedEvent {
    /// What was reported.
    pub event: UsageEvent,
    /// The month whose meter took it; later than its own month when it was carried over.
    pub booked_month: Month,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// Whether it is a reservation that was released: it counts nothing any more.
    #[serde(default)]
    pub released: bool,
    /// Until when it is held for its caller, who keeps or releases it; without a word it is released then. Absent for
    /// what counts for good.
    #[serde(default)]
    pub held_until: Option<Timestamp>,
}

/// A held event whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LapsedEvent {
    /// Whose.
    pub subscription: SubscriptionId,
    /// Which.
    pub event: BookedEvent,
}

/// A state and meters, read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRead {
    /// The state, if there is one.
    pub subscription: Option<Subscription>,
    /// Those of the asked meters that exist, in no particular order.
    pub meters: Vec<Meter>,
}

/// Usage to record: one meter and its new events, written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageWrite {
    /// The meter after the events, with its new revision.
    pub meter: Meter,
    /// The revision it was read with; absent to create it, which also requires `state_revision` to be current.
    pub expected: Option<u64>,
    /// The state's revision that the meter's terms were read from.
    pub state_revision: u64,
    /// The events, all new; at most 90.
    pub events: Vec<BookedEvent>,
    /// A quota warning that the events cause.
    pub outbox: Option<TenantNotice>,
}

/// What became of usage to record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Recorded {
    /// It is written.
    Done,
    /// These events were there before; nothing was written.
    Existing(Vec<BookedEvent>),
    /// The meter or the plan has changed; nothing was written. Read again and decide again.
    Overtaken,
}

/// What became of a guarded write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Saved {
    /// It is written.
    Done,
    /// The row has changed; nothing was written.
    Overtaken,
}

/// A meter on which money waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledMeter {
    /// Which.
    pub key: MeterKey,
    /// Since which hour.
    pub since: Hour,
}

/// The store of usage.
pub trait Usage {
    /// Reads a subscription's state and some of its meters in one round trip.
    fn read_usage(
        &self,
        subscription: &SubscriptionId,
        meters: &[MeterKey],
    ) -> impl Future<Output = Result<UsageRead, Error>> + Send;

    /// Reads all meters of a subscription in a month.
    fn meters(
        &self,
        subscription: &SubscriptionId,
        month: Month,
    ) -> impl Future<Output = Result<Vec<Meter>, Error>> + Send;

    /// Writes events and their meter in one transaction. MUST answer [`Recorded::Existing`] with what is there when
    /// any of the events exists, whatever else failed.
    fn record_usage(
        &self,
        write: &UsageWrite,
    ) -> impl Future<Output = Result<Recorded, Error>> + Send;

    /// Reads one event by its own month and key.
    fn event(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<BookedEvent>, Error>> + Send;

    /// Marks an event as released and writes its meter, if the meter's revision is `expected` and the event is not
    /// released yet and still held until `held_until`, or for good when that is absent.
    fn release_event(
        &self,
        event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Makes a held event count for good, if it is still held and not released. `event` is as it is to be: not held.
    fn keep_event(
        &self,
        subscription: &SubscriptionId,
        event: &BookedEvent,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Lists events that were held until `now` or earlier, and neither kept nor released, oldest first.
    fn lapsed(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<LapsedEvent>, Error>> + Send;

    /// Writes a meter if its revision is `expected`: the freeze of a record.
    fn save_meter(
        &self,
        meter: &Meter,
        expected: u64,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Writes a meter if its revision is `expected`, and the record that was booked, in one transaction. MUST refuse
    /// both when the ledger has that line already, unless the line is one that was retried.
    fn book(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Gives up what waits: as [`book`](Self::book), and only while the state that it was judged by has the revision
    /// `state_revision`. Meanwhile the license may have been activated again.
    fn give_up(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
        state_revision: u64,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;

    /// Lists unsettled meters of one shard (0 to [`super::SHARDS`] − 1), oldest first.
    fn unsettled(
        &self,
        shard: u8,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<UnsettledMeter>, Error>> + Send;

    /// Lists a subscription's booked records of a month, oldest first.
    fn records(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<MeteringRecord>, Error>> + Send;

    /// Reads one line of the ledger.
    fn record(
        &self,
        key: &RecordKey,
    ) -> impl Future<Output = Result<Option<MeteringRecord>, Error>> + Send;

    /// Lists the lines of all ledgers that are parked, oldest first.
    fn parked(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<MeteringRecord>, Error>> + Send;

    /// Lists the events of a subscription whose own time is in a month, by key.
    fn events(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<BookedEvent>, Error>> + Send;
}
