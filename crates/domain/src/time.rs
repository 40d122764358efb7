//! UTC hours and billing months, and the two rules AWS has about them: the metering window and the month-end cut
//! (fact sheet §3.4).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

const HOUR_SECONDS: i64 = 3600;

/// An hour or month that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// Not an hour.
    #[error("an hour is written like 2026-11-24T07Z")]
    Hour,
    /// Not a month.
    #[error("a month is written like 2026-11")]
    Month,
}

/// A whole UTC hour; the unit that AWS deduplicates metering records by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour(i64);

impl Hour {
    /// The hour that holds an instant.
    pub fn of(instant: Timestamp) -> Self {
        Self(instant.as_second().div_euclid(HOUR_SECONDS))
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0.saturating_mul(HOUR_SECONDS)).unwrap_or(Timestamp::MAX)
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The hour after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The hour before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The billing month it belongs to.
    pub fn month(self) -> Month {
        Month::of(self.start())
    }

    /// Whether it is over.
    pub fn is_complete(self, now: Timestamp) -> bool {
        self.end() <= now
    }

    /// Whole hours from `earlier` to this one, zero when it is not earlier.
    pub fn hours_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%dT%HZ"))
    }
}

impl FromStr for Hour {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let stem = text.strip_suffix('Z').ok_or(InvalidTime::Hour)?;
        let instant: Timestamp = format!("{stem}:00:00Z").parse().map_err(|_| InvalidTime::Hour)?;
        Ok(Self::of(instant))
    }
}

impl TryFrom<String> for Hour {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

/// A billing month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(Date);

impl Month {
    /// The month that holds an instant.
    pub fn of(instant: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(instant).date().first_of_month())
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        TimeZone::UTC
            .to_timestamp(self.0.to_datetime(jiff::civil::Time::midnight()))
            .unwrap_or(Timestamp::MAX)
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.next().start()
    }

    /// Its first hour.
    pub fn first_hour(self) -> Hour {
        Hour::of(self.start())
    }

    /// Its last hour.
    pub fn last_hour(self) -> Hour {
        self.next().first_hour().previous()
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()).first_of_month())
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.month()).first_of_month())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

impl FromStr for Month {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        if text.len() != 7 {
            return Err(InvalidTime::Month);
        }
        format!("{text}-01").parse().map(Self).map_err(|_| InvalidTime::Month)
    }
}

impl TryFrom<String> for Month {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// How long AWS takes a record for an hour.
///
/// A record stamped `ts` is taken while `now − ts` is less than the reach, and, once its month is over, only before
/// the grace after the first of the next month has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeteringWindow {
    /// AWS: 24 hours; exactly that is too late.
    pub reach: SignedDuration,
    /// AWS: 6 hours into the next month.
    pub month_end_grace: SignedDuration,
    /// Ours: the last hour of a month waits this long into the next one, so that late usage still finds it.
    pub month_end_hold: SignedDuration,
}

impl Default for MeteringWindow {
    fn default() -> Self {
        Self {
            reach: SignedDuration::from_hours(24),
            month_end_grace: SignedDuration::from_hours(6),
            month_end_hold: SignedDuration::from_hours(3),
        }
    }
}

impl MeteringWindow {
    /// Whether AWS still takes a record for this hour.
    pub fn accepts(&self, hour: Hour, now: Timestamp) -> bool {
        now < self.closes(hour)
    }

    /// The first instant at which AWS refuses a record for this hour.
    pub fn closes(&self, hour: Hour) -> Timestamp {
        let by_reach = after(hour.start(), self.reach);
        by_reach.min(after(hour.month().end(), self.month_end_grace))
    }

    /// The instant from which late usage of a month goes to the month then open.
    pub fn late_usage_cut(&self, month: Month) -> Timestamp {
        after(month.end(), self.month_end_hold)
    }
}

/// `instant + span`, held at the end of time.
pub fn after(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// `instant − span`, held at the start of time.
pub fn before(instant: Timestamp, span: SignedDuration) -> Timestamp {
    instant.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_and_months_read_what_they_write() {
        let hour = Hour::of(at("2028-02-29T23:59:59.999Z"));
        assert_eq!(hour.to_string(), "2028-02-29T23Z");
        assert_eq!(hour.to_string().parse(), Ok(hour));
        assert_eq!(hour.month().last_hour(), hour);
        assert_eq!(hour.next().month().to_string(), "2028-03");
        assert_eq!("2026-12".parse::<Month>().unwrap().next().to_string(), "2027-01");
        assert!("2026-13".parse::<Month>().is_err());
        assert!("2026-1".parse::<Month>().is_err());
    }

    #[test]
    fn exactly_a_day_is_too_late() {
        let window = MeteringWindow::default();
        let hour: Hour = "2026-11-10T07Z".parse().unwrap();
        assert!(window.accepts(hour, at("2026-11-11T06:59:59Z")));
        assert!(!window.accepts(hour, at("2026-11-11T07:00:00Z")));
    }

    #[test]
    fn the_old_month_closes_at_six_on_the_first() {
        let window = MeteringWindow::default();
        let last: Hour = "2026-11-30T23Z".parse().unwrap();
        assert!(window.accepts(last, at("2026-12-01T05:59:59Z")));
        assert!(!window.accepts(last, at("2026-12-01T06:00:00Z")));
        assert_eq!(window.late_usage_cut(last.month()), at("2026-12-01T03:00:00Z"));
    }
}
