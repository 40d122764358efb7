//! One report of usage, and where it is booked.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Tags;
use crate::ids::{Dimension, IdempotencyKey};
use crate::quantity::Quantity;
use crate::time::{Hour, MeteringWindow, Month, before};

/// One idempotent report of usage. Two reports are the same when all their fields are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageEvent {
    /// The caller's key; the same key with other content is a conflict. Unique within the month of `at`.
    pub key: IdempotencyKey,
    /// What was used.
    pub dimension: Dimension,
    /// How much: an addition for a sum, a level for a peak.
    pub quantity: Quantity,
    /// When it was used.
    pub at: Timestamp,
    /// For the buyer's cost allocation.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Why a report of usage is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsageRefusal {
    /// The hour has not begun.
    #[error("the usage is dated in the future")]
    FutureHour,
    /// Older than late usage may be.
    #[error("the usage is older than {days} days")]
    TooLate {
        /// How old usage may be.
        days: u16,
    },
}

/// The month whose meter takes a report: its own, or, once that is cut, the month now open.
///
/// # Errors
/// Refuses what is dated in a future hour or longer ago than `late_days`.
pub fn usage_month(
    at: Timestamp,
    now: Timestamp,
    window: &MeteringWindow,
    late_days: u16,
) -> Result<Month, UsageRefusal> {
    if Hour::of(at) > Hour::of(now) {
        return Err(UsageRefusal::FutureHour);
    }
    if at < before(now, SignedDuration::from_hours(i64::from(late_days).saturating_mul(24))) {
        return Err(UsageRefusal::TooLate { days: late_days });
    }
    let own = Month::of(at);
    if now < window.late_usage_cut(own) { Ok(own) } else { Ok(Month::of(now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(at: &str, now: &str) -> Result<String, UsageRefusal> {
        let (at, now) = (at.parse().unwrap(), now.parse().unwrap());
        usage_month(at, now, &MeteringWindow::default(), 7).map(|month| month.to_string())
    }

    #[test]
    fn late_usage_finds_its_own_month_until_three_on_the_first() {
        assert_eq!(month("2026-11-30T23:59:59Z", "2026-12-01T02:59:59Z").unwrap(), "2026-11");
        assert_eq!(month("2026-11-30T23:59:59Z", "2026-12-01T03:00:00Z").unwrap(), "2026-12");
    }

    #[test]
    fn the_hour_in_progress_may_be_reported_and_the_next_may_not() {
        assert!(month("2026-11-10T07:59:59Z", "2026-11-10T07:00:00Z").is_ok());
        assert_eq!(
            month("2026-11-10T08:00:00Z", "2026-11-10T07:59:59Z"),
            Err(UsageRefusal::FutureHour)
        );
    }

    #[test]
    fn usage_older_than_a_week_is_refused() {
        assert!(month("2026-11-03T07:00:00Z", "2026-11-10T07:00:00Z").is_ok());
        let refused = month("2026-11-03T06:59:59Z", "2026-11-10T07:00:00Z").unwrap_err();
        assert_eq!(refused.to_string(), "the usage is older than 7 days");
    }
}
