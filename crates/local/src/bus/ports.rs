//! The bus in the place of SQS and SNS.

use app::Error;
use app::ports::{SettlementQueue, SettlementRequest, TenantTopic};
use domain::subscription::TenantNotice;
use jiff::SignedDuration;
use simulator::Clock;

use super::queue::{Bus, BusError, Queue, later};

/// Carries settlement requests, delayed on the system's clock.
#[derive(Debug, Clone)]
pub struct LocalQueue {
    bus: Bus,
    clock: Clock,
}

impl LocalQueue {
    /// The settlement queue of `bus`.
    pub fn new(bus: Bus, clock: Clock) -> Self {
        Self { bus, clock }
    }
}

impl SettlementQueue for LocalQueue {
    async fn send(&self, request: &SettlementRequest, delay_seconds: u16) -> Result<(), Error> {
        let body = serde_json::to_string(request).map_err(|error| failed(error.into()))?;
        let now = self.clock.now();
        let visible = later(now, SignedDuration::from_secs(delay_seconds.into()));
        self.bus.send(Queue::Settlements, None, &body, now, visible).map_err(failed)?;
        Ok(())
    }
}

/// Keeps what was published, and hands it to the queues that have subscribed.
#[derive(Debug, Clone)]
pub struct LocalTopic {
    bus: Bus,
    clock: Clock,
    subscribers: Vec<Queue>,
}

impl LocalTopic {
    /// The tenant topic of `bus`.
    pub fn new(bus: Bus, clock: Clock, subscribers: Vec<Queue>) -> Self {
        Self { bus, clock, subscribers }
    }
}

impl TenantTopic for LocalTopic {
    async fn publish(&self, notice: &TenantNotice) -> Result<(), Error> {
        let body = serde_json::to_string(notice).map_err(|error| failed(error.into()))?;
        self.bus.publish(&body, &self.subscribers, self.clock.now()).map_err(failed)
    }
}

fn failed(error: BusError) -> Error {
    Error::Unavailable { dependency: "the local bus", source: Box::new(error) }
}

impl Bus {
    /// Every tenant notice that was published, oldest first; a repeated delivery is listed again.
    ///
    /// # Errors
    /// When the storage fails or holds what this version does not write.
    pub fn tenant_notices(&self) -> Result<Vec<TenantNotice>, BusError> {
        self.published()?.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
    }
}
