//! What AWS says of a record, and what becomes of it.

use app::ports::RecordAnswer;
use app::settlement::RunReport;
use domain::catalog::PricingModel;
use domain::metering::{ParkReason, RecordStatus};
use domain::quantity::Quantity;
use domain::subscription::Subscription;

use crate::scripted::Answer;
use crate::{World, at, buyer, ledger, meter, run_at, use_scans, use_tagged_scans, world};

const USED: &str = "2026-11-24T07:30:00Z";
const RUN: &str = "2026-11-24T08:05:00Z";

/// Seven scans wait; one run gets this answer.
async fn answered(answer: Answer) -> (World, Subscription, RunReport) {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 7, USED).await;
    world.aws.answer([answer]);
    let report = run_at(&world, RUN).await;
    (world, state, report)
}

#[tokio::test]
async fn an_accepted_record_is_metered_earned_and_in_the_ledger() {
    let id: domain::ids::MeteringRecordId = "record-1".parse().unwrap();
    let (world, state, report) =
        answered(Answer::Each(RecordAnswer::Accepted(Some(id.clone())))).await;
    assert_eq!((report.frozen, report.accepted, report.calls), (1, 1, 1));
    assert_eq!((report.already_held, report.pending, report.parked, report.failed), (0, 0, 0, 0));
    assert_eq!((report.oldest_unsettled, report.handed_over), (None, false));
    assert_eq!(report.earned, rust_decimal::Decimal::new(700, 2) * scan_price(&world));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.pending, meter.is_settled()), (7, None, true));
    let booked = ledger(&world);
    assert_eq!(booked.len(), 1);
    assert_eq!(booked[0].status, RecordStatus::Accepted { record_id: Some(id) });
    assert_eq!(booked[0].hour.unwrap().to_string(), "2026-11-24T07Z");
    assert_eq!(world.aws.sent(), [("2026-11-24T07Z".to_owned(), 7)]);
    assert_eq!(
        run_at(&world, "2026-11-24T09:05:00Z").await,
        RunReport::default(),
        "nothing is left"
    );
}

fn scan_price(world: &World) -> rust_decimal::Decimal {
    let catalog = &world.listing.catalog;
    let plan = catalog.plan(catalog.default_plan()).unwrap();
    plan.dimensions.iter().find(|(id, _)| id.as_str() == "scans").unwrap().1.unit_price
}

#[tokio::test]
async fn a_record_that_aws_holds_otherwise_is_parked_and_never_sent_again() {
    let (world, state, report) = answered(Answer::Each(RecordAnswer::HeldDifferently)).await;
    assert_eq!(report.parked_because, [(ParkReason::Mismatched, 1)].into());
    assert_eq!((report.parked, report.accepted, report.earned), (1, 0, 0.into()));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.parked, meter.pending), (0, 7, None));
    let status = RecordStatus::Parked { reason: ParkReason::Mismatched, code: None };
    assert_eq!(ledger(&world)[0].status, status);
    run_at(&world, "2026-11-24T09:05:00Z").await;
    assert_eq!(world.aws.calls().len(), 1);
}

#[tokio::test]
async fn a_record_that_is_wrong_for_good_is_parked_with_aws_reason() {
    for code in ["InvalidUsageDimensionException", "ValidationException"] {
        let (world, state, report) = answered(Answer::Bad(code)).await;
        assert_eq!(report.parked_because, [(ParkReason::Rejected, 1)].into());
        let code = Some(code.to_owned());
        let status = RecordStatus::Parked { reason: ParkReason::Rejected, code };
        assert_eq!(ledger(&world)[0].status, status);
        assert_eq!(meter(&world, &state).await.parked, 7);
    }
}

#[tokio::test]
async fn a_record_that_may_be_right_later_stays_as_it_is() {
    let later = [
        Answer::Bad("InvalidLicenseException"),
        Answer::Bad("TimestampOutOfBoundsException"),
        Answer::Bad("InvalidCustomerIdentifierException"),
        Answer::Each(RecordAnswer::NotSubscribed),
    ];
    for answer in later {
        let (world, state, report) = answered(answer).await;
        assert_eq!((report.pending, report.parked, report.accepted), (1, 0, 0));
        assert_eq!(report.oldest_unsettled.unwrap().to_string(), "2026-11-24T07Z");
        assert_eq!(ledger(&world), []);
        assert!(meter(&world, &state).await.pending.is_some());
        let next = run_at(&world, "2026-11-24T09:05:00Z").await;
        assert_eq!((next.accepted, next.frozen), (1, 0), "the same record again");
        assert_eq!(world.aws.sent(), vec![("2026-11-24T07Z".to_owned(), 7); 2]);
    }
}

#[tokio::test]
async fn a_record_that_aws_did_not_get_to_is_sent_three_times_and_then_waits() {
    let (world, state, report) = answered(Answer::Each(RecordAnswer::Unprocessed)).await;
    assert_eq!((report.accepted, report.calls), (1, 2), "the second round was accepted");
    assert!(meter(&world, &state).await.is_settled());

    let world = crate::world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 7, USED).await;
    world.aws.answer(vec![Answer::Each(RecordAnswer::Unprocessed); 3]);
    let report = run_at(&world, RUN).await;
    assert_eq!((report.pending, report.accepted, report.calls), (1, 0, 3));
    assert_eq!(world.aws.sent(), vec![("2026-11-24T07Z".to_owned(), 7); 3]);
}

#[tokio::test]
async fn only_what_aws_did_not_get_to_is_sent_again() {
    let world = world(PricingModel::Usage);
    let (one, two) = (buyer(&world, "l-1"), buyer(&world, "l-2"));
    use_scans(&world, &one.id, 1, USED).await;
    use_scans(&world, &two.id, 2, USED).await;
    let answers = vec![RecordAnswer::Unprocessed, RecordAnswer::Accepted(None)];
    world.aws.answer([Answer::Records(answers)]);
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.calls), (2, 2));
    let calls = world.aws.calls();
    assert_eq!(calls[1], calls[0][..1], "the first of the two alone");
}

#[tokio::test]
async fn tags_that_aws_refuses_are_left_out_and_the_quantity_is_sent_again() {
    for code in ["InvalidTagException", "InvalidUsageAllocationsException"] {
        let world = world(PricingModel::Usage);
        let state = buyer(&world, "l-1");
        use_tagged_scans(&world, &state.id, 7, USED).await;
        world.aws.answer([Answer::Bad(code)]);
        let report = run_at(&world, RUN).await;
        assert_eq!((report.pending, report.parked), (1, 0));
        let next = run_at(&world, RUN).await;
        assert_eq!((next.accepted, next.frozen), (1, 0));
        let sent: Vec<_> = world.aws.calls().into_iter().flatten().collect();
        assert_eq!(sent.iter().map(|record| record.allocations.len()).collect::<Vec<_>>(), [1, 0]);
        assert_eq!((sent[0].hour, sent[0].quantity), (sent[1].hour, sent[1].quantity));
        assert_eq!(meter(&world, &state).await.metered, 7);
    }
}

#[tokio::test]
async fn a_refusal_of_tags_that_were_never_sent_is_a_refusal_of_the_record() {
    let (_, _, report) = answered(Answer::Bad("InvalidTagException")).await;
    assert_eq!(report.parked_because, [(ParkReason::Rejected, 1)].into());
}

#[tokio::test]
async fn another_refusal_of_a_record_with_tags_is_for_good_too() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_tagged_scans(&world, &state.id, 7, USED).await;
    world.aws.answer([Answer::Bad("InvalidUsageDimensionException")]);
    assert_eq!(run_at(&world, RUN).await.parked, 1);
    assert_eq!(ledger(&world)[0].allocations.len(), 1, "the ledger says whose it was");
}

#[tokio::test]
async fn usage_that_comes_while_a_record_is_sent_is_kept() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 7, USED).await;
    let store = world.store.clone();
    world.aws.meanwhile(move || {
        let mut changed = store.all_meters().pop().unwrap();
        changed.record(Quantity::whole(4), at(RUN));
        changed.revision += 1;
        store.put_meter(&changed);
    });
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.failed), (1, 0));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.to_meter(), meter.pending), (7, 4, None));
}

#[tokio::test]
async fn a_record_that_was_booked_while_it_was_sent_is_not_booked_again() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 7, USED).await;
    let store = world.store.clone();
    world.aws.meanwhile(move || {
        let mut meter = store.all_meters().pop().unwrap();
        meter.accept_pending();
        meter.revision += 1;
        store.put_meter(&meter);
    });
    let report = run_at(&world, RUN).await;
    assert_eq!((report.accepted, report.already_held, report.parked, report.pending), (0, 0, 0, 0));
    assert_eq!(meter(&world, &state).await.metered, 7);
}
