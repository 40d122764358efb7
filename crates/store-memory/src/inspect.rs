//! Looking in and preparing, past all guards: for tests and for the simulation's judge.

use app::ports::{BookedEvent, OutboxItem, StateWrite};
use domain::metering::{Meter, MeteringRecord};
use domain::subscription::Subscription;

use crate::MemoryStore;
use crate::rows::{StateRow, record_place};

impl MemoryStore {
    /// Holds a state from the start.
    pub fn put_state(&self, state: Subscription) {
        let now = state.updated_at;
        let write = StateWrite { after: state, expected: None, now };
        self.rows().states.insert(write.after.id.clone(), StateRow::of(&write));
    }

    /// Holds a meter from the start.
    pub fn put_meter(&self, meter: &Meter) {
        self.rows().put_meter(meter);
    }

    /// Holds a metering record from the start.
    pub fn put_record(&self, record: MeteringRecord) {
        self.rows().records.insert(record_place(&record.name()), record);
    }

    /// Holds an unpublished notice from the start.
    pub fn put_outbox(&self, item: OutboxItem) {
        self.rows().outbox.insert((item.key.subscription, item.key.name), item.notice);
    }

    /// All states, by id.
    pub fn states(&self) -> Vec<Subscription> {
        self.rows().states.values().map(|row| row.state.clone()).collect()
    }

    /// All meters, by subscription, month and dimension.
    pub fn all_meters(&self) -> Vec<Meter> {
        self.rows().meters.values().flat_map(|meters| meters.values()).cloned().collect()
    }

    /// All records, by subscription and month.
    pub fn all_records(&self) -> Vec<MeteringRecord> {
        self.rows().records.values().cloned().collect()
    }

    /// All events, by subscription, month and key.
    pub fn booked(&self) -> Vec<BookedEvent> {
        self.rows().events.values().cloned().collect()
    }

    /// The marks of processed notices, `channel/id`, sorted.
    pub fn seen(&self) -> Vec<String> {
        self.rows().seen.iter().map(|(channel, id)| format!("{channel}/{id}")).collect()
    }
}
