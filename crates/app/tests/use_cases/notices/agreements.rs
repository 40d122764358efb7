//! Agreement notices, before and after the license is known.

use app::notices::{Effect, NoticeOutcome};
use app::ports::AgreementDetails;
use domain::catalog::PricingModel;
use domain::ids::AgreementId;
use domain::notice::LicenseChange::Updated;
use domain::notice::{AgreementChange, EndStatus, Intent};
use domain::subscription::{Hold, LicensePhase};

use super::{actions, created, ended, of_agreement, of_license, only, told};
use crate::{at, world};

#[tokio::test]
async fn an_agreement_is_kept_until_its_license_is_known() {
    let world = world(PricingModel::Usage);
    let purchase = of_agreement("agmt-1", created(Intent::New));
    assert_eq!(told(&world, "1", "2026-11-24T06:00:00Z", purchase).await, NoticeOutcome::Parked);
    let warning = of_agreement("agmt-1", AgreementChange::AdvisoryIssued);
    assert_eq!(told(&world, "2", "2026-11-24T06:00:30Z", warning).await, NoticeOutcome::Parked);
    assert_eq!(world.store.states(), []);
    told(&world, "3", "2026-11-24T06:01:00Z", of_license("agmt-1", Updated)).await;
    let state = only(&world);
    assert_eq!(state.hold(), Some(Hold::Advisory), "what was kept counts");
    assert_eq!(actions(&world, &state.id).await, ["license.updated"]);
}

#[tokio::test]
async fn an_agreement_of_a_known_license_changes_it() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let id = only(&world).id;
    let changes = [
        ("agreement.created", created(Intent::New), Effect::Updated),
        (
            "agreement.amended",
            AgreementChange::Amended { auto_renew: Some(true), ends: None },
            Effect::Updated,
        ),
        ("agreement.advisory-issued", AgreementChange::AdvisoryIssued, Effect::Updated),
        ("agreement.advisory-resolved", AgreementChange::AdvisoryResolved, Effect::Updated),
        ("agreement.ended", ended(EndStatus::Cancelled), Effect::Ended),
    ];
    let mut expected = vec!["license.updated".to_owned()];
    for (number, (action, change, effect)) in changes.into_iter().enumerate() {
        let when = format!("2026-11-24T06:0{}:00Z", number + 1);
        let outcome = told(&world, action, &when, of_agreement("agmt-1", change.clone())).await;
        assert_eq!(outcome, NoticeOutcome::Applied { subscription: id.clone(), effect });
        expected.push(action.to_owned());
        assert_eq!(actions(&world, &id).await, expected);
        let again = told(&world, action, &when, of_agreement("agmt-1", change)).await;
        assert_eq!(again, NoticeOutcome::AlreadySeen);
    }
    assert!(matches!(only(&world).phase(at("2026-11-24T06:06:00Z")), LicensePhase::Closing { .. }));
    assert_eq!(world.aws.requests().len(), 2, "the end, and its repeat, ask for a flush");
}

#[tokio::test]
async fn an_end_that_comes_again_later_is_to_be_concluded_again() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    told(&world, "2", "2026-11-24T07:00:00Z", of_agreement("agmt-1", ended(EndStatus::Cancelled)))
        .await;
    let mut concluded = only(&world);
    concluded.concluded = Some(at("2026-11-24T08:00:00Z"));
    world.store.put_state(concluded);
    let stale = of_agreement("agmt-1", AgreementChange::AdvisoryIssued);
    told(&world, "3", "2026-11-24T06:30:00Z", stale).await;
    assert!(only(&world).concluded.is_some());
    told(&world, "4", "2026-11-24T09:00:00Z", of_agreement("agmt-1", ended(EndStatus::Terminated)))
        .await;
    assert_eq!(only(&world).concluded, None);
}

#[tokio::test]
async fn a_buyer_unknown_so_far_is_named_by_the_agreement() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let mut anonymous = only(&world);
    anonymous.account = None;
    world.store.put_state(anonymous);
    told(&world, "2", "2026-11-24T06:01:00Z", of_agreement("agmt-1", created(Intent::New))).await;
    assert_eq!(only(&world).account.unwrap().as_str(), "111122223333");
}

#[tokio::test]
async fn aws_is_asked_where_the_chain_of_a_renewal_began_and_when_it_ends() {
    let ends = at("2027-11-24T00:00:00Z");
    let details = |initial: &str| AgreementDetails {
        initial: Some(initial.parse().unwrap()),
        ends: Some(ends),
    };
    for (intent, initial, previous) in [
        (Intent::Renew, "agmt-0", Some("agmt-0")),
        (Intent::Replace, "agmt-0", Some("agmt-0")),
        (Intent::Renew, "agmt-1", None),
        (Intent::New, "agmt-0", None),
    ] {
        let world = world(PricingModel::Usage);
        world.aws.describes("agmt-1", details(initial));
        told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
        told(&world, "2", "2026-11-24T06:01:00Z", of_agreement("agmt-1", created(intent))).await;
        let state = only(&world);
        let facts = state.agreements.0.values().next().unwrap();
        assert_eq!(facts.predecessor().map(AgreementId::as_str), previous, "{intent:?} {initial}");
        assert_eq!(state.agreements.current_end(), Some(ends));
    }
}

#[tokio::test]
async fn what_a_notice_says_is_not_replaced_by_what_aws_answers() {
    let world = world(PricingModel::Usage);
    let (initial, ends) = (Some("agmt-0".parse().unwrap()), Some(at("2027-11-24T00:00:00Z")));
    world.aws.describes("agmt-1", AgreementDetails { initial, ends });
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let (previous, said) = (Some("agmt-9".parse().unwrap()), Some(at("2028-01-01T00:00:00Z")));
    let change =
        AgreementChange::Created { intent: Intent::Renew, previous, offer: None, ends: said };
    told(&world, "2", "2026-11-24T06:01:00Z", of_agreement("agmt-1", change)).await;
    let state = only(&world);
    let facts = state.agreements.0.values().next().unwrap();
    assert_eq!(facts.predecessor().unwrap().as_str(), "agmt-9");
    assert_eq!(state.agreements.current_end(), said);
    told(&world, "3", "2026-11-24T06:02:00Z", of_agreement("agmt-1", ended(EndStatus::Renewed)))
        .await;
    assert_eq!(world.aws.described(), 1, "only a new agreement is asked about");
}
