//! What moves the system: deliveries, the hourly schedule, and time.

use std::future::Future;

use app::ports::Outbox;
use jiff::{SignedDuration, Timestamp};

use super::Handle;
use super::schedules::{ALL, METERING, Schedule};
use crate::bus::{BusError, Queue, later, sqs_event, stream_event};

/// Longest step of an advancing clock. The simulator learns of ends and silent approvals by being asked.
const LONGEST_STEP: SignedDuration = SignedDuration::from_mins(5);

/// The note that says whether the metering schedule is stopped.
const PAUSED: &str = "schedule.paused";

/// Why the system could not be driven. A failing function is no such thing: its messages come again.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The outbox could not be read.
    #[error("the outbox could not be read")]
    Outbox(#[source] app::Error),
}

impl Handle {
    /// Delivers until nothing can be delivered at this time: notifications to the listener, settlement requests to the
    /// scheduler, outbox items to the notifier, tenant notices to the platform.
    ///
    /// # Errors
    /// When the bus or the outbox cannot be read.
    pub async fn deliver(&self) -> Result<(), DriveError> {
        let _driving = self.inner.driving.lock().await;
        self.deliver_all().await
    }

    /// Runs the hourly schedule now, besides its own times, and delivers what comes of it.
    ///
    /// # Errors
    /// As [`Handle::deliver`].
    pub async fn run_schedule(&self) -> Result<(), DriveError> {
        let _driving = self.inner.driving.lock().await;
        self.send_schedule(METERING, self.now())?;
        self.deliver_all().await
    }

    /// Stops the hourly schedule, as an outage of the scheduler would, or lets it go on.
    ///
    /// # Errors
    /// When the bus cannot be written.
    pub fn pause_schedule(&self, paused: bool) -> Result<(), DriveError> {
        self.inner.bus.set_note(PAUSED, if paused { "yes" } else { "no" })?;
        self.inner.bus.set_note(&METERING.note(), &METERING.after(self.now()).to_string())?;
        Ok(())
    }

    /// Whether the hourly schedule is stopped.
    pub(crate) fn schedule_is_paused(&self) -> bool {
        self.inner.bus.note(PAUSED).is_ok_and(|note| note.as_deref() == Some("yes"))
    }

    /// Invokes the reconciler once, besides its schedules, and answers its report: `notices`, `conservation`, `risk` or
    /// `reservations`.
    ///
    /// # Errors
    /// What the function failed with, as the log would say it.
    pub async fn run_task(&self, task: &str) -> Result<serde_json::Value, String> {
        self.inner.functions.reconciler(serde_json::json!({ "task": task })).await
    }

    /// Invokes the metering scheduler once, besides queue and schedule, and answers its report. Two at once are two
    /// schedulers.
    ///
    /// # Errors
    /// What the function failed with, as the log would say it.
    pub async fn run_scheduler(&self) -> Result<serde_json::Value, String> {
        let now = self.now();
        self.inner.functions.metering_report(METERING.event(now)).await
    }

    /// Invokes the metering scheduler and drops it after so many polls: killed between any two steps.
    pub async fn run_scheduler_and_die_after(&self, polls: usize) {
        let mut run = std::pin::pin!(self.run_scheduler());
        let mut left = polls;
        std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(());
            }
            left -= 1;
            run.as_mut().poll(context).map(|_| ())
        })
        .await;
    }

    /// Puts a text on the listener's queue as AWS would put a notification there.
    ///
    /// # Errors
    /// When the bus cannot be written.
    pub fn inject_notice(&self, body: &str) -> Result<(), DriveError> {
        let now = self.now();
        self.inner.bus.send(Queue::Notices, None, body, now, now)?;
        Ok(())
    }

    /// Delivers what can be delivered, and runs the schedule if its time has come: what a background task does now and
    /// then. A run that was missed is not made up for; the next one does its work.
    ///
    /// # Errors
    /// As [`Handle::deliver`].
    pub async fn tick(&self) -> Result<(), DriveError> {
        let _driving = self.inner.driving.lock().await;
        self.deliver_all().await?;
        self.run_due_schedules().await
    }

    /// Moves the clock on, in steps, so that every schedule, notification and redelivery in between happens at its own
    /// time and in order.
    ///
    /// # Errors
    /// As [`Handle::deliver`]; the clock stays where it was when it failed.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), DriveError> {
        let _driving = self.inner.driving.lock().await;
        let target = later(self.now(), by);
        self.deliver_all().await?;
        loop {
            self.run_due_schedules().await?;
            let now = self.now();
            if now >= target {
                return Ok(());
            }
            let next = self.next_event(now)?.min(target);
            self.inner.simulator.clock().advance(next.duration_since(now));
            if self.is_anything_due()? {
                self.deliver_all().await?;
            }
        }
    }

    /// Advances to an instant; one that has passed changes nothing.
    ///
    /// # Errors
    /// As [`Handle::advance`].
    pub async fn advance_to(&self, instant: Timestamp) -> Result<(), DriveError> {
        self.advance(instant.duration_since(self.now()).max(SignedDuration::ZERO)).await
    }

    /// When something happens next by itself, at most a step away.
    fn next_event(&self, now: Timestamp) -> Result<Timestamp, DriveError> {
        let step = later(now, LONGEST_STEP);
        let known = [
            self.next_run(now)?,
            self.inner.simulator.next_notification_at(),
            self.inner.bus.next_visible()?,
        ];
        Ok(known.into_iter().flatten().filter(|at| *at > now).fold(step, Timestamp::min))
    }

    fn is_anything_due(&self) -> Result<bool, DriveError> {
        let now = self.now();
        let notification = self.inner.simulator.next_notification_at();
        let message = self.inner.bus.next_visible()?;
        Ok([notification, message].into_iter().flatten().any(|at| at <= now))
    }

    async fn run_due_schedules(&self) -> Result<(), DriveError> {
        let now = self.now();
        let mut sent = false;
        for schedule in self.schedules() {
            if self.next_of(schedule, now)? > now {
                continue;
            }
            self.inner.bus.set_note(&schedule.note(), &schedule.after(now).to_string())?;
            if schedule == METERING && self.inner.bus.note(PAUSED)?.as_deref() == Some("yes") {
                continue;
            }
            self.send_schedule(schedule, now)?;
            sent = true;
        }
        if sent { self.deliver_all().await } else { Ok(()) }
    }

    fn schedules(&self) -> impl Iterator<Item = Schedule> {
        let all = self.inner.reconciles;
        ALL.into_iter().filter(move |schedule| all || *schedule == METERING)
    }

    /// When the next of the schedules runs.
    fn next_run(&self, now: Timestamp) -> Result<Option<Timestamp>, DriveError> {
        let mut next = None;
        for schedule in self.schedules() {
            let at = self.next_of(schedule, now)?;
            next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
        }
        Ok(next)
    }

    /// When a schedule runs next; the first run is the first after the system was made.
    fn next_of(&self, schedule: Schedule, now: Timestamp) -> Result<Timestamp, DriveError> {
        let noted = self.inner.bus.note(&schedule.note())?.and_then(|at| at.parse().ok());
        if let Some(at) = noted {
            return Ok(at);
        }
        let first = schedule.after(now);
        self.inner.bus.set_note(&schedule.note(), &first.to_string())?;
        Ok(first)
    }

    fn send_schedule(&self, schedule: Schedule, now: Timestamp) -> Result<(), DriveError> {
        let event = schedule.event(now).to_string();
        self.inner.bus.send(schedule.queue, None, &event, now, now)?;
        Ok(())
    }

    async fn deliver_all(&self) -> Result<(), DriveError> {
        loop {
            self.collect_notifications().await?;
            self.collect_outbox().await?;
            let mut delivered = 0;
            for queue in Queue::ALL {
                delivered += Box::pin(self.deliver_batch(queue)).await?;
            }
            if delivered == 0 {
                return Ok(());
            }
        }
    }

    /// Takes over what EventBridge and SNS would put on the queue: first kept here, then acknowledged there.
    async fn collect_notifications(&self) -> Result<(), DriveError> {
        let now = self.now();
        for notification in self.inner.simulator.due_notifications() {
            let source = format!("notification/{}", notification.id);
            let body = notification.body.to_string();
            self.inner.simulator.deliver_over_https(&notification).await;
            self.inner.bus.send(Queue::Notices, Some(&source), &body, now, now)?;
            self.inner.simulator.acknowledge(notification.id);
        }
        Ok(())
    }

    /// Takes over what the table's stream would tell of new outbox items.
    async fn collect_outbox(&self) -> Result<(), DriveError> {
        let (now, mut after) = (self.now(), None);
        loop {
            let page = self.inner.store.unpublished(after.as_ref(), 100).await;
            let page = page.map_err(DriveError::Outbox)?;
            for item in &page.items {
                let source = format!("outbox/{}/{}", item.key.subscription, item.key.name);
                let change = crate::functions::stream_change(item).map_err(DriveError::Outbox)?;
                let change = change.to_string();
                self.inner.bus.send(Queue::Outbox, Some(&source), &change, now, now)?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn deliver_batch(&self, queue: Queue) -> Result<usize, DriveError> {
        let functions = &self.inner.functions;
        let bus = &self.inner.bus;
        let now = self.now();
        let delivered = match queue {
            Queue::Notices => {
                bus.deliver(queue, now, |letters| {
                    functions.entitlement_listener(sqs_event(queue, &letters))
                })
                .await
            }
            Queue::Settlements => {
                bus.deliver(queue, now, |letters| {
                    functions.metering_scheduler(sqs_event(queue, &letters))
                })
                .await
            }
            Queue::Schedule => {
                bus.deliver(queue, now, |letters| async move {
                    for letter in letters {
                        let event = serde_json::from_str(&letter.body).unwrap_or_default();
                        Box::pin(functions.metering_scheduler(event)).await?;
                    }
                    Ok(Vec::new())
                })
                .await
            }
            Queue::Reconcile => {
                bus.deliver(queue, now, |letters| async move {
                    for letter in letters {
                        let event = serde_json::from_str(&letter.body).unwrap_or_default();
                        Box::pin(functions.reconciler(event)).await?;
                    }
                    Ok(Vec::new())
                })
                .await
            }
            Queue::Outbox => {
                bus.deliver(queue, now, |letters| {
                    functions
                        .tenant_notifier(stream_event(functions.subscription_table(), &letters))
                })
                .await
            }
            Queue::Platform => {
                bus.deliver(queue, now, |letters| crate::platform::serve(self, letters)).await
            }
            Queue::Webhooks => {
                bus.deliver(queue, now, |letters| {
                    functions.webhook_sender(sqs_event(queue, &letters))
                })
                .await
            }
        };
        Ok(delivered?)
    }
}
