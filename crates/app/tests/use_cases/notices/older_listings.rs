//! Notices of older listings, which know a product and a customer only.

use app::notices::{Effect, NoticeOutcome};
use domain::catalog::PricingModel;
use domain::entitlement::EntitledValue;
use domain::notice::LegacyChange;
use domain::quantity::Quantity;
use domain::subscription::LicensePhase;

use super::{actions, of_older, only, told};
use crate::{at, world};

fn subscribed(free_trial: bool) -> LegacyChange {
    LegacyChange::Subscribed { offer: None, free_trial }
}

#[tokio::test]
async fn a_customers_life_is_told_by_four_messages() {
    let world = world(PricingModel::Usage);
    let life = [
        ("legacy.failed", LegacyChange::Failed, Effect::Created),
        ("legacy.subscribed", subscribed(false), Effect::Updated),
        ("legacy.unsubscribing", LegacyChange::Unsubscribing, Effect::Ended),
        ("legacy.unsubscribed", LegacyChange::Unsubscribed, Effect::Updated),
    ];
    let mut expected = Vec::new();
    for (hour, (action, change, effect)) in life.into_iter().enumerate() {
        let when = format!("2026-11-24T0{}:00:00Z", hour + 5);
        let outcome = told(&world, action, &when, of_older(change.clone())).await;
        let state = only(&world);
        let subscription = state.id.clone();
        assert_eq!(outcome, NoticeOutcome::Applied { subscription, effect }, "{action}");
        expected.push(action.to_owned());
        assert_eq!(actions(&world, &state.id).await, expected);
        let again = told(&world, action, &when, of_older(change)).await;
        assert_eq!(again, NoticeOutcome::AlreadySeen);
    }
    let state = only(&world);
    assert_eq!(state.customer.unwrap().as_str(), "customer-1");
    assert!(!state.free_trial);
    assert_eq!(world.aws.entitlement_calls(), 0);
    assert_eq!(world.aws.requests().len(), 2, "flushes while the final hour runs");
}

#[tokio::test]
async fn a_free_trial_is_remembered() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T05:00:00Z", of_older(subscribed(true))).await;
    told(&world, "2", "2026-11-24T06:00:00Z", of_older(subscribed(false))).await;
    assert!(only(&world).free_trial);
}

#[tokio::test]
async fn a_contract_is_active_once_something_is_entitled() {
    let world = world(PricingModel::Contract);
    told(&world, "1", "2026-11-24T05:00:00Z", of_older(LegacyChange::EntitlementUpdated)).await;
    let now = at("2026-11-24T07:00:00Z");
    assert_eq!(
        (only(&world).phase(now), world.aws.entitlement_calls()),
        (LicensePhase::Pending, 1)
    );
    world.aws.grant("basic", EntitledValue::Amount(Quantity::whole(1)));
    told(&world, "2", "2026-11-24T06:00:00Z", of_older(LegacyChange::EntitlementUpdated)).await;
    let state = only(&world);
    assert_eq!((state.phase(now), world.aws.entitlement_calls()), (LicensePhase::Active, 2));
    assert_eq!(actions(&world, &state.id).await, vec!["legacy.entitlement-updated"; 2]);
    told(&world, "3", "2026-11-24T06:30:00Z", of_older(LegacyChange::Unsubscribing)).await;
    assert_eq!(world.aws.entitlement_calls(), 2, "an end grants nothing");
}

#[tokio::test]
async fn a_subscription_with_consumption_asks_what_it_includes() {
    let world = world(PricingModel::ContractWithConsumption);
    told(&world, "1", "2026-11-24T05:00:00Z", of_older(subscribed(false))).await;
    assert_eq!(world.aws.entitlement_calls(), 1);
    assert_eq!(only(&world).phase(at("2026-11-24T06:00:00Z")), LicensePhase::Active);
}

#[tokio::test]
async fn a_second_life_is_to_be_concluded_anew() {
    let world = world(PricingModel::Usage);
    told(&world, "1", "2026-11-24T05:00:00Z", of_older(subscribed(false))).await;
    told(&world, "2", "2026-11-24T06:00:00Z", of_older(LegacyChange::Unsubscribing)).await;
    let mut concluded = only(&world);
    concluded.concluded = Some(at("2026-11-24T07:00:00Z"));
    world.store.put_state(concluded);
    told(&world, "3", "2026-11-24T07:00:00Z", of_older(LegacyChange::Unsubscribed)).await;
    assert!(only(&world).concluded.is_some(), "the same end");
    told(&world, "4", "2026-11-24T08:00:00Z", of_older(subscribed(false))).await;
    assert_eq!(only(&world).concluded, None);
}
