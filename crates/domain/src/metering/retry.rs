//! Whether a parked item may be sent once more, and how, so that money stays exact.
//!
//! A record that was frozen under an hour may have reached AWS, whatever its last answer was. It is only ever sent
//! again as it was: the same hour, the same quantity, and AWS counts it once. Units that were never sent are surely not
//! billed; they wait again and get any hour that is still free.

use jiff::Timestamp;

use super::{Freeze, Meter, MeteringPhase, MeteringRecord, ParkReason, RecordStatus, freeze};
use crate::time::MeteringWindow;

/// How a parked item is sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same record, under its own hour.
    SameRecord,
    /// Its units, which were never sent, under whichever hour is free.
    FreshHour,
}

/// Why a parked item is not sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetryRefusal {
    /// It waits for nobody.
    #[error("the item is not parked any more")]
    NotParked,
    /// The meter has another record under way; a meter has one at a time.
    #[error("another record of the same meter is under way")]
    RecordUnderWay,
    /// AWS bills another quantity under the same hour, and never takes a second one.
    #[error("AWS bills another quantity under the same hour")]
    HeldDifferently,
    /// AWS takes no record for its hour any more.
    #[error("AWS takes no record for this usage any more: its window has closed")]
    WindowClosed,
    /// AWS takes no record for the license any more.
    #[error("AWS takes no record for this license any more: it is over")]
    LicenseOver,
}

impl RetryRefusal {
    /// Its stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotParked => "not_parked",
            Self::RecordUnderWay => "record_under_way",
            Self::HeldDifferently => "held_differently",
            Self::WindowClosed => "window_closed",
            Self::LicenseOver => "license_over",
        }
    }
}

/// Puts a parked item back on its meter, to be sent once more.
///
/// # Errors
/// Why it may not be; the meter is as it was.
pub fn retry(
    meter: &mut Meter,
    record: &MeteringRecord,
    phase: MeteringPhase,
    window: &MeteringWindow,
    now: Timestamp,
) -> Result<Retry, RetryRefusal> {
    let RecordStatus::Parked { reason, .. } = record.status else {
        return Err(RetryRefusal::NotParked);
    };
    if reason == ParkReason::Mismatched {
        return Err(RetryRefusal::HeldDifferently);
    }
    if phase == MeteringPhase::Over {
        return Err(RetryRefusal::LicenseOver);
    }
    let Some(hour) = record.hour else {
        let mut after = meter.clone();
        after.take_back(record.quantity, &record.allocations, now);
        let mut tried = Meter { pending: None, ..after.clone() };
        if let Freeze::Lost(_) = freeze(&mut tried, phase, window, now) {
            return Err(RetryRefusal::WindowClosed);
        }
        *meter = after;
        return Ok(Retry::FreshHour);
    };
    if !window.accepts(hour, now) {
        return Err(RetryRefusal::WindowClosed);
    }
    if meter.pending.is_some() {
        return Err(RetryRefusal::RecordUnderWay);
    }
    meter.resume(hour, record.quantity, record.allocations.clone(), now);
    Ok(Retry::SameRecord)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Aggregation, Allowance, Overage};
    use crate::ids::LicenseRef;
    use crate::metering::{MeterKey, Terms};
    use crate::quantity::Quantity;
    use crate::time::Hour;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn open() -> MeteringPhase {
        MeteringPhase::Open { since: at("2026-11-01T00:20:00Z") }
    }

    /// A meter with five units frozen under 09Z, parked.
    fn parked(reason: ParkReason, hour: Option<&str>) -> (Meter, MeteringRecord) {
        let arn = "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap();
        let key = MeterKey {
            subscription: LicenseRef::License { arn }.subscription_id(),
            month: "2026-11".parse().unwrap(),
            dimension: "scans".parse().unwrap(),
        };
        let terms = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
        let mut meter = Meter::new(key.clone(), Aggregation::Sum, terms);
        meter.record(Quantity::whole(5), at("2026-11-10T09:30:00Z"));
        let hour: Option<Hour> = hour.map(|hour| hour.parse().unwrap());
        if hour.is_some() {
            let frozen =
                freeze(&mut meter, open(), &MeteringWindow::default(), at("2026-11-10T10:10:00Z"));
            assert_eq!(frozen, Freeze::Frozen);
            meter.park_pending();
        } else {
            assert_eq!(meter.park_waiting().quantity, 5);
        }
        let status = RecordStatus::Parked { reason, code: None };
        let booked_at = at("2026-11-10T10:11:00Z");
        (
            meter,
            MeteringRecord { key, hour, quantity: 5, status, booked_at, allocations: Vec::new() },
        )
    }

    fn tried(
        reason: ParkReason,
        hour: Option<&str>,
        phase: MeteringPhase,
        now: &str,
    ) -> (Result<Retry, RetryRefusal>, Meter) {
        let (mut meter, record) = parked(reason, hour);
        let before = meter.clone();
        let answer = retry(&mut meter, &record, phase, &MeteringWindow::default(), at(now));
        if answer.is_err() {
            assert_eq!(meter, before, "a refusal changes nothing");
        }
        assert_eq!(meter.balance().total(), meter.aggregate);
        (answer, meter)
    }

    #[test]
    fn a_record_that_may_have_reached_aws_goes_out_as_it_was_and_under_no_other_hour() {
        let hour = Some("2026-11-10T09Z");
        for reason in [ParkReason::Rejected, ParkReason::Closed, ParkReason::Expired] {
            let (answer, meter) = tried(reason, hour, open(), "2026-11-11T08:59:59Z");
            assert_eq!(answer, Ok(Retry::SameRecord));
            let pending = meter.pending.unwrap();
            assert_eq!(
                (pending.hour.to_string().as_str(), pending.quantity),
                ("2026-11-10T09Z", 5)
            );
            assert_eq!((meter.parked, meter.to_meter()), (0, 0));
        }
        let (answer, _) = tried(ParkReason::Rejected, hour, open(), "2026-11-11T09:00:00Z");
        assert_eq!(answer, Err(RetryRefusal::WindowClosed));
    }

    #[test]
    fn units_that_were_never_sent_wait_again_while_their_month_is_open() {
        let (answer, meter) = tried(ParkReason::Closed, None, open(), "2026-11-12T08:00:00Z");
        assert_eq!(answer, Ok(Retry::FreshHour));
        assert_eq!((meter.parked, meter.to_meter()), (0, 5));
        assert!(meter.unsettled_since().is_some(), "the index of unsettled meters holds it again");
        let (answer, _) = tried(ParkReason::Closed, None, open(), "2026-12-01T06:00:00Z");
        assert_eq!(answer, Err(RetryRefusal::WindowClosed));
    }

    #[test]
    fn neither_a_license_that_is_over_nor_an_hour_that_aws_bills_otherwise_is_tried_again() {
        for hour in [None, Some("2026-11-10T09Z")] {
            let (answer, _) =
                tried(ParkReason::Closed, hour, MeteringPhase::Over, "2026-11-10T12:00:00Z");
            assert_eq!(answer, Err(RetryRefusal::LicenseOver));
        }
        let (answer, _) =
            tried(ParkReason::Mismatched, Some("2026-11-10T09Z"), open(), "2026-11-10T12:00:00Z");
        assert_eq!(answer, Err(RetryRefusal::HeldDifferently));
    }

    #[test]
    fn a_meter_never_has_two_records_under_way() {
        let (mut meter, record) = parked(ParkReason::Rejected, Some("2026-11-10T09Z"));
        meter.record(Quantity::whole(1), at("2026-11-10T11:00:00Z"));
        let window = MeteringWindow::default();
        assert_eq!(freeze(&mut meter, open(), &window, at("2026-11-10T11:10:00Z")), Freeze::Frozen);
        assert_eq!(
            retry(&mut meter, &record, open(), &window, at("2026-11-10T11:20:00Z")),
            Err(RetryRefusal::RecordUnderWay)
        );
    }

    #[test]
    fn what_waits_for_nobody_is_not_retried() {
        let (mut meter, mut record) = parked(ParkReason::Rejected, Some("2026-11-10T09Z"));
        record.status = RecordStatus::Accepted { record_id: None };
        assert_eq!(
            retry(
                &mut meter,
                &record,
                open(),
                &MeteringWindow::default(),
                at("2026-11-10T11:20:00Z")
            ),
            Err(RetryRefusal::NotParked)
        );
    }

    #[test]
    fn units_that_were_never_sent_do_not_wait_again_behind_a_record_when_no_hour_is_left() {
        let (mut meter, record) = parked(ParkReason::Closed, None);
        let window = MeteringWindow::default();
        meter.record(Quantity::whole(1), at("2026-11-30T23:10:00Z"));
        let now = at("2026-12-01T05:59:59Z");
        assert_eq!(freeze(&mut meter, open(), &window, now), Freeze::Frozen);
        let mut in_time = meter.clone();
        assert_eq!(retry(&mut in_time, &record, open(), &window, now), Ok(Retry::FreshHour));
        assert_eq!(
            retry(&mut meter, &record, open(), &window, at("2026-12-01T06:00:00Z")),
            Err(RetryRefusal::WindowClosed)
        );
    }
}
