//! What the platform asks before it lets a buyer do something.

use app::entitlements::{Checked, Question, check, overview};
use app::usage::Refusal;
use domain::catalog::PricingModel;
use domain::entitlement::{Decision, EntitledValue, EntitlementSnapshot};
use domain::quantity::Quantity;
use domain::subscription::{Access, Subscription};

use crate::{World, at, buyer, ends, use_scans, world};

const NOW: &str = "2026-11-24T07:30:00Z";

/// A buyer of the basic plan of a contract: 100 scans, no more.
fn basic(world: &World) -> Subscription {
    let mut state = buyer(world, "l-1");
    let values = [("basic".to_owned(), EntitledValue::Amount(Quantity::whole(1)))].into();
    state.entitlements = Some(EntitlementSnapshot { as_of: at(NOW), values, expires: None });
    world.store.put_state(state.clone());
    state
}

fn question(feature: Option<&str>, dimension: Option<&str>, quantity: Option<&str>) -> Question {
    let text = |text: &str| text.to_owned();
    Question {
        feature: feature.map(text),
        dimension: dimension.map(text),
        quantity: quantity.map(text),
    }
}

async fn asked(world: &World, state: &Subscription, question: Question) -> Checked {
    check(world, &state.id, &question, at(NOW)).await.unwrap()
}

#[tokio::test]
async fn one_more_is_meant_when_no_quantity_is_given() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    use_scans(&world, &state.id, 99, NOW).await;
    let decided = |checked| match checked {
        Checked::Decided { decision, usage } => (decision, usage.unwrap().remaining),
        Checked::NoSuchSubscription | Checked::Refused(_) => panic!("{checked:?}"),
    };
    let left = Some(Quantity::whole(1));
    for name in ["scans", "totalScans"] {
        let one = asked(&world, &state, question(None, Some(name), None)).await;
        assert_eq!(decided(one), (Decision::Allowed, left));
    }
    let two = asked(&world, &state, question(None, Some("scans"), Some("2"))).await;
    assert_eq!(decided(two), (Decision::QuotaExceeded, left));
}

#[tokio::test]
async fn a_feature_is_in_the_plan_or_not() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    let usage = None;
    for (feature, decision) in
        [("basic-reports", Decision::Allowed), ("ai-chat", Decision::FeatureNotInPlan)]
    {
        let answer = asked(&world, &state, question(Some(feature), None, None)).await;
        assert_eq!(answer, Checked::Decided { decision, usage: usage.clone() });
    }
}

#[tokio::test]
async fn a_question_that_names_nothing_known_is_refused() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    let feature = asked(&world, &state, question(Some("telepathy"), None, None)).await;
    assert_eq!(feature, Checked::Refused(Refusal::UnknownFeature));
    let dimension = asked(&world, &state, question(None, Some("wishes"), None)).await;
    assert_eq!(dimension, Checked::Refused(Refusal::UnknownDimension));
    let quantity = asked(&world, &state, question(None, Some("scans"), Some("-1"))).await;
    assert!(matches!(quantity, Checked::Refused(Refusal::InvalidQuantity(_))), "{quantity:?}");
}

#[tokio::test]
async fn nobody_has_what_nobody_bought() {
    let world = world(PricingModel::Contract);
    let stranger = basic(&crate::world(PricingModel::Contract));
    let answer = asked(&world, &stranger, question(None, Some("scans"), None)).await;
    assert_eq!(answer, Checked::NoSuchSubscription);
    assert_eq!(overview(&world, &stranger.id, at(NOW)).await.unwrap(), None);
}

#[tokio::test]
async fn an_end_leaves_no_access() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    let state = ends(&world, &state, "2026-11-24T07:00:00Z");
    let answer = asked(&world, &state, Question::default()).await;
    let decision = Decision::NoAccess(Access::Ended);
    assert_eq!(answer, Checked::Decided { decision, usage: None });
}

#[tokio::test]
async fn a_store_that_is_down_is_no_yes() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    world.store.set_down(true);
    check(&world, &state.id, &Question::default(), at(NOW)).await.unwrap_err();
}

#[tokio::test]
async fn an_overview_shows_every_dimension_with_what_is_used() {
    let world = world(PricingModel::Contract);
    let state = basic(&world);
    use_scans(&world, &state.id, 40, NOW).await;
    let view = overview(&world, &state.id, at(NOW)).await.unwrap().unwrap();
    assert_eq!(view.plan.unwrap().as_str(), "BASIC");
    assert_eq!((view.access, view.features.len(), view.as_of), (Access::Granted, 2, Some(at(NOW))));
    let names: Vec<_> = view.dimensions.iter().map(|it| it.dimension.to_string()).collect();
    let known: Vec<_> =
        world.listing.catalog.dimensions().iter().map(|spec| spec.id.to_string()).collect();
    assert_eq!(names, known);
    let used: Vec<_> = view.dimensions.iter().filter(|it| !it.used.is_zero()).collect();
    assert_eq!(used.len(), 1);
    assert_eq!((used[0].dimension.as_str(), used[0].used), ("scans", Quantity::whole(40)));
}
