//! What a change of plan does to meters, whether they exist or not.

use app::ports::Outbox;
use domain::catalog::{Allowance, PricingModel};
use domain::entitlement::EntitledValue;
use domain::notice::LicenseChange::Updated;
use domain::quantity::Quantity;

use super::{of_license, only, told};
use crate::{World, at, use_scans, world};

fn one() -> EntitledValue {
    EntitledValue::Amount(Quantity::whole(1))
}

async fn registered(world: &World) {
    told(world, "1", "2026-11-24T06:00:00Z", of_license("agmt-1", Updated)).await;
    let mut state = only(world);
    state.register(at("2026-11-24T06:00:00Z"));
    world.store.put_state(state);
}

#[tokio::test]
async fn what_the_platform_must_be_told_is_written_with_the_change() {
    let world = world(PricingModel::ContractWithConsumption);
    world.aws.grant("basic", one());
    registered(&world).await;
    told(&world, "2", "2026-11-24T07:00:00Z", of_license("agmt-1", Updated)).await;
    let waiting = world.store.unpublished(None, 10).await.unwrap().items;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].notice.kind.as_str(), waiting[0].notice.revision), ("provision", 2));
}

#[tokio::test]
async fn an_upgrade_charges_nothing_of_the_past_and_includes_more_from_now_on() {
    let world = world(PricingModel::ContractWithConsumption);
    world.aws.grant("basic", one());
    registered(&world).await;
    use_scans(&world, &only(&world).id, 150, "2026-11-24T06:30:00Z").await;
    world.aws.grant("standard", one());
    world.aws.withdraw("basic");
    told(&world, "2", "2026-11-24T07:00:00Z", of_license("agmt-1", Updated)).await;
    let meter = world.store.all_meters().pop().unwrap();
    assert_eq!(meter.terms.included, Allowance::Limited(Quantity::whole(500)));
    assert_eq!((meter.base, meter.due()), (Quantity::whole(150), Quantity::whole(50)));
    assert_eq!(meter.revision, 2);
}

#[tokio::test]
async fn terms_that_become_known_judge_this_month_and_the_last_one_while_it_is_open() {
    for (now, judged) in [("2026-12-01T05:59:49Z", 50), ("2026-12-01T05:59:50Z", 0)] {
        let world = world(PricingModel::ContractWithConsumption);
        registered(&world).await;
        use_scans(&world, &only(&world).id, 150, "2026-11-30T22:30:00Z").await;
        assert_eq!(world.store.all_meters()[0].due(), Quantity::ZERO, "not known yet");
        world.aws.grant("basic", one());
        told(&world, "2", now, of_license("agmt-1", Updated)).await;
        let meter = world.store.all_meters().pop().unwrap();
        assert_eq!(meter.due(), Quantity::whole(judged), "{now}");
    }
}

#[tokio::test]
async fn a_change_that_leaves_the_terms_alone_leaves_meters_alone() {
    let world = world(PricingModel::ContractWithConsumption);
    world.aws.grant("basic", one());
    registered(&world).await;
    use_scans(&world, &only(&world).id, 150, "2026-11-24T06:30:00Z").await;
    told(&world, "2", "2026-11-24T07:00:00Z", of_license("agmt-1", Updated)).await;
    assert_eq!(world.store.all_meters().pop().unwrap().revision, 1);
}
