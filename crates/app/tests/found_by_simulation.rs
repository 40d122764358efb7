//! What seeded worlds found in the use cases, held in the small.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use app::notices::take_notice;
use app::ports::{
    AgreementDetails, AgreementService, EntitlementService, MeteringService, OutgoingRecord,
    RecordAnswer, ResolvedBuyer, SettlementQueue, SettlementRequest, SubmitError, Subscriptions,
    Usage,
};
use app::registration::{Profile, complete};
use app::settlement::{Budget, RunReport, flush};
use app::usage::{Consumed, Refusal, Report, ReportAnswer, Reported, consume, report};
use app::{Clock, Context, Error, Listing};
use domain::catalog::{Catalog, PricingModel};
use domain::entitlement::EntitledValue;
use domain::ids::{AgreementId, LicenseRef, ProductCode, SubscriptionId};
use domain::metering::ParkReason;
use domain::notice::{
    AgreementChange, Channel, Intent, LegacyChange, LicenseChange, Notice, NoticeBody,
};
use domain::quantity::Quantity;
use domain::subscription::{Access, CancellationRequest, LicenseFacts, LicensePhase, Subscription};
use domain::time::{MeteringWindow, Month};
use jiff::Timestamp;
use store_memory::MemoryStore;

/// An AWS that grants and answers what it is told to.
#[derive(Debug, Clone, Default)]
struct Told {
    grants: Arc<Mutex<BTreeMap<String, EntitledValue>>>,
    answers: Arc<Mutex<Vec<RecordAnswer>>>,
}

impl EntitlementService for Told {
    async fn entitlements(
        &self,
        _: &ProductCode,
        _: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        Ok((self.grants.lock().unwrap().clone(), None))
    }
}

impl AgreementService for Told {
    async fn describe(&self, _: &AgreementId) -> Result<Option<AgreementDetails>, Error> {
        Ok(None)
    }

    async fn request_cancellation(
        &self,
        _: &AgreementId,
        at: Timestamp,
    ) -> Result<CancellationRequest, Error> {
        Ok(CancellationRequest { id: "acr-1".to_owned(), at })
    }
}

impl SettlementQueue for Told {
    async fn send(&self, _: &SettlementRequest, _: u16) -> Result<(), Error> {
        Ok(())
    }
}

impl MeteringService for Told {
    async fn submit(
        &self,
        _: &ProductCode,
        records: &[OutgoingRecord],
    ) -> Result<Vec<RecordAnswer>, SubmitError> {
        tokio::task::yield_now().await;
        let mut answers = self.answers.lock().unwrap();
        Ok(records.iter().map(|_| answers.pop().unwrap()).collect())
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn context(pricing: PricingModel) -> Context<MemoryStore, Told> {
    let catalog = Catalog::from_toml(include_str!("../../../config/plans.toml")).unwrap();
    let listing = Listing {
        product: "product".parse().unwrap(),
        pricing,
        catalog: Arc::new(catalog),
        window: MeteringWindow::default(),
        late_usage_days: 7,
        heartbeat: false,
    };
    Context { listing, store: MemoryStore::default(), aws: Told::default() }
}

/// A license that is active from one time and ends at another.
fn license(context: &Context<MemoryStore, Told>, from: &str, to: &str) -> SubscriptionId {
    let arn = "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap();
    let license = LicenseRef::License { arn };
    let Listing { product, pricing, .. } = &context.listing;
    let mut state = Subscription::new(license, product.clone(), *pricing, at(from));
    state.account = Some("111122223333".parse().unwrap());
    state.license_facts = LicenseFacts::of(LicenseChange::Updated, at(from));
    state.license_facts.join(&LicenseFacts::of(LicenseChange::Deprovisioned, at(to)));
    state.revision = 1;
    context.store.put_state(state.clone());
    state.id
}

fn used() -> Report {
    Report {
        key: "calls".to_owned(),
        name: "apiCalls".to_owned(),
        quantity: "3".to_owned(),
        at: "2026-11-24T08:30:00Z".to_owned(),
        tags: BTreeMap::new(),
    }
}

#[tokio::test]
async fn a_repeat_of_what_was_counted_is_a_duplicate_even_after_the_end() {
    let context = context(PricingModel::Usage);
    let id = license(&context, "2026-11-24T06:00:00Z", "2026-11-24T09:00:00Z");
    let answer = |reports: Vec<Report>, now: &'static str| {
        let (context, id) = (context.clone(), id.clone());
        async move {
            match report(&context, &id, &reports, at(now)).await.unwrap() {
                Reported::Answers(mut answers) => answers.pop().unwrap(),
                Reported::NoSuchSubscription => panic!("it exists"),
            }
        }
    };
    let first = answer(vec![used()], "2026-11-24T09:10:00Z").await;
    assert!(matches!(first, ReportAnswer::Accepted { .. }), "{first:?}");
    assert_eq!(answer(vec![used()], "2026-11-24T11:00:00Z").await, ReportAnswer::Duplicate);
    assert_eq!(answer(vec![used()], "2026-12-04T11:00:00Z").await, ReportAnswer::Duplicate);
    let other = Report { quantity: "4".to_owned(), ..used() };
    assert_eq!(answer(vec![other], "2026-11-24T11:00:00Z").await, ReportAnswer::Conflict);
    let fresh = Report { key: "more".to_owned(), ..used() };
    assert_eq!(
        answer(vec![fresh.clone()], "2026-11-24T11:00:00Z").await,
        ReportAnswer::Refused(Refusal::SubscriptionEnded)
    );
    let now = at("2026-11-24T11:00:00Z");
    assert_eq!(consume(&context, &id, &used(), None, now).await.unwrap(), Consumed::Duplicate);
    assert_eq!(
        consume(&context, &id, &fresh, None, now).await.unwrap(),
        Consumed::Refused(Refusal::SubscriptionEnded)
    );
}

#[tokio::test]
async fn a_record_sent_before_the_end_is_not_given_up_while_its_answer_may_be_under_way() {
    let context = context(PricingModel::Usage);
    let id = license(&context, "2026-11-24T06:00:00Z", "2026-11-24T09:00:00Z");
    report(&context, &id, &[used()], at("2026-11-24T09:10:00Z")).await.unwrap();
    let flush_at = |now: &'static str, answer: Option<RecordAnswer>| {
        let context = context.clone();
        let id = id.clone();
        async move {
            context.aws.answers.lock().unwrap().extend(answer);
            let clock = Clock::new(move || at(now));
            flush(&context, &clock, &Budget::endless(), &id).await.unwrap()
        }
    };
    let unanswered = || Some(RecordAnswer::Unprocessed);
    context
        .aws
        .answers
        .lock()
        .unwrap()
        .extend([RecordAnswer::Unprocessed, RecordAnswer::Unprocessed]);
    flush_at("2026-11-24T09:11:00Z", unanswered()).await;
    // Past the end: AWS may have taken it, and says so to whoever sent it.
    let late = flush_at("2026-11-24T10:05:00Z", Some(RecordAnswer::NotSubscribed)).await;
    assert_eq!((late.parked, late.concluded), (0, 0));
    let later = flush_at("2026-11-24T10:15:00Z", None).await;
    assert_eq!(
        (later.parked, later.concluded),
        (1, 1),
        "then it is given up, and the end concluded"
    );
    let meters = context.store.meters(&id, Month::of(at("2026-11-24T09:00:00Z"))).await.unwrap();
    assert_eq!(meters.iter().map(|meter| meter.parked).sum::<u64>(), 3);
}

#[tokio::test]
async fn the_end_of_an_older_contract_is_not_undone_by_the_notice_that_its_entitlements_changed() {
    let context = context(PricingModel::Contract);
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
    context.aws.grants.lock().unwrap().insert("basic".to_owned(), basic);
    let bought = told("1", "2026-11-24T06:00:00Z", LegacyChange::EntitlementUpdated);
    take_notice(&context, &bought, at("2026-11-24T06:00:10Z")).await.unwrap();
    context.aws.grants.lock().unwrap().clear();
    let ends = told("2", "2026-11-24T09:00:00Z", LegacyChange::Unsubscribing);
    take_notice(&context, &ends, at("2026-11-24T09:00:10Z")).await.unwrap();
    let withdrawn = told("3", "2026-11-24T09:00:30Z", LegacyChange::EntitlementUpdated);
    let now = at("2026-11-24T09:00:40Z");
    take_notice(&context, &withdrawn, now).await.unwrap();
    let state = context.store.states().pop().unwrap();
    let known = context.store.subscription(&state.id).await.unwrap().unwrap();
    assert!(matches!(known.phase(now), LicensePhase::Closing { .. }), "{:?}", known.phase(now));
}

/// A context with a license on which three units wait, and a flush that AWS answers as told.
async fn with_three_units_waiting() -> (Context<MemoryStore, Told>, SubscriptionId) {
    let context = context(PricingModel::Usage);
    let id = license(&context, "2026-11-24T06:00:00Z", "2026-11-24T09:00:00Z");
    report(&context, &id, &[used()], at("2026-11-24T09:10:00Z")).await.unwrap();
    (context, id)
}

async fn flushed(
    context: &Context<MemoryStore, Told>,
    id: &SubscriptionId,
    now: &'static str,
    answers: &[RecordAnswer],
) -> RunReport {
    context.aws.answers.lock().unwrap().extend(answers.iter().rev().cloned());
    let clock = Clock::new(move || at(now));
    flush(context, &clock, &Budget::endless(), id).await.unwrap()
}

#[tokio::test]
async fn a_duplicate_of_a_record_that_was_never_sent_before_is_somebody_elses_and_not_billed() {
    let (context, id) = with_three_units_waiting().await;
    let now = "2026-11-24T09:11:00Z";
    let report = flushed(&context, &id, now, &[RecordAnswer::AlreadyHeld]).await;
    assert_eq!((report.already_held, report.parked), (0, 1));
    assert_eq!(report.parked_because.get(&ParkReason::Mismatched), Some(&1));
    let meters = context.store.meters(&id, Month::of(at(now))).await.unwrap();
    assert_eq!(meters.iter().map(|meter| (meter.metered, meter.parked)).max(), Some((0, 3)));
}

#[tokio::test]
async fn a_duplicate_of_a_record_that_may_have_been_sent_before_is_ours_and_billed_once() {
    let (context, id) = with_three_units_waiting().await;
    let nothing = [RecordAnswer::Unprocessed, RecordAnswer::Unprocessed, RecordAnswer::Unprocessed];
    flushed(&context, &id, "2026-11-24T09:11:00Z", &nothing).await;
    let report = flushed(&context, &id, "2026-11-24T09:16:00Z", &[RecordAnswer::AlreadyHeld]).await;
    assert_eq!((report.already_held, report.parked), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_repeated_within_a_run_makes_a_duplicate_ours() {
    let (context, id) = with_three_units_waiting().await;
    let answers = [RecordAnswer::Unprocessed, RecordAnswer::AlreadyHeld];
    let report = flushed(&context, &id, "2026-11-24T09:11:00Z", &answers).await;
    assert_eq!((report.already_held, report.parked), (1, 0));
}

#[tokio::test]
async fn whoever_froze_a_record_learns_that_another_scheduler_has_taken_it_over() {
    let (context, id) = with_three_units_waiting().await;
    let answers = [RecordAnswer::AlreadyHeld, RecordAnswer::Accepted(None)];
    let (first, second) = futures::join!(
        flushed(&context, &id, "2026-11-24T09:11:00Z", &answers),
        flushed(&context, &id, "2026-11-24T09:11:30Z", &[]),
    );
    assert_eq!((first.frozen, second.frozen), (1, 0), "the second found it frozen");
    assert_eq!((first.already_held, first.parked, second.parked), (1, 0, 0));
    let meters = context.store.meters(&id, Month::of(at("2026-11-24T09:11:00Z"))).await.unwrap();
    assert_eq!(meters.iter().map(|meter| (meter.metered, meter.parked)).max(), Some((3, 0)));
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
fn buyer(agreement: &str) -> ResolvedBuyer {
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
        let context = context(PricingModel::Usage);
        for turn in 0..=3 {
            if turn == place {
                complete(&context, &buyer("agmt-1"), &profile, now).await.unwrap();
            }
            if let Some(notice) = notices.get(turn) {
                take_notice(&context, notice, now).await.unwrap();
            }
        }
        let state = context.store.states().pop().unwrap();
        assert_eq!(state.access(now), Access::Granted, "registered at {place} of {notices:?}");
    }
}

#[tokio::test]
async fn an_agreement_goes_on_in_its_successor_although_both_were_made_in_the_same_instant() {
    let profile = Profile::new("Acme", "Jo", "jo@example.com").unwrap();
    let when = "2026-11-24T06:01:00Z";
    let first = told_of_agreement("1", when, "agmt-2", None);
    let second = told_of_agreement("2", when, "agmt-1", Some("agmt-2"));
    let updated = told_of_license("3", "2026-11-24T06:03:00Z", "agmt-1");
    let now = at("2026-11-24T06:04:00Z");
    let context = context(PricingModel::Usage);
    complete(&context, &buyer("agmt-2"), &profile, now).await.unwrap();
    for notice in [&first, &second, &updated] {
        take_notice(&context, notice, now).await.unwrap();
    }
    assert_eq!(context.store.states().pop().unwrap().access(now), Access::Granted);
}
