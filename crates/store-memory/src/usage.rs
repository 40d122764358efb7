//! Meters, usage events, metering records.

use app::Error;
use app::ports::{
    BookedEvent, Cursor, LapsedEvent, Page, Recorded, SHARDS, Saved, UnsettledMeter, Usage,
    UsageRead, UsageWrite,
};
use domain::ids::{IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, MeteringRecord, RecordKey, RecordStatus};
use domain::time::Month;
use jiff::Timestamp;

use crate::MemoryStore;
use crate::guard::{holds, is_a_transaction};
use crate::outbox::outbox_place;
use crate::page::page;
use crate::rows::{Rows, event_place, record_place, sortable};

impl Usage for MemoryStore {
    async fn read_usage(
        &self,
        subscription: &SubscriptionId,
        meters: &[MeterKey],
    ) -> Result<UsageRead, Error> {
        let rows = self.up()?;
        Ok(UsageRead {
            subscription: rows.states.get(subscription).map(|row| row.state.clone()),
            meters: meters.iter().filter_map(|key| rows.meter(key)).cloned().collect(),
        })
    }

    async fn meters(
        &self,
        subscription: &SubscriptionId,
        month: Month,
    ) -> Result<Vec<Meter>, Error> {
        let rows = self.up()?;
        let meters = rows.meters.get(&(subscription.clone(), month));
        Ok(meters.map(|meters| meters.values().cloned().collect()).unwrap_or_default())
    }

    async fn record_usage(&self, write: &UsageWrite) -> Result<Recorded, Error> {
        let UsageWrite { meter, expected, state_revision, events, outbox } = write;
        let mut rows = self.up()?;
        let id = &meter.key.subscription;
        is_a_transaction(
            events.len().saturating_add(3),
            events.iter().map(|booked| event_place(id, booked)).collect(),
        )?;
        let existing: Vec<BookedEvent> = events
            .iter()
            .filter_map(|booked| rows.events.get(&event_place(id, booked)))
            .cloned()
            .collect();
        if !existing.is_empty() {
            return Ok(Recorded::Existing(existing));
        }
        let revision = rows.states.get(id).map(|row| row.state.revision);
        let terms_are_current = expected.is_some() || revision == Some(*state_revision);
        if !terms_are_current || !meter_is(&rows, meter, *expected) {
            return Ok(Recorded::Overtaken);
        }
        rows.put_meter(meter);
        for booked in events {
            rows.events.insert(event_place(id, booked), booked.clone());
        }
        if let Some(notice) = outbox {
            rows.outbox.insert(outbox_place(notice), notice.clone());
        }
        Ok(Recorded::Done)
    }

    async fn event(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        key: &IdempotencyKey,
    ) -> Result<Option<BookedEvent>, Error> {
        Ok(self.up()?.events.get(&(subscription.clone(), month, key.clone())).cloned())
    }

    async fn release_event(
        &self,
        event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        let place = event_place(&meter.key.subscription, event);
        let is_as_read = rows
            .events
            .get(&place)
            .is_some_and(|found| !found.released && found.held_until == event.held_until);
        if !is_as_read || !meter_is(&rows, meter, Some(expected)) {
            return Ok(Saved::Overtaken);
        }
        rows.events.insert(place, event.clone());
        rows.put_meter(meter);
        Ok(Saved::Done)
    }

    async fn keep_event(
        &self,
        subscription: &SubscriptionId,
        event: &BookedEvent,
    ) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        let place = event_place(subscription, event);
        let found = rows.events.get(&place);
        if !found.is_some_and(|found| !found.released && found.held_until.is_some()) {
            return Ok(Saved::Overtaken);
        }
        rows.events.insert(place, event.clone());
        Ok(Saved::Done)
    }

    async fn lapsed(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<LapsedEvent>, Error> {
        let rows = self.up()?;
        let lapsed = rows.events.iter().filter_map(|((id, month, key), booked)| {
            let until = booked.held_until.filter(|until| *until <= now && !booked.released)?;
            let lapsed = LapsedEvent { subscription: id.clone(), event: booked.clone() };
            Some((format!("{}#{id}#{month}#{key}", sortable(until)), lapsed))
        });
        page("lapsed", lapsed.collect(), after, limit)
    }

    async fn save_meter(&self, meter: &Meter, expected: u64) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        if !meter_is(&rows, meter, Some(expected)) {
            return Ok(Saved::Overtaken);
        }
        rows.put_meter(meter);
        Ok(Saved::Done)
    }

    async fn book(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
    ) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        Ok(book(&mut rows, meter, expected, record))
    }

    async fn give_up(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
        state_revision: u64,
    ) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        let state = rows.states.get(&meter.key.subscription);
        if state.map(|row| row.state.revision) != Some(state_revision) {
            return Ok(Saved::Overtaken);
        }
        Ok(book(&mut rows, meter, expected, record))
    }

    async fn unsettled(
        &self,
        shard: u8,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<UnsettledMeter>, Error> {
        let rows = self.up()?;
        let partitions = rows.meters.iter().filter(|((id, _), _)| shard_of(id) == shard);
        let waiting = partitions.flat_map(|(_, meters)| meters.values()).filter_map(|meter| {
            let since = meter.unsettled_since()?;
            let key = meter.key.clone();
            Some((format!("{since}#{key}"), UnsettledMeter { key, since }))
        });
        page(&format!("unsettled/{shard}"), waiting.collect(), after, limit)
    }

    async fn records(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let rows = self.up()?;
        let records = rows
            .records
            .range((subscription.clone(), month, String::new())..)
            .take_while(|((id, of, _), _)| id == subscription && *of == month)
            .map(|((_, _, name), record)| (name.clone(), record.clone()));
        page(&format!("records/{subscription}/{month}"), records.collect(), after, limit)
    }

    async fn record(&self, key: &RecordKey) -> Result<Option<MeteringRecord>, Error> {
        Ok(self.up()?.records.get(&record_place(key)).cloned())
    }

    async fn parked(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let rows = self.up()?;
        let parked = rows.records.iter().filter(|(_, record)| record.status.is_parked());
        let parked = parked.map(|((id, month, name), record)| {
            (format!("{}#{id}#{month}#{name}", sortable(record.booked_at)), record.clone())
        });
        page("parked", parked.collect(), after, limit)
    }

    async fn events(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<BookedEvent>, Error> {
        let rows = self.up()?;
        let events = rows
            .events
            .iter()
            .filter(|((id, of, _), _)| id == subscription && *of == month)
            .map(|((_, _, key), booked)| (key.to_string(), booked.clone()));
        page(&format!("events/{subscription}/{month}"), events.collect(), after, limit)
    }
}

fn book(rows: &mut Rows, meter: &Meter, expected: u64, record: &MeteringRecord) -> Saved {
    let place = record_place(&record.name());
    let is_free = rows
        .records
        .get(&place)
        .is_none_or(|found| matches!(found.status, RecordStatus::Retried { .. }));
    if !meter_is(rows, meter, Some(expected)) || !is_free {
        return Saved::Overtaken;
    }
    rows.put_meter(meter);
    rows.records.insert(place, record.clone());
    Saved::Done
}

fn meter_is(rows: &Rows, meter: &Meter, expected: Option<u64>) -> bool {
    holds(expected, rows.meter(&meter.key).map(|found| found.revision))
}

/// The shard of a subscription's meters; its id is a hash already.
fn shard_of(id: &SubscriptionId) -> u8 {
    let last = id.as_str().bytes().last().unwrap_or_default();
    char::from(last).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
        % SHARDS
}
