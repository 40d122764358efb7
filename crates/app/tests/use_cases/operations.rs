//! What operators ask for.

use app::ports::{SettlementRequest, Subscriptions};
use app::subscriptions::request_settlement;
use domain::audit::Actor;
use domain::catalog::PricingModel;

use crate::{at, buyer, world};

#[tokio::test]
async fn who_asked_for_a_settlement_is_in_the_audit_trail_before_the_scheduler_hears_of_it() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    let (who, now) = (Actor::Caller("jo".to_owned()), at("2026-11-24T07:00:00Z"));
    assert!(request_settlement(&world, &state.id, who.clone(), now).await.unwrap());
    let trail = world.store.audit(&state.id, None, 10).await.unwrap().items;
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].action.as_str(), &trail[0].actor), ("settlement.requested", &who));
    let after = world.store.subscription(&state.id).await.unwrap().unwrap();
    assert_eq!((after.revision, after.updated_at), (state.revision + 1, now));
    let flush = SettlementRequest::Flush { subscription: state.id };
    assert_eq!(world.aws.requests(), [(flush, 0)]);
}

#[tokio::test]
async fn nobody_settles_what_nobody_bought() {
    let here = world(PricingModel::Usage);
    let stranger = buyer(&world(PricingModel::Usage), "l-1");
    let (who, now) = (Actor::Caller("jo".to_owned()), at("2026-11-24T07:00:00Z"));
    assert!(!request_settlement(&here, &stranger.id, who, now).await.unwrap());
    assert_eq!(here.aws.requests(), []);
}
