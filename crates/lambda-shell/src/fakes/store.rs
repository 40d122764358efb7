//! A store in memory that keeps states, audit entries, links, processed notices, meters, events, records, saved answers
//! and the outbox, without guards: a handler's test has one writer.

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
    records: Vec<MeteringRecord>,
    outbox: Vec<OutboxItem>,
    audit: Vec<AuditEntry>,
    requests: BTreeMap<(String, String), Claimed>,
}

/// A claimed request, and its answer once there is one.
#[derive(Debug)]
struct Claimed {
    fingerprint: String,
    until: Timestamp,
    response: Option<SavedResponse>,
}

/// A page whose cursor is the place of its first item.
fn page<T: Clone>(all: &[T], after: Option<&Cursor>, limit: u16) -> Page<T> {
    let from = after.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0);
    let items: Vec<T> = all.iter().skip(from).take(limit.into()).cloned().collect();
    let next = from.saturating_add(items.len());
    Page { items, next: (next < all.len()).then(|| Cursor(next.to_string())) }
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

    /// Holds a metering record from the start.
    pub fn put_record(&self, record: MeteringRecord) {
        self.held().records.push(record);
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
        held.audit.extend(change.audit.clone());
        for link in &change.links {
            held.links.insert(link.after.agreement.clone(), link.after.clone());
        }
        Ok(Committed::Done)
    }

    async fn list(
        &self,
        filter: &ListFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        let held = self.up()?;
        let fits = |state: &&Subscription| match filter {
            ListFilter::All => true,
            ListFilter::Status(status) => state.status(state.updated_at) == *status,
            ListFilter::Customer(customer) => {
                state.account.as_ref().is_some_and(|account| account.as_str() == customer)
            }
        };
        let fitting: Vec<_> = held.states.values().filter(fits).cloned().collect();
        Ok(page(&fitting, after, limit))
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
        id: &SubscriptionId,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<AuditEntry>, Error> {
        let held = self.up()?;
        let entries: Vec<_> =
            held.audit.iter().filter(|entry| entry.subscription == *id).cloned().collect();
        Ok(page(&entries, after, limit))
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
        event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> Result<Saved, Error> {
        for held in self.up()?.events.iter_mut().filter(|held| held.event.key == event.event.key) {
            held.clone_from(event);
        }
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
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let held = self.up()?;
        let asked = |key: &MeterKey| key.subscription == *subscription && key.month == month;
        let records: Vec<_> =
            held.records.iter().filter(|record| asked(&record.key)).cloned().collect();
        Ok(page(&records, after, limit))
    }

    async fn events(
        &self,
        _subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<BookedEvent>, Error> {
        let held = self.up()?;
        let own = |booked: &&BookedEvent| Month::of(booked.event.at) == month;
        let events: Vec<_> = held.events.iter().filter(own).cloned().collect();
        Ok(page(&events, after, limit))
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
        request: &RequestKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Begun, Error> {
        let mut held = self.up()?;
        let place = (request.scope.clone(), request.key.clone());
        if let Some(claimed) = held.requests.get(&place) {
            if claimed.fingerprint != request.fingerprint {
                return Ok(Begun::OtherRequest);
            }
            if let Some(response) = &claimed.response {
                return Ok(Begun::Finished(response.clone()));
            }
            if now < claimed.until {
                return Ok(Begun::InProgress { until: claimed.until });
            }
        }
        let fingerprint = request.fingerprint.clone();
        held.requests.insert(place, Claimed { fingerprint, until, response: None });
        Ok(Begun::Started)
    }

    async fn finish(
        &self,
        request: &RequestKey,
        response: &SavedResponse,
        _now: Timestamp,
    ) -> Result<(), Error> {
        let place = (request.scope.clone(), request.key.clone());
        if let Some(claimed) = self.up()?.requests.get_mut(&place) {
            claimed.response = Some(response.clone());
        }
        Ok(())
    }

    async fn abandon(&self, request: &RequestKey) -> Result<(), Error> {
        self.up()?.requests.remove(&(request.scope.clone(), request.key.clone()));
        Ok(())
    }
}
