//! License notices: the activation signal and the end of entitlements.

use app::notices::{Effect, NoticeOutcome, take_notice};
use app::ports::{SettlementRequest, Subscriptions};
use domain::catalog::PricingModel;
use domain::entitlement::EntitledValue;
use domain::notice::LicenseChange::{Deprovisioned, Updated};
use domain::notice::NoticeBody;
use domain::quantity::Quantity;
use domain::subscription::{Access, LicensePhase};

use super::{actions, notice, of_license, only, told};
use crate::{at, world};

#[tokio::test]
async fn an_update_takes_the_license_up_and_activates_it() {
    let world = world(PricingModel::Usage);
    let outcome = told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let state = only(&world);
    let subscription = state.id.clone();
    assert_eq!(outcome, NoticeOutcome::Applied { subscription, effect: Effect::Created });
    assert_eq!(state.phase(at("2026-11-24T06:01:00Z")), LicensePhase::Active);
    assert_eq!(state.license_facts.activated, Some(at("2026-11-24T06:00:00Z")));
    assert_eq!(state.account.unwrap().as_str(), "111122223333");
    assert_eq!(state.agreements.current().unwrap().as_str(), "agmt-1");
    assert_eq!((state.revision, world.aws.entitlement_calls()), (1, 0), "nothing is entitled");
    assert_eq!(actions(&world, &state.id).await, ["license.updated"]);
    assert_eq!(world.store.seen(), ["event-bridge/1"]);
}

#[tokio::test]
async fn an_update_asks_what_was_bought_once_and_an_older_one_does_not() {
    let world = world(PricingModel::Contract);
    world.aws.grant("premium", EntitledValue::Amount(Quantity::whole(1)));
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(world.aws.entitlement_calls(), 1);
    assert_eq!(only(&world).plan(&world.listing.catalog).unwrap().id.as_str(), "PREMIUM");
    told(&world, "2", "2026-11-24T05:59:00Z", of_license("agmt-1", Updated)).await;
    told(&world, "3", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(world.aws.entitlement_calls(), 1, "the answer is newer than those");
    told(&world, "4", "2026-11-24T07:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(world.aws.entitlement_calls(), 2);
    told(&world, "5", "2026-11-24T08:00:00Z", of_license("agmt-1", Deprovisioned)).await;
    assert_eq!(world.aws.entitlement_calls(), 2, "an end grants nothing new");
}

#[tokio::test]
async fn a_repeat_changes_nothing() {
    let world = world(PricingModel::Usage);
    let body = || of_license("agmt-1", Updated);
    told(&world, "1", "2026-11-24T06:00:00Z", body()).await;
    let before = only(&world);
    let again = told(&world, "1", "2026-11-24T06:00:00Z", body()).await;
    assert_eq!(again, NoticeOutcome::AlreadySeen);
    assert_eq!(only(&world), before);
    assert_eq!(world.aws.requests(), []);
}

#[tokio::test]
async fn another_notice_of_what_is_known_changes_nothing_and_is_remembered() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let before = only(&world);
    let outcome = told(&world, "2", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let subscription = before.id.clone();
    assert_eq!(outcome, NoticeOutcome::Applied { subscription, effect: Effect::None });
    assert_eq!(only(&world), before);
    assert_eq!(actions(&world, &before.id).await.len(), 1);
    assert_eq!(world.store.seen().len(), 2);
}

#[tokio::test]
async fn an_end_closes_asks_for_the_flush_and_a_repeat_asks_again() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let body = || of_license("agmt-1", Deprovisioned);
    let outcome = told(&world, "2", "2026-11-24T08:00:00Z", body()).await;
    let state = only(&world);
    let subscription = state.id.clone();
    assert_eq!(outcome, NoticeOutcome::Applied { subscription, effect: Effect::Ended });
    assert_eq!(state.access(at("2026-11-24T08:01:00Z")), Access::Ended);
    let flush = || (SettlementRequest::Flush { subscription: state.id.clone() }, 0);
    assert_eq!(world.aws.requests(), [flush()]);
    told(&world, "2", "2026-11-24T08:00:00Z", body()).await;
    assert_eq!(world.aws.requests(), [flush(), flush()], "the first request may be lost");
    let late = notice("2", "2026-11-24T08:00:00Z", body());
    take_notice(&world, &late, at("2026-11-24T09:00:00Z")).await.unwrap();
    assert_eq!(world.aws.requests().len(), 2, "the final hour is over");
}

#[tokio::test]
async fn a_license_that_is_opened_again_is_not_concluded_any_more() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    told(&world, "2", "2026-11-24T07:00:00Z", of_license("agmt-1", Deprovisioned)).await;
    let mut concluded = only(&world);
    concluded.concluded = Some(at("2026-11-24T08:00:00Z"));
    world.store.put_state(concluded);
    told(&world, "3", "2026-11-24T07:00:00Z", of_license("agmt-1", Deprovisioned)).await;
    assert!(only(&world).concluded.is_some(), "nothing new");
    told(&world, "4", "2026-11-24T09:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(only(&world).concluded, None);
}

#[tokio::test]
async fn another_listings_notices_are_left_alone() {
    let mut world = world(PricingModel::Usage);
    world.listing.product = "another".parse().unwrap();
    let outcome = told(&world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(outcome, NoticeOutcome::OtherListing);
    assert_eq!((world.store.states(), world.store.seen()), (vec![], vec![]));
}

#[tokio::test]
async fn a_kind_that_nobody_knows_is_remembered_by_its_name() {
    let world = world(PricingModel::Usage);
    let body = || NoticeBody::Unknown { kind: "Something New".to_owned() };
    assert_eq!(told(&world, "1", "2026-11-24T06:00:00Z", body()).await, NoticeOutcome::Stored);
    assert_eq!(world.store.seen(), ["event-bridge/1"]);
    assert_eq!(world.store.states(), []);
}

#[tokio::test]
async fn a_store_that_is_down_lets_the_notice_come_again() {
    let world = world(PricingModel::Usage);
    let update = notice("1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated));
    world.store.set_down(true);
    take_notice(&world, &update, at("2026-11-24T06:00:10Z")).await.unwrap_err();
    world.store.set_down(false);
    take_notice(&world, &update, at("2026-11-24T06:00:20Z")).await.unwrap();
    assert!(world.store.subscription(&only(&world).id).await.unwrap().is_some());
}
