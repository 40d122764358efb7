//! What cannot be billed any more is given up, with its reason.

use app::ports::RecordAnswer;
use domain::catalog::PricingModel;
use domain::metering::{ParkReason, RecordStatus};

use crate::scripted::Answer;
use crate::{buyer, ledger, meter, run_at, use_scans, world};

#[tokio::test]
async fn usage_of_an_hour_still_open_waits() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T06:30:00Z").await;
    let report = run_at(&world, "2026-11-24T06:40:00Z").await;
    assert_eq!((report.frozen, report.calls), (0, 0));
    assert_eq!(report.oldest_unsettled.unwrap().to_string(), "2026-11-24T06Z");
    assert!(meter(&world, &state).await.pending.is_none());
}

#[tokio::test]
async fn a_record_that_found_no_answer_within_its_window_is_expired_and_the_rest_goes_on() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-24T07:30:00Z").await;
    world.aws.answer([Answer::Each(RecordAnswer::NotSubscribed)]);
    run_at(&world, "2026-11-24T08:05:00Z").await;
    world.aws.answer([Answer::Each(RecordAnswer::NotSubscribed)]);
    let report = run_at(&world, "2026-11-25T07:10:00Z").await;
    assert_eq!(report.parked, 0, "an answer to what was sent in time may still be booked");
    use_scans(&world, &state.id, 4, "2026-11-25T06:30:00Z").await;
    let report = run_at(&world, "2026-11-25T07:15:00Z").await;
    assert_eq!(report.parked_because, [(ParkReason::Expired, 1)].into());
    assert_eq!((report.frozen, report.accepted), (1, 1));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.parked, meter.is_settled()), (4, 3, true));
    let parked = ledger(&world).into_iter().find(|record| record.status.is_parked()).unwrap();
    assert_eq!((parked.hour.unwrap().to_string(), parked.quantity), ("2026-11-24T07Z".into(), 3));
}

#[tokio::test]
async fn usage_that_was_never_sent_before_the_month_was_cut_is_expired() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 3, "2026-11-30T23:30:00Z").await;
    let report = run_at(&world, "2026-12-01T06:00:00Z").await;
    assert_eq!(report.parked_because, [(ParkReason::Expired, 1)].into());
    let record = ledger(&world).pop().unwrap();
    assert_eq!((record.hour, record.quantity), (None, 3));
    assert_eq!(record.status, RecordStatus::Parked { reason: ParkReason::Expired, code: None });
    let meter = meter(&world, &state).await;
    assert_eq!((meter.parked, meter.is_settled()), (3, true));
}
