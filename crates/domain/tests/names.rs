//! Names that interfaces, metrics and stored rows rely on: a change here is a change of contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use domain::metering::{Closing, ParkReason, RecordStatus, RetryRefusal};
use jiff::Timestamp;

#[test]
fn of_reasons_why_usage_is_not_billed() {
    let reasons = [
        (ParkReason::NotSubscribed, "not-subscribed"),
        (ParkReason::Expired, "expired"),
        (ParkReason::Closed, "closed"),
        (ParkReason::Mismatched, "mismatched"),
        (ParkReason::Rejected, "rejected"),
    ];
    for (reason, name) in reasons {
        assert_eq!(reason.as_str(), name);
        assert_eq!(serde_json::to_value(reason).unwrap(), name);
    }
}

#[test]
fn of_ways_to_close_what_is_parked() {
    for (how, name) in
        [(Closing::WrittenOff, "written-off"), (Closing::BilledOtherwise, "billed-otherwise")]
    {
        assert_eq!(how.as_str(), name);
        assert_eq!(serde_json::to_value(how).unwrap(), name);
    }
}

#[test]
fn of_refusals_to_send_once_more() {
    let refusals = [
        RetryRefusal::NotParked,
        RetryRefusal::RecordUnderWay,
        RetryRefusal::HeldDifferently,
        RetryRefusal::WindowClosed,
        RetryRefusal::LicenseOver,
    ];
    assert_eq!(
        refusals.map(RetryRefusal::code),
        ["not_parked", "record_under_way", "held_differently", "window_closed", "license_over"]
    );
}

#[test]
fn only_what_is_parked_waits_for_a_human() {
    let reason = ParkReason::Expired;
    let at = Timestamp::UNIX_EPOCH;
    let closed =
        RecordStatus::Closed { reason, how: Closing::WrittenOff, note: "goodwill".into(), at };
    let statuses = [
        RecordStatus::Parked { reason, code: None },
        RecordStatus::Accepted { record_id: None },
        RecordStatus::Retried { reason, at },
        closed,
    ];
    assert_eq!(statuses.map(|status| status.is_parked()), [true, false, false, false]);
}
