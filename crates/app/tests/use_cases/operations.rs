//! What operators ask for.

use app::parked::{Closed, close};
use app::ports::{RecordAnswer, SettlementRequest, Subscriptions};
use app::subscriptions::request_settlement;
use domain::audit::{Actor, FieldChange};
use domain::catalog::PricingModel;
use domain::metering::Closing;

use crate::scripted::Answer;
use crate::{at, buyer, ledger, run_at, use_scans, world};

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

#[tokio::test]
async fn what_was_closed_how_and_why_is_in_the_audit_trail() {
    let world = world(PricingModel::Usage);
    let state = buyer(&world, "l-1");
    use_scans(&world, &state.id, 7, "2026-11-24T07:30:00Z").await;
    world.aws.answer([Answer::Each(RecordAnswer::HeldDifferently)]);
    run_at(&world, "2026-11-24T08:05:00Z").await;
    let parked = ledger(&world)[0].name();
    let (who, now) = (Actor::Caller("jo".to_owned()), at("2026-11-24T09:00:00Z"));
    let closed = close(&world, &parked, Closing::WrittenOff, "agreed by phone", who, now).await;
    assert_eq!(closed.unwrap(), Closed::Done);
    let trail = world.store.audit(&state.id, None, 10).await.unwrap().items;
    let what = |status: &str| Some(format!("7 scans of 2026-11, 2026-11-24T07Z: {status}"));
    let changes = &trail[0].changes;
    assert_eq!(
        changes["parked"],
        FieldChange { from: what("parked mismatched"), to: what(Closing::WrittenOff.as_str()) }
    );
    let note = FieldChange { from: None, to: Some("agreed by phone".to_owned()) };
    assert_eq!(changes["note"], note, "there was no note before");
}
