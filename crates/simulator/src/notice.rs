//! The queue of notifications on their way to the seller.
//!
//! A notification is queued when its cause happens, with the time at which it is due. Faults
//! strike here: they drop, double or hold back. The consumer takes what is due and acknowledges
//! it; what is not acknowledged stays, also over a restart.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::later;
use crate::state::State;
use crate::switches::OnOff;

/// Where a notification goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The default event bus of the seller account in us-east-1 (F§6).
    EventBridge,
    /// `aws-mp-subscription-notification-<product code>` (F§7.1).
    SubscriptionTopic,
    /// `aws-mp-entitlement-notification-<product code>` (F§7.1).
    EntitlementTopic,
}

/// A notification that AWS would deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Identifies this delivery for [`acknowledge`](crate::Simulator::acknowledge); a duplicate
    /// has its own.
    pub id: u64,
    /// When it is to be delivered.
    pub due: Timestamp,
    /// Where it goes.
    pub channel: Channel,
    /// The event, or the SNS notification whose `Message` is a string of JSON.
    pub body: Value,
}

/// A notification with what is needed to withdraw it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub(crate) notification: Notification,
    /// When AWS sends it; the fault-free due time.
    pub(crate) sent: Timestamp,
    /// The detail type, or the SNS action.
    pub(crate) kind: String,
    /// The agreement or the legacy customer that it is about.
    pub(crate) subject: String,
}

impl State {
    /// Queues a notification sent at `sent`, subject to the delivery faults.
    pub(crate) fn notify(
        &mut self,
        channel: Channel,
        kind: &str,
        subject: &str,
        sent: Timestamp,
        body: &Value,
    ) {
        let (switches, faults, random) = (&self.switches, &mut self.faults, &mut self.random);
        if faults.drop.strikes(kind, switches.event_drop_rate, random) {
            tracing::info!(notification.kind = kind, "dropped a notification on purpose");
            return;
        }
        let copies = if faults.duplicate.strikes(kind, switches.event_duplicate_rate, random) {
            2
        } else {
            1
        };
        let mut due = later(sent, switches.event_delay);
        if faults.delay.strikes(kind, crate::Rate::ZERO, random) {
            due = later(due, faults.delay_by);
        }
        let always = match switches.event_reorder {
            OnOff::On => crate::Rate::ALL,
            OnOff::Off => crate::Rate::ZERO,
        };
        if faults.reorder.strikes(kind, always, random) {
            due = later(due, SignedDuration::from_secs(random.random_range(1..=120)));
        }
        for _ in 0..copies {
            let id = self.ids.number("notification");
            let notification = Notification { id, due, channel, body: body.clone() };
            let queued =
                Queued { notification, sent, kind: kind.to_owned(), subject: subject.to_owned() };
            self.notices.insert(notice_row(id), queued);
        }
    }

    /// Takes back the notifications about `subject` that AWS would send only after `now`.
    /// Answers how many there were.
    pub(crate) fn withdraw(&mut self, subject: &str, kind: &str, now: Timestamp) -> usize {
        self.notices
            .remove_where(|it| it.sent > now && it.subject == subject && it.kind.starts_with(kind))
    }

    /// What is due and not acknowledged, in order of delivery.
    pub(crate) fn due_notifications(&self, now: Timestamp) -> Vec<Notification> {
        let due = self.notices.values().map(|it| &it.notification).filter(|it| it.due <= now);
        let mut due: Vec<Notification> = due.cloned().collect();
        due.sort_by_key(|it| (it.due, it.id));
        due
    }

    /// Everything not acknowledged, in order of delivery.
    pub(crate) fn all_notifications(&self) -> Vec<Notification> {
        self.due_notifications(Timestamp::MAX)
    }

    pub(crate) fn acknowledge(&mut self, id: u64) -> bool {
        self.notices.remove(&notice_row(id)).is_some()
    }
}

fn notice_row(id: u64) -> String {
    id.to_string()
}
