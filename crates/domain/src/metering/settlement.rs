//! Which hour a record may be sent under, and what to do when none is left.
//!
//! AWS takes one quantity per license, dimension and UTC hour, for hours that are not older than its window, not
//! before the activation and, after an end, only for one more hour (fact sheet §3.3 to §3.5). An hour that carried a
//! record is spent. The rules here spend hours so that one is left for usage that comes late.

use jiff::{SignedDuration, Timestamp};

use super::{Meter, ParkReason};
use crate::time::{Hour, MeteringWindow, before};

/// The largest quantity AWS takes in one record (`Quantity` is a 32-bit integer, fact sheet §3.1).
pub const LARGEST_RECORD: u64 = 2_147_483_647;

/// In the final hour, the last usable hour key is kept for usage still to come until this long before the end.
const LAST_KEY_HELD_UNTIL: SignedDuration = SignedDuration::from_mins(30);

/// Whether AWS takes records of a license, as far as its notices tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeteringPhase {
    /// Not activated yet: usage is kept.
    NotYet,
    /// Activated.
    Open {
        /// When.
        since: Timestamp,
    },
    /// In its final hour: everything is flushed, the hour in progress included.
    Closing {
        /// When it was activated.
        since: Timestamp,
        /// When AWS stops taking records.
        until: Timestamp,
    },
    /// Over.
    Over,
}

/// What to do with what waits on a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freeze {
    /// Nothing waits, or a record is already under way.
    Nothing,
    /// Not now: no hour is free yet, or the license is not active yet.
    Later,
    /// A record was fixed on the meter.
    Frozen,
    /// No hour will ever be free again.
    Lost(ParkReason),
}

/// Fixes a record for what waits on a meter, when an hour is free for it.
pub fn freeze(
    meter: &mut Meter,
    phase: MeteringPhase,
    window: &MeteringWindow,
    now: Timestamp,
) -> Freeze {
    if meter.pending.is_some() || meter.to_meter() == 0 {
        return Freeze::Nothing;
    }
    let hour = match phase {
        MeteringPhase::NotYet if window.accepts(meter.key.month.last_hour(), now) => {
            return Freeze::Later;
        }
        MeteringPhase::NotYet => return Freeze::Lost(ParkReason::Expired),
        MeteringPhase::Over => return Freeze::Lost(ParkReason::Closed),
        MeteringPhase::Open { since } => free_hour_while_open(meter, since, window, now),
        MeteringPhase::Closing { since, until } => {
            free_hour_while_closing(meter, since, until, window, now)
        }
    };
    match hour {
        Some(hour) => {
            meter.freeze(hour, LARGEST_RECORD, now, oldest_in_reach(window, now));
            Freeze::Frozen
        }
        None if may_get_an_hour(meter, phase, window, now) => Freeze::Later,
        None => Freeze::Lost(ParkReason::Expired),
    }
}

/// Fixes a zero record for the last complete hour of an idle meter, when that hour is free: the heartbeat that AWS
/// recommends (fact sheet §3.8). Answers whether it did.
#[must_use]
pub fn freeze_heartbeat(
    meter: &mut Meter,
    phase: MeteringPhase,
    window: &MeteringWindow,
    now: Timestamp,
) -> bool {
    let MeteringPhase::Open { since } = phase else { return false };
    if !meter.is_settled() {
        return false;
    }
    let hour = Hour::of(now).previous();
    // The last hour of a month is kept for usage that comes late.
    if hour == meter.key.month.last_hour() || !usable(meter, hour, since, window, now) {
        return false;
    }
    meter.freeze(hour, 0, now, oldest_in_reach(window, now));
    true
}

/// What to do with a record under way that AWS has not accepted: `None` is to send it again.
pub fn pending_fate(
    meter: &Meter,
    phase: MeteringPhase,
    window: &MeteringWindow,
    now: Timestamp,
) -> Option<ParkReason> {
    let pending = meter.pending?;
    match phase {
        MeteringPhase::Over => Some(ParkReason::Closed),
        MeteringPhase::NotYet | MeteringPhase::Open { .. } | MeteringPhase::Closing { .. } => {
            (!window.accepts(pending.hour, now)).then_some(ParkReason::Expired)
        }
    }
}

fn free_hour_while_open(
    meter: &Meter,
    since: Timestamp,
    window: &MeteringWindow,
    now: Timestamp,
) -> Option<Hour> {
    let month = meter.key.month;
    let last_complete = Hour::of(now).previous();
    if last_complete < month.last_hour() {
        let fresh = meter.used_hours.last().is_none_or(|used| *used < last_complete);
        return (fresh && usable(meter, last_complete, since, window, now))
            .then_some(last_complete);
    }
    // The month is over: its last hour waits for late usage, then any hour that is left will do.
    if now < window.late_usage_cut(month) {
        return None;
    }
    usable_hours(meter, month.last_hour(), since, window, now).next()
}

fn free_hour_while_closing(
    meter: &Meter,
    since: Timestamp,
    until: Timestamp,
    window: &MeteringWindow,
    now: Timestamp,
) -> Option<Hour> {
    let current = Hour::of(now);
    let complete = usable_hours(
        meter,
        current.previous().min(meter.key.month.last_hour()),
        since,
        window,
        now,
    )
    .next();
    let in_progress = Some(current).filter(|hour| usable(meter, *hour, since, window, now));
    match (complete, in_progress) {
        (Some(complete), Some(_)) => Some(complete),
        (only, None) | (None, only) => {
            let another_comes = current.end() < until && current.next().month() == meter.key.month;
            let last_call = now >= before(until, LAST_KEY_HELD_UNTIL);
            // From then on late usage goes to the month that is open: nothing more comes for this one.
            let month_is_closed = now >= window.late_usage_cut(meter.key.month);
            only.filter(|_| another_comes || last_call || month_is_closed)
        }
    }
}

/// Usable hours from `newest` back, newest first.
fn usable_hours<'a>(
    meter: &'a Meter,
    newest: Hour,
    since: Timestamp,
    window: &'a MeteringWindow,
    now: Timestamp,
) -> impl Iterator<Item = Hour> + 'a {
    let oldest = oldest_in_reach(window, now);
    std::iter::successors(Some(newest), |hour| Some(hour.previous()))
        .take_while(move |hour| *hour >= oldest)
        .filter(move |hour| usable(meter, *hour, since, window, now))
}

fn usable(
    meter: &Meter,
    hour: Hour,
    since: Timestamp,
    window: &MeteringWindow,
    now: Timestamp,
) -> bool {
    hour.month() == meter.key.month
        && hour >= Hour::of(since)
        && hour <= Hour::of(now)
        && !meter.used_hours.contains(&hour)
        && window.accepts(hour, now)
}

fn oldest_in_reach(window: &MeteringWindow, now: Timestamp) -> Hour {
    Hour::of(before(now, window.reach))
}

/// Whether waiting can help: an hour of the meter's month is still to come, or is kept for usage that comes late.
fn may_get_an_hour(
    meter: &Meter,
    phase: MeteringPhase,
    window: &MeteringWindow,
    now: Timestamp,
) -> bool {
    let last = meter.key.month.last_hour();
    match phase {
        MeteringPhase::NotYet | MeteringPhase::Open { .. } | MeteringPhase::Closing { .. } => {
            now < window.late_usage_cut(meter.key.month) && window.accepts(last, now)
        }
        MeteringPhase::Over => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Aggregation, Allowance, Overage};
    use crate::ids::LicenseRef;
    use crate::metering::{MeterKey, Terms};
    use crate::quantity::Quantity;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn meter(month: &str, used: u64) -> Meter {
        let license = LicenseRef::License {
            arn: "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap(),
        };
        let key = MeterKey {
            subscription: license.subscription_id(),
            month: month.parse().unwrap(),
            dimension: "scans".parse().unwrap(),
        };
        let terms = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
        let mut meter = Meter::new(key, Aggregation::Sum, terms);
        meter.record(Quantity::whole(used), at("2026-11-01T00:00:00Z"));
        meter
    }

    fn hour_frozen(meter: &mut Meter, phase: MeteringPhase, now: &str) -> Result<String, Freeze> {
        match freeze(meter, phase, &MeteringWindow::default(), at(now)) {
            Freeze::Frozen => Ok(meter.pending.unwrap().hour.to_string()),
            other @ (Freeze::Nothing | Freeze::Later | Freeze::Lost(_)) => Err(other),
        }
    }

    fn open() -> MeteringPhase {
        MeteringPhase::Open { since: at("2026-11-01T00:20:00Z") }
    }

    fn closing(since: &str) -> MeteringPhase {
        let opened = at(since);
        MeteringPhase::Closing {
            since: at("2026-11-01T00:20:00Z"),
            until: opened.checked_add(SignedDuration::from_hours(1)).unwrap(),
        }
    }

    #[test]
    fn while_open_only_the_last_complete_hour_carries_a_record_and_only_one() {
        let mut meter = meter("2026-11", 5);
        assert_eq!(
            hour_frozen(&mut meter, open(), "2026-11-10T10:10:00Z").unwrap(),
            "2026-11-10T09Z"
        );
        assert_eq!(
            hour_frozen(&mut meter, open(), "2026-11-10T10:11:00Z"),
            Err(Freeze::Nothing),
            "one is under way"
        );
        meter.accept_pending();
        meter.record(Quantity::whole(1), at("2026-11-10T10:12:00Z"));
        assert_eq!(hour_frozen(&mut meter, open(), "2026-11-10T10:20:00Z"), Err(Freeze::Later));
        assert_eq!(
            hour_frozen(&mut meter, open(), "2026-11-10T11:00:00Z").unwrap(),
            "2026-11-10T10Z"
        );
    }

    #[test]
    fn nothing_is_stamped_before_the_activation_hour() {
        let mut meter = meter("2026-11", 5);
        let phase = MeteringPhase::Open { since: at("2026-11-10T10:20:00Z") };
        assert_eq!(hour_frozen(&mut meter, phase, "2026-11-10T10:30:00Z"), Err(Freeze::Later));
        assert_eq!(
            hour_frozen(&mut meter, phase, "2026-11-10T11:00:00Z").unwrap(),
            "2026-11-10T10Z"
        );
    }

    #[test]
    fn the_last_hour_of_a_month_waits_until_three_and_is_lost_at_six() {
        let mut meter = meter("2026-11", 5);
        assert_eq!(hour_frozen(&mut meter, open(), "2026-12-01T00:10:00Z"), Err(Freeze::Later));
        assert_eq!(
            hour_frozen(&mut meter.clone(), open(), "2026-12-01T03:00:00Z").unwrap(),
            "2026-11-30T23Z"
        );
        assert_eq!(
            hour_frozen(&mut meter.clone(), open(), "2026-12-01T05:59:59Z").unwrap(),
            "2026-11-30T23Z"
        );
        let lost = hour_frozen(&mut meter, open(), "2026-12-01T06:00:00Z");
        assert_eq!(lost, Err(Freeze::Lost(ParkReason::Expired)));
    }

    #[test]
    fn when_the_last_hour_is_spent_an_unused_earlier_one_serves() {
        let mut meter = meter("2026-11", 5);
        hour_frozen(&mut meter, open(), "2026-12-01T03:10:00Z").unwrap();
        meter.accept_pending();
        meter.record(Quantity::whole(1), at("2026-12-01T03:11:00Z"));
        assert_eq!(
            hour_frozen(&mut meter, open(), "2026-12-01T04:10:00Z").unwrap(),
            "2026-11-30T22Z"
        );
    }

    #[test]
    fn a_closing_license_flushes_at_once_and_keeps_an_hour_for_what_still_comes() {
        let phase = closing("2026-11-10T10:20:00Z");
        let mut meter = meter("2026-11", 5);
        meter.used_hours.extend(
            (0..24).map(|h| Hour::of(at("2026-11-10T09:00:00Z") - SignedDuration::from_hours(h))),
        );
        assert_eq!(
            hour_frozen(&mut meter, phase, "2026-11-10T10:20:00Z").unwrap(),
            "2026-11-10T10Z",
            "in progress"
        );
        meter.accept_pending();
        meter.record(Quantity::whole(1), at("2026-11-10T10:40:00Z"));
        assert_eq!(hour_frozen(&mut meter, phase, "2026-11-10T10:45:00Z"), Err(Freeze::Later));
        assert_eq!(
            hour_frozen(&mut meter, phase, "2026-11-10T11:00:00Z").unwrap(),
            "2026-11-10T11Z"
        );
    }

    #[test]
    fn the_very_last_hour_key_is_held_for_the_last_half_hour() {
        let phase = closing("2026-11-10T10:00:00Z");
        let mut meter = meter("2026-11", 5);
        meter.used_hours.extend(
            (0..24).map(|h| Hour::of(at("2026-11-10T09:00:00Z") - SignedDuration::from_hours(h))),
        );
        assert_eq!(hour_frozen(&mut meter, phase, "2026-11-10T10:05:00Z"), Err(Freeze::Later));
        assert_eq!(
            hour_frozen(&mut meter, phase, "2026-11-10T10:30:00Z").unwrap(),
            "2026-11-10T10Z"
        );
    }

    #[test]
    fn a_closing_license_does_not_wait_for_the_month_end_hold() {
        let phase = closing("2026-12-01T00:30:00Z");
        let mut meter = meter("2026-11", 5);
        assert_eq!(
            hour_frozen(&mut meter, phase, "2026-12-01T01:05:00Z").unwrap(),
            "2026-11-30T23Z"
        );
    }

    #[test]
    fn the_last_key_is_not_held_for_a_month_that_takes_no_more_usage() {
        let opened = at("2026-12-01T02:45:00Z");
        let phase = MeteringPhase::Closing {
            since: at("2026-11-30T23:13:00Z"),
            until: opened.checked_add(SignedDuration::from_hours(1)).unwrap(),
        };
        let mut meter = meter("2026-11", 5);
        assert_eq!(hour_frozen(&mut meter, phase, "2026-12-01T02:50:00Z"), Err(Freeze::Later));
        for now in ["2026-12-01T03:00:00Z", "2026-12-01T03:00:22Z"] {
            assert_eq!(
                hour_frozen(&mut meter.clone(), phase, now).unwrap(),
                "2026-11-30T23Z",
                "{now}"
            );
        }
    }

    #[test]
    fn what_waits_when_the_license_is_over_is_lost_and_said_so() {
        let mut meter = meter("2026-11", 5);
        let lost = hour_frozen(&mut meter, MeteringPhase::Over, "2026-11-10T12:00:00Z");
        assert_eq!(lost, Err(Freeze::Lost(ParkReason::Closed)));
        assert_eq!(
            hour_frozen(&mut meter, MeteringPhase::NotYet, "2026-11-10T12:00:00Z"),
            Err(Freeze::Later)
        );
    }

    #[test]
    fn a_record_under_way_is_sent_again_until_its_window_closes() {
        let mut meter = meter("2026-11", 5);
        hour_frozen(&mut meter, open(), "2026-11-10T10:10:00Z").unwrap();
        let fate = |now| pending_fate(&meter, open(), &MeteringWindow::default(), at(now));
        assert_eq!(fate("2026-11-11T08:59:59Z"), None);
        assert_eq!(fate("2026-11-11T09:00:00Z"), Some(ParkReason::Expired));
    }

    #[test]
    fn an_idle_meter_sends_a_zero_for_each_complete_hour_once() {
        let mut meter = meter("2026-11", 0);
        let window = MeteringWindow::default();
        assert!(freeze_heartbeat(&mut meter, open(), &window, at("2026-11-10T10:10:00Z")));
        assert_eq!(meter.pending.map(|pending| pending.quantity), Some(0));
        assert!(
            !freeze_heartbeat(&mut meter, open(), &window, at("2026-11-10T10:20:00Z")),
            "one is under way"
        );
        meter.accept_pending();
        assert!(
            !freeze_heartbeat(&mut meter, open(), &window, at("2026-11-10T10:20:00Z")),
            "the hour is spent"
        );
        assert!(freeze_heartbeat(&mut meter, open(), &window, at("2026-11-10T11:10:00Z")));
    }

    #[test]
    fn more_than_a_record_holds_goes_out_in_parts() {
        let mut meter = meter("2026-11", LARGEST_RECORD + 7);
        hour_frozen(&mut meter, open(), "2026-11-10T10:10:00Z").unwrap();
        assert_eq!(meter.pending.unwrap().quantity, LARGEST_RECORD);
        assert!(meter.waiting_since.is_some(), "the rest still waits");
        meter.accept_pending();
        assert_eq!(meter.to_meter(), 7);
    }

    #[test]
    fn a_record_under_way_is_never_replaced_although_more_waits() {
        let mut meter = meter("2026-11", 5);
        hour_frozen(&mut meter, open(), "2026-11-10T10:10:00Z").unwrap();
        meter.record(Quantity::whole(3), at("2026-11-10T10:20:00Z"));
        let before = meter.pending;
        assert_eq!(hour_frozen(&mut meter, open(), "2026-11-10T11:10:00Z"), Err(Freeze::Nothing));
        assert_eq!(meter.pending, before);
    }

    #[test]
    fn a_license_that_is_not_active_before_its_months_window_closes_never_gets_an_hour() {
        let tried = |now| hour_frozen(&mut meter("2026-11", 5), MeteringPhase::NotYet, now);
        assert_eq!(tried("2026-12-01T05:59:59Z"), Err(Freeze::Later));
        assert_eq!(tried("2026-12-01T06:00:00Z"), Err(Freeze::Lost(ParkReason::Expired)));
    }

    #[test]
    fn when_every_hour_in_reach_is_spent_what_waits_is_lost_once_no_hour_is_kept_back() {
        let mut spent = meter("2026-11", 5);
        let last = Hour::of(at("2026-11-30T23:00:00Z"));
        spent
            .used_hours
            .extend(std::iter::successors(Some(last), |hour| Some(hour.previous())).take(30));
        let tried = |now| hour_frozen(&mut spent.clone(), open(), now);
        assert_eq!(tried("2026-11-30T23:59:59Z"), Err(Freeze::Later));
        assert_eq!(tried("2026-12-01T02:59:59Z"), Err(Freeze::Later));
        let given_up = Err(Freeze::Lost(ParkReason::Expired));
        assert_eq!(tried("2026-12-01T03:00:00Z"), given_up);
        assert_eq!(tried("2026-12-01T05:00:00Z"), given_up);
    }
}
