//! The schedules of the deployed stack: when each function is invoked besides its queues.

use domain::time::{Hour, after};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::bus::{Queue, scheduled_event};

/// One schedule: so long after every multiple of its period, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) name: &'static str,
    pub(super) queue: Queue,
    minutes: i64,
    every: i64,
}

/// The metering run. Ten minutes past the hour is AWS's own example: reports of the hour before are there (fact sheet
/// §3.8).
pub(super) const METERING: Schedule =
    Schedule { name: "metering", queue: Queue::Schedule, minutes: 10, every: 60 };

/// All of them.
pub(super) const ALL: [Schedule; 5] = [
    METERING,
    reconciler("notices", 20, 30),
    reconciler("risk", 35, 60),
    reconciler("reservations", 5, 30),
    reconciler("conservation", 40, 360),
];

const fn reconciler(name: &'static str, minutes: i64, every: i64) -> Schedule {
    Schedule { name, queue: Queue::Reconcile, minutes, every }
}

impl Schedule {
    /// The bus's note that says when it runs next.
    pub(super) fn note(self) -> String {
        format!("schedule.next.{}", self.name)
    }

    /// The first run after an instant.
    pub(super) fn after(self, now: Timestamp) -> Timestamp {
        let every = self.every.saturating_mul(60);
        let offset = self.minutes.saturating_mul(60).rem_euclid(every);
        let passed = now.as_second().saturating_sub(offset).div_euclid(every);
        let last = passed.saturating_mul(every).saturating_add(offset);
        let last = Timestamp::from_second(last).unwrap_or(Timestamp::MAX);
        after(last, SignedDuration::from_secs(every))
    }

    /// What it invokes its function with.
    pub(super) fn event(self, now: Timestamp) -> Value {
        match self.queue {
            Queue::Reconcile => json!({ "task": self.name }),
            Queue::Notices
            | Queue::Schedule
            | Queue::Settlements
            | Queue::Outbox
            | Queue::Platform
            | Queue::Webhooks => scheduled_event("metering-schedule", Hour::of(now), now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runs_at_its_minutes() {
        let next = |name: &str, at: &str| {
            let schedule = ALL.into_iter().find(|schedule| schedule.name == name).unwrap();
            schedule.after(at.parse().unwrap()).to_string()
        };
        assert_eq!(next("metering", "2026-11-30T23:09:59Z"), "2026-11-30T23:10:00Z");
        assert_eq!(next("metering", "2026-11-30T23:10:00Z"), "2026-12-01T00:10:00Z");
        assert_eq!(next("notices", "2026-11-30T23:20:00Z"), "2026-11-30T23:50:00Z");
        assert_eq!(next("notices", "2026-11-30T23:50:01Z"), "2026-12-01T00:20:00Z");
        assert_eq!(next("conservation", "2026-11-30T18:40:00Z"), "2026-12-01T00:40:00Z");
        assert_eq!(next("reservations", "2026-11-30T18:50:00Z"), "2026-11-30T19:05:00Z");
    }
}
