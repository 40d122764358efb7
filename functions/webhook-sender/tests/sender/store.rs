//! A store in memory that can die.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use app::Error;
use app::ports::{Cursor, Deliveries, Page, Saved};
use domain::delivery::{Delivery, EndpointHealth, EndpointName};
use jiff::Timestamp;

type Key = (EndpointName, Timestamp, String);

/// Keeps the port's promises.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store(pub(crate) Arc<Mutex<Held>>);

#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) deliveries: BTreeMap<Key, Delivery>,
    pub(crate) health: BTreeMap<EndpointName, EndpointHealth>,
    /// How many writes still succeed; the next one dies.
    pub(crate) writes: Option<usize>,
}

impl Held {
    fn write(&mut self) -> Result<(), Error> {
        match &mut self.writes {
            Some(0) => Err(Error::Unavailable { dependency: "the store", source: "dead".into() }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn key(delivery: &Delivery) -> Key {
    (delivery.endpoint.clone(), delivery.at, delivery.id.clone())
}

impl Deliveries for Store {
    async fn add_delivery(&self, delivery: &Delivery) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.deliveries.contains_key(&key(delivery)) {
            return Ok(Saved::Overtaken);
        }
        held.deliveries.insert(key(delivery), delivery.clone());
        Ok(Saved::Done)
    }

    async fn save_delivery(&self, delivery: &Delivery, expected: u64) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.deliveries.get(&key(delivery)).is_none_or(|kept| kept.revision != expected) {
            return Ok(Saved::Overtaken);
        }
        held.deliveries.insert(key(delivery), delivery.clone());
        Ok(Saved::Done)
    }

    async fn due_deliveries(
        &self,
        now: Timestamp,
        _after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let held = self.0.lock().unwrap();
        let due = |it: &&Delivery| it.due().is_some_and(|due| due <= now);
        let items = held.deliveries.values().filter(due).take(limit.into()).cloned().collect();
        Ok(Page { items, next: None })
    }

    async fn deliveries(
        &self,
        endpoint: &EndpointName,
        from: Timestamp,
        _after: Option<&Cursor>,
        _limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let held = self.0.lock().unwrap();
        let wanted = |it: &&Delivery| it.endpoint == *endpoint && it.at >= from;
        Ok(Page { items: held.deliveries.values().filter(wanted).cloned().collect(), next: None })
    }

    async fn endpoint(&self, name: &EndpointName) -> Result<EndpointHealth, Error> {
        let held = self.0.lock().unwrap();
        let unknown = || EndpointHealth::unknown(name.clone());
        Ok(held.health.get(name).cloned().unwrap_or_else(unknown))
    }

    async fn save_endpoint(&self, health: &EndpointHealth, expected: u64) -> Result<Saved, Error> {
        let mut held = self.0.lock().unwrap();
        held.write()?;
        if held.health.get(&health.endpoint).map_or(0, |kept| kept.revision) != expected {
            return Ok(Saved::Overtaken);
        }
        held.health.insert(health.endpoint.clone(), health.clone());
        Ok(Saved::Done)
    }
}
