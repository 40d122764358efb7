//! What seeded worlds found in the use cases, held in the small.

use app::notices::take_notice;
use app::ports::{RecordAnswer, ResolvedBuyer, Subscriptions};
use app::registration::{Profile, complete};
use app::settlement::RunReport;
use app::usage::{Consumed, Refusal, Report, ReportAnswer, Reported, consume, report};
use domain::catalog::PricingModel;
use domain::entitlement::EntitledValue;
use domain::ids::SubscriptionId;
use domain::metering::ParkReason;
use domain::notice::{
    AgreementChange, Channel, EndStatus, Intent, LegacyChange, LicenseChange, Notice, NoticeBody,
};
use domain::quantity::Quantity;
use domain::subscription::{Access, LicensePhase, Subscription};

use crate::scripted::Answer;
use crate::{World, at, buyer, ends, flush_at, meter, used, world};

/// A license that ended at nine, and three units that were used before and reported in its final hour.
async fn with_three_units_waiting() -> (World, Subscription) {
    let world = world(PricingModel::Usage);
    let state = ends(&world, &buyer(&world, "l-1"), "2026-11-24T09:00:00Z");
    assert!(matches!(
        answer(&world, &state.id, three(), "2026-11-24T09:10:00Z").await,
        ReportAnswer::Accepted { .. }
    ));
    (world, state)
}

fn three() -> Report {
    used("apiCalls", 3, "2026-11-24T08:30:00Z")
}

async fn answer(world: &World, id: &SubscriptionId, reported: Report, now: &str) -> ReportAnswer {
    match report(world, id, &[reported], at(now)).await.unwrap() {
        Reported::Answers(mut answers) => answers.pop().unwrap(),
        Reported::NoSuchSubscription => panic!("it exists"),
    }
}

/// A flush of which AWS answers each call in turn.
async fn flushed(
    world: &World,
    state: &Subscription,
    now: &str,
    answers: &[RecordAnswer],
) -> RunReport {
    world.aws.answer(answers.iter().cloned().map(Answer::Each));
    flush_at(world, state, now).await
}

#[tokio::test]
async fn a_repeat_of_what_was_counted_is_a_duplicate_even_after_the_end() {
    let (world, state) = with_three_units_waiting().await;
    let id = &state.id;
    let late = "2026-11-24T11:00:00Z";
    assert_eq!(answer(&world, id, three(), late).await, ReportAnswer::Duplicate);
    let much_later = answer(&world, id, three(), "2026-12-04T11:00:00Z").await;
    assert_eq!(much_later, ReportAnswer::Duplicate);
    let other = Report { quantity: "4".to_owned(), ..three() };
    assert_eq!(answer(&world, id, other, late).await, ReportAnswer::Conflict);
    let fresh = Report { key: "more".to_owned(), ..three() };
    assert_eq!(
        answer(&world, id, fresh.clone(), late).await,
        ReportAnswer::Refused(Refusal::SubscriptionEnded)
    );
    let now = at(late);
    assert_eq!(consume(&world, id, &three(), None, now).await.unwrap(), Consumed::Duplicate);
    assert_eq!(
        consume(&world, id, &fresh, None, now).await.unwrap(),
        Consumed::Refused(Refusal::SubscriptionEnded)
    );
}

#[tokio::test]
async fn a_record_sent_before_the_end_is_not_given_up_while_its_answer_may_be_under_way() {
    let (world, state) = with_three_units_waiting().await;
    let nothing = [RecordAnswer::Unprocessed, RecordAnswer::Unprocessed, RecordAnswer::Unprocessed];
    flushed(&world, &state, "2026-11-24T09:11:00Z", &nothing).await;
    // Past the end: AWS may have taken it, and says so to whoever sent it.
    let refused = [RecordAnswer::NotSubscribed];
    let late = flushed(&world, &state, "2026-11-24T10:05:00Z", &refused).await;
    assert_eq!((late.parked, late.concluded), (0, 0));
    let later = flushed(&world, &state, "2026-11-24T10:15:00Z", &[]).await;
    assert_eq!(
        (later.parked, later.concluded),
        (1, 1),
        "then it is given up, and the end concluded"
    );
    assert_eq!(meter(&world, &state).await.parked, 3);
}

#[tokio::test]
async fn the_end_of_an_older_contract_is_not_undone_by_the_notice_that_its_entitlements_changed() {
    let world = world(PricingModel::Contract);
    let told = |id: &str, now: &str, change: LegacyChange| Notice {
        channel: Channel::Sns,
        id: id.parse().unwrap(),
        at: at(now),
        body: NoticeBody::Legacy {
            product: "product".parse().unwrap(),
            customer: "customer-1".parse().unwrap(),
            change,
        },
    };
    let basic = EntitledValue::Amount(Quantity::whole(1));
    world.aws.grant("basic", basic);
    let bought = told("1", "2026-11-24T06:00:00Z", LegacyChange::EntitlementUpdated);
    take_notice(&world, &bought, at("2026-11-24T06:00:10Z")).await.unwrap();
    world.aws.withdraw("basic");
    let ends = told("2", "2026-11-24T09:00:00Z", LegacyChange::Unsubscribing);
    take_notice(&world, &ends, at("2026-11-24T09:00:10Z")).await.unwrap();
    let withdrawn = told("3", "2026-11-24T09:00:30Z", LegacyChange::EntitlementUpdated);
    let now = at("2026-11-24T09:00:40Z");
    take_notice(&world, &withdrawn, now).await.unwrap();
    let state = world.store.states().pop().unwrap();
    let known = world.store.subscription(&state.id).await.unwrap().unwrap();
    assert!(matches!(known.phase(now), LicensePhase::Closing { .. }), "{:?}", known.phase(now));
}

#[tokio::test]
async fn a_duplicate_of_a_record_that_was_never_sent_before_is_somebody_elses_and_not_billed() {
    let (world, state) = with_three_units_waiting().await;
    let now = "2026-11-24T09:11:00Z";
    let report = flushed(&world, &state, now, &[RecordAnswer::AlreadyHeld]).await;
    assert_eq!((report.already_held, report.parked), (0, 1));
    assert_eq!(report.parked_because.get(&ParkReason::Mismatched), Some(&1));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.parked), (0, 3));
}

#[tokio::test]
async fn a_duplicate_of_a_record_that_may_have_been_sent_before_is_ours_and_billed_once() {
    let (world, state) = with_three_units_waiting().await;
    let nothing = [RecordAnswer::Unprocessed, RecordAnswer::Unprocessed, RecordAnswer::Unprocessed];
    flushed(&world, &state, "2026-11-24T09:11:00Z", &nothing).await;
    let report =
        flushed(&world, &state, "2026-11-24T09:16:00Z", &[RecordAnswer::AlreadyHeld]).await;
    assert_eq!((report.already_held, report.parked), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_repeated_within_a_run_makes_a_duplicate_ours() {
    let (world, state) = with_three_units_waiting().await;
    let answers = [RecordAnswer::Unprocessed, RecordAnswer::AlreadyHeld];
    let report = flushed(&world, &state, "2026-11-24T09:11:00Z", &answers).await;
    assert_eq!((report.already_held, report.parked), (1, 0));
}

#[tokio::test]
async fn whoever_froze_a_record_learns_that_another_scheduler_has_taken_it_over() {
    let (world, state) = with_three_units_waiting().await;
    let answers = [RecordAnswer::AlreadyHeld, RecordAnswer::Accepted(None)];
    let (first, second) = futures::join!(
        flushed(&world, &state, "2026-11-24T09:11:00Z", &answers),
        flushed(&world, &state, "2026-11-24T09:11:30Z", &[]),
    );
    assert_eq!((first.frozen, second.frozen), (1, 0), "the second found it frozen");
    assert_eq!((first.already_held, first.parked, second.parked), (1, 0, 0));
    let meter = meter(&world, &state).await;
    assert_eq!((meter.metered, meter.parked), (3, 0));
}

const LICENSE: &str = "arn:aws:license-manager::294406891311:license:l-1";

fn told_of_agreement(id: &str, now: &str, agreement: &str, previous: Option<&str>) -> Notice {
    let change = AgreementChange::Created {
        intent: if previous.is_some() { Intent::Replace } else { Intent::New },
        previous: previous.map(|id| id.parse().unwrap()),
        offer: None,
        ends: None,
    };
    let body = NoticeBody::Agreement {
        agreement: agreement.parse().unwrap(),
        account: Some("111122223333".parse().unwrap()),
        change,
    };
    Notice { channel: Channel::EventBridge, id: id.parse().unwrap(), at: at(now), body }
}

fn told_of_license(id: &str, now: &str, agreement: &str) -> Notice {
    let body = NoticeBody::License {
        product: "product".parse().unwrap(),
        license: LICENSE.parse().unwrap(),
        agreement: agreement.parse().unwrap(),
        account: "111122223333".parse().unwrap(),
        change: LicenseChange::Updated,
    };
    Notice { channel: Channel::EventBridge, id: id.parse().unwrap(), at: at(now), body }
}

/// A buyer of an agreement whose license AWS has not told yet.
fn resolved(agreement: &str) -> ResolvedBuyer {
    ResolvedBuyer {
        product: "product".parse().unwrap(),
        license: None,
        agreement: Some(agreement.parse().unwrap()),
        account: Some("111122223333".parse().unwrap()),
        customer: None,
    }
}

#[tokio::test]
async fn a_buyer_who_registered_under_an_agreement_that_was_replaced_before_its_license_was_known_has_access()
 {
    let profile = Profile::new("Acme", "Jo", "jo@example.com").unwrap();
    let created = told_of_agreement("1", "2026-11-24T06:01:00Z", "agmt-2", Some("agmt-1"));
    let renewed = told_of_agreement("2", "2026-11-24T06:02:00Z", "agmt-3", Some("agmt-2"));
    let updated = told_of_license("3", "2026-11-24T06:03:00Z", "agmt-3");
    let now = at("2026-11-24T06:04:00Z");
    // The registration may come first, in between, or last, and the notices in any order.
    for (place, notices) in [
        (0, [&created, &renewed, &updated]),
        (1, [&created, &renewed, &updated]),
        (2, [&created, &renewed, &updated]),
        (3, [&created, &renewed, &updated]),
        (0, [&updated, &renewed, &created]),
        (1, [&updated, &renewed, &created]),
        (2, [&updated, &renewed, &created]),
        (3, [&updated, &renewed, &created]),
        (1, [&renewed, &updated, &created]),
    ] {
        let world = world(PricingModel::Usage);
        for turn in 0..=3 {
            if turn == place {
                complete(&world, &resolved("agmt-1"), &profile, now).await.unwrap();
            }
            if let Some(notice) = notices.get(turn) {
                take_notice(&world, notice, now).await.unwrap();
            }
        }
        let state = world.store.states().pop().unwrap();
        assert_eq!(state.access(now), Access::Granted, "registered at {place} of {notices:?}");
    }
}

/// The payment of the second agreement fails, which is told to nobody (fact sheet §6.2).
#[tokio::test]
async fn a_registration_for_an_agreement_that_nobody_tells_of_brings_no_ended_license_back() {
    let profile = Profile::new("Acme", "Jo", "jo@example.com").unwrap();
    let world = world(PricingModel::Usage);
    let ended = at("2026-11-24T06:30:00Z");
    let body = NoticeBody::Agreement {
        agreement: "agmt-1".parse().unwrap(),
        account: None,
        change: AgreementChange::Ended { how: EndStatus::Cancelled },
    };
    let channel = Channel::EventBridge;
    let end = Notice { channel, id: "3".parse().unwrap(), at: ended, body };
    let notices = [
        told_of_agreement("1", "2026-11-24T06:00:00Z", "agmt-1", None),
        told_of_license("2", "2026-11-24T06:01:00Z", "agmt-1"),
        end,
    ];
    for notice in &notices {
        take_notice(&world, notice, ended).await.unwrap();
    }
    let license = world.store.states().pop().unwrap().license;
    let now = at("2026-11-24T08:00:00Z");
    let again = ResolvedBuyer { license: license.arn().cloned(), ..resolved("agmt-2") };
    complete(&world, &again, &profile, now).await.unwrap();
    let state = world.store.states().pop().unwrap();
    assert_eq!((state.closing_since(), state.access(now)), (Some(ended), Access::Ended));
    let back = at("2026-11-24T08:01:00Z");
    take_notice(&world, &told_of_license("4", "2026-11-24T08:01:00Z", "agmt-2"), back)
        .await
        .unwrap();
    let state = world.store.states().pop().unwrap();
    assert_eq!(state.access(back), Access::Granted, "AWS tells that it was paid");
}

#[tokio::test]
async fn an_agreement_goes_on_in_its_successor_although_both_were_made_in_the_same_instant() {
    let profile = Profile::new("Acme", "Jo", "jo@example.com").unwrap();
    let when = "2026-11-24T06:01:00Z";
    let first = told_of_agreement("1", when, "agmt-2", None);
    let second = told_of_agreement("2", when, "agmt-1", Some("agmt-2"));
    let updated = told_of_license("3", "2026-11-24T06:03:00Z", "agmt-1");
    let now = at("2026-11-24T06:04:00Z");
    let world = world(PricingModel::Usage);
    complete(&world, &resolved("agmt-2"), &profile, now).await.unwrap();
    for notice in [&first, &second, &updated] {
        take_notice(&world, notice, now).await.unwrap();
    }
    assert_eq!(world.store.states().pop().unwrap().access(now), Access::Granted);
}

/// A reconcile knows of a renewed agreement only the first of its chain.
#[tokio::test]
async fn of_two_agreements_that_go_on_from_the_same_one_the_newer_is_the_end_of_the_chain() {
    let profile = Profile::new("Acme", "Jo", "jo@example.com").unwrap();
    let older = told_of_agreement("1", "2026-11-24T06:01:00Z", "agmt-2", Some("agmt-1"));
    let newer = told_of_agreement("2", "2026-11-24T06:02:00Z", "agmt-3", Some("agmt-1"));
    let updated = told_of_license("3", "2026-11-24T06:03:00Z", "agmt-3");
    let now = at("2026-11-24T06:04:00Z");
    for registered in ["agmt-1", "agmt-2", "agmt-3"] {
        for notices in [
            [&older, &newer, &updated],
            [&newer, &older, &updated],
            [&updated, &newer, &older],
            [&updated, &older, &newer],
        ] {
            let world = world(PricingModel::Usage);
            complete(&world, &resolved(registered), &profile, now).await.unwrap();
            for notice in notices {
                take_notice(&world, notice, now).await.unwrap();
            }
            let state = world.store.states().pop().unwrap();
            assert_eq!(state.access(now), Access::Granted, "{registered}, then {notices:?}");
        }
    }
}

#[tokio::test]
async fn the_arn_of_a_license_that_was_named_without_one_is_kept_although_nothing_else_is_new() {
    let world = world(PricingModel::Usage);
    let sample = LICENSE.replace("arn:aws:license-manager::294406891311:license:", SAMPLE);
    let (when, now) = ("2026-11-24T06:03:00Z", at("2026-11-24T06:04:00Z"));
    let told = [
        named(told_of_license("1", when, "agmt-1"), &sample),
        told_of_license("2", when, "agmt-1"),
    ];
    for notice in &told {
        take_notice(&world, notice, now).await.unwrap();
    }
    let state = world.store.states().pop().unwrap();
    assert_eq!(state.license.arn().unwrap().as_str(), LICENSE);
    let trail = world.store.audit(&state.id, None, 10).await.unwrap().items;
    assert!(trail[1].changes.contains_key("licenseWithoutArn"), "{trail:?}");
}

/// How AWS's sample of an event begins the name of a license, which is no ARN (fact sheet §6.3).
const SAMPLE: &str = "aws:license-manager:us-east-1:294406891311:";

fn named(notice: Notice, license: &str) -> Notice {
    match notice.body {
        NoticeBody::License { product, agreement, account, change, .. } => {
            let license = license.parse().unwrap();
            let body = NoticeBody::License { product, license, agreement, account, change };
            Notice { body, ..notice }
        }
        NoticeBody::Agreement { .. } | NoticeBody::Legacy { .. } | NoticeBody::Unknown { .. } => {
            panic!("about no license")
        }
    }
}
