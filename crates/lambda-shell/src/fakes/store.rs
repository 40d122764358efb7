//! A store in memory that keeps states, links, processed notices, meters, events and the outbox, without guards: a
//! handler's test has one writer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::Error;
use app::ports::{
    AgreementLink, Begun, BookedEvent, Change, Committed, Cursor, Customer, DueItem, Idempotency,
    ListFilter, Outbox, OutboxItem, OutboxKey, Page, Recorded, RequestKey, Saved, SavedResponse,
    Subscriptions, UnsettledMeter, Usage, UsageRead, UsageWrite, View, ViewKeys,
};
use domain::audit::AuditEntry;
use domain::ids::{AgreementId, IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, MeteringRecord};
use domain::subscription::Subscription;
use domain::time::Month;
use jiff::Timestamp;

use super::down;

/// The store; clones share what they hold.
#[derive(Debug, Clone, Default)]
pub struct FakeStore {
    held: Arc<Mutex<Held>>,
    down: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Held {
    states: BTreeMap<SubscriptionId, Subscription>,
    links: BTreeMap<AgreementId, AgreementLink>,
    seen: Vec<String>,
    meters: Vec<Meter>,
    events: Vec<BookedEvent>,
    outbox: Vec<OutboxItem>,
}

impl FakeStore {
    /// From now on the store does not answer, or does again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Holds a state from the start.
    pub fn put_state(&self, state: Subscription) {
        self.held().states.insert(state.id.clone(), state);
    }

    /// Holds an unpublished notice from the start.
    pub fn put_outbox(&self, item: OutboxItem) {
        self.held().outbox.push(item);
    }

    /// All states.
    pub fn states(&self) -> Vec<Subscription> {
        self.held().states.values().cloned().collect()
    }

    /// All events.
    pub fn booked(&self) -> Vec<BookedEvent> {
        self.held().events.clone()
    }

    /// The marks of processed notices, `channel/id`.
    pub fn seen(&self) -> Vec<String> {
        self.held().seen.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self) -> Result<MutexGuard<'_, Held>, Error> {
        if self.down.load(Ordering::SeqCst) { Err(down("DynamoDB")) } else { Ok(self.held()) }
    }
}

impl Subscriptions for FakeStore {
    async fn subscription(&self, id: &SubscriptionId) -> Result<Option<Subscription>, Error> {
        Ok(self.up()?.states.get(id).cloned())
    }

    async fn view(&self, keys: &ViewKeys) -> Result<View, Error> {
        let held = self.up()?;
        let mark = keys.notice.as_ref().map(|(channel, id)| format!("{channel}/{id}"));
        Ok(View {
            subscription: keys.subscription.as_ref().and_then(|id| held.states.get(id)).cloned(),
            links: held
                .links
                .iter()
                .filter(|(id, _)| keys.agreements.contains(id))
                .map(|(id, link)| (id.clone(), link.clone()))
                .collect(),
            notice_seen: mark.is_some_and(|mark| held.seen.contains(&mark)),
        })
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        let mut held = self.up()?;
        if let Some(notice) = &change.notice {
            let mark = format!("{}/{}", notice.channel, notice.id);
            if held.seen.contains(&mark) {
                return Ok(Committed::AlreadySeen);
            }
            held.seen.push(mark);
        }
        if let Some(write) = &change.state {
            held.states.insert(write.after.id.clone(), write.after.clone());
        }
        for link in &change.links {
            held.links.insert(link.after.agreement.clone(), link.after.clone());
        }
        Ok(Committed::Done)
    }

    async fn list(
        &self,
        _filter: &ListFilter,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        Ok(Page { items: self.up()?.states.values().cloned().collect(), next: None })
    }

    async fn due(
        &self,
        _now: Timestamp,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<DueItem>, Error> {
        self.up().map(|_| Page::empty())
    }

    async fn audit(
        &self,
        _id: &SubscriptionId,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<AuditEntry>, Error> {
        self.up().map(|_| Page::empty())
    }

    async fn customer(&self, _id: &str) -> Result<Option<Customer>, Error> {
        self.up().map(|_| None)
    }
}

impl Usage for FakeStore {
    async fn read_usage(
        &self,
        subscription: &SubscriptionId,
        meters: &[MeterKey],
    ) -> Result<UsageRead, Error> {
        let held = self.up()?;
        Ok(UsageRead {
            subscription: held.states.get(subscription).cloned(),
            meters: held
                .meters
                .iter()
                .filter(|meter| meters.contains(&meter.key))
                .cloned()
                .collect(),
        })
    }

    async fn meters(
        &self,
        subscription: &SubscriptionId,
        month: Month,
    ) -> Result<Vec<Meter>, Error> {
        let held = self.up()?;
        let asked = |key: &MeterKey| key.subscription == *subscription && key.month == month;
        Ok(held.meters.iter().filter(|meter| asked(&meter.key)).cloned().collect())
    }

    async fn record_usage(&self, write: &UsageWrite) -> Result<Recorded, Error> {
        let mut held = self.up()?;
        let existing: Vec<_> = held
            .events
            .iter()
            .filter(|booked| write.events.iter().any(|new| new.event.key == booked.event.key))
            .cloned()
            .collect();
        if !existing.is_empty() {
            return Ok(Recorded::Existing(existing));
        }
        held.events.extend(write.events.iter().cloned());
        held.meters.retain(|meter| meter.key != write.meter.key);
        held.meters.push(write.meter.clone());
        Ok(Recorded::Done)
    }

    async fn event(
        &self,
        _subscription: &SubscriptionId,
        _month: Month,
        key: &IdempotencyKey,
    ) -> Result<Option<BookedEvent>, Error> {
        Ok(self.up()?.events.iter().find(|booked| booked.event.key == *key).cloned())
    }

    async fn release_event(
        &self,
        _event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> Result<Saved, Error> {
        self.save_meter(meter, expected).await
    }

    async fn save_meter(&self, meter: &Meter, _expected: u64) -> Result<Saved, Error> {
        let mut held = self.up()?;
        held.meters.retain(|held| held.key != meter.key);
        held.meters.push(meter.clone());
        Ok(Saved::Done)
    }

    async fn book(
        &self,
        meter: &Meter,
        expected: u64,
        _record: &MeteringRecord,
    ) -> Result<Saved, Error> {
        self.save_meter(meter, expected).await
    }

    async fn unsettled(
        &self,
        shard: u8,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<UnsettledMeter>, Error> {
        let held = self.up()?;
        let waiting = held.meters.iter().filter_map(|meter| {
            meter.unsettled_since().map(|since| UnsettledMeter { key: meter.key.clone(), since })
        });
        // Everything is in the first shard.
        Ok(Page { items: waiting.filter(|_| shard == 0).collect(), next: None })
    }

    async fn records(
        &self,
        _subscription: &SubscriptionId,
        _month: Month,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        self.up().map(|_| Page::empty())
    }

    async fn events(
        &self,
        _subscription: &SubscriptionId,
        _month: Month,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<BookedEvent>, Error> {
        Ok(Page { items: self.up()?.events.clone(), next: None })
    }
}

impl Outbox for FakeStore {
    async fn unpublished(
        &self,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<OutboxItem>, Error> {
        Ok(Page { items: self.up()?.outbox.clone(), next: None })
    }

    async fn published(&self, key: &OutboxKey) -> Result<(), Error> {
        self.up()?.outbox.retain(|item| item.key != *key);
        Ok(())
    }
}

impl Idempotency for FakeStore {
    async fn begin(
        &self,
        _request: &RequestKey,
        _now: Timestamp,
        _until: Timestamp,
    ) -> Result<Begun, Error> {
        self.up().map(|_| Begun::Started)
    }

    async fn finish(
        &self,
        _request: &RequestKey,
        _response: &SavedResponse,
        _now: Timestamp,
    ) -> Result<(), Error> {
        self.up().map(|_| ())
    }

    async fn abandon(&self, _request: &RequestKey) -> Result<(), Error> {
        self.up().map(|_| ())
    }
}
