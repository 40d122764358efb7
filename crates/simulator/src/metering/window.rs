//! When usage can still be metered (F§3.4).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::later;
use crate::switches::Switches;

/// Whether usage of `used` can be metered at `now`: younger than the window, and from this month
/// or while the previous month is still open.
pub(super) fn accepts(used: Timestamp, now: Timestamp, switches: &Switches) -> bool {
    let age = now.duration_since(used);
    if age >= switches.metering_window {
        return false;
    }
    if age < SignedDuration::ZERO - switches.future_tolerance {
        return false;
    }
    let month = start_of_month(now);
    used >= month || now < later(month, switches.month_end_grace)
}

fn start_of_month(at: Timestamp) -> Timestamp {
    let day = at.to_zoned_datetime(TimeZone::UTC).first_of_month().and_then(|it| it.start_of_day());
    day.map_or(at, |start| start.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(used: &str, now: &str, expected: bool) {
        let (used, now) = (used.parse().unwrap(), now.parse().unwrap());
        assert_eq!(accepts(used, now, &Switches::default()), expected, "{used} at {now}");
    }

    #[test]
    fn usage_just_under_a_day_old_is_taken_and_a_day_old_is_not() {
        check("2026-11-10T12:00:01Z", "2026-11-11T12:00:00Z", true);
        check("2026-11-10T12:00:00.001Z", "2026-11-11T12:00:00Z", true);
        check("2026-11-10T12:00:00Z", "2026-11-11T12:00:00Z", false);
    }

    #[test]
    fn last_months_usage_is_taken_until_six_in_the_morning_of_the_first() {
        check("2026-11-30T23:00:00Z", "2026-12-01T05:59:59Z", true);
        check("2026-11-30T23:00:00Z", "2026-12-01T06:00:00Z", false);
        check("2026-12-01T00:00:00Z", "2026-12-01T06:00:00Z", true);
    }

    #[test]
    fn the_turn_of_the_year_is_a_turn_of_the_month() {
        check("2026-12-31T20:00:00Z", "2027-01-01T05:00:00Z", true);
        check("2026-12-31T20:00:00Z", "2027-01-01T07:00:00Z", false);
    }

    #[test]
    fn the_future_is_refused_unless_tolerated() {
        check("2026-11-10T12:00:01Z", "2026-11-10T12:00:00Z", false);
        let switches =
            Switches { future_tolerance: SignedDuration::from_secs(5), ..Switches::default() };
        let now: Timestamp = "2026-11-10T12:00:00Z".parse().unwrap();
        assert!(accepts(later(now, SignedDuration::from_secs(5)), now, &switches));
        assert!(!accepts(later(now, SignedDuration::from_secs(6)), now, &switches));
    }
}
