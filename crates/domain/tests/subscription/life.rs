//! Where a license is in its life, and what follows for access, status and metering.

use domain::catalog::PricingModel;
use domain::metering::MeteringPhase;
use domain::notice::{AgreementChange, EndStatus, LegacyChange, LicenseChange};
use domain::subscription::{Access, Dated, Hold, LicenseFacts, LicensePhase, Status};

use crate::{
    agreement, at, bought, ended, goes_on_from, in_use, legacy, license, made, subscribed,
};

#[test]
fn access_is_registered_and_active_and_not_held() {
    let mut state = bought();
    assert_eq!((state.access(at(0)), state.status(at(0))), (Access::NotActive, Status::Pending));
    state.register(at(1));
    assert_eq!((state.access(at(1)), state.status(at(1))), (Access::NotActive, Status::Pending));
    let mut state = bought();
    license(&mut state, LicenseChange::Updated, 1);
    assert_eq!(
        (state.access(at(1)), state.status(at(1))),
        (Access::NotRegistered, Status::Pending)
    );
    let mut state = in_use();
    assert_eq!((state.access(at(3)), state.status(at(3))), (Access::Granted, Status::Active));
    state.suspended = Some(Dated { at: at(3), value: true });
    assert_eq!((state.access(at(3)), state.status(at(3))), (Access::OnHold, Status::Suspended));
    assert_eq!(state.hold(), Some(Hold::Seller));
    state.suspended = Some(Dated { at: at(4), value: false });
    assert_eq!((state.access(at(4)), state.hold()), (Access::Granted, None));
}

#[test]
fn an_advisory_holds_while_its_agreement_goes_on_and_until_it_is_resolved() {
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &AgreementChange::AdvisoryIssued, 5);
    assert_eq!((state.hold(), state.access(at(5))), (Some(Hold::Advisory), Access::OnHold));
    let mut resolved = state.clone();
    agreement(&mut resolved, "agmt-1", &AgreementChange::AdvisoryResolved, 6);
    assert_eq!(resolved.hold(), None);
    agreement(&mut state, "agmt-2", &made(), 7);
    agreement(&mut state, "agmt-1", &ended(EndStatus::Replaced), 7);
    assert_eq!(state.hold(), None, "the agreement that AWS warned about is over");
}

#[test]
fn a_license_closes_for_an_hour_and_is_over_then() {
    let mut state = in_use();
    license(&mut state, LicenseChange::Deprovisioned, 10);
    assert_eq!(state.closing_since(), Some(at(10)));
    let until = at(70);
    assert_eq!(state.phase(at(69)), LicensePhase::Closing { until });
    assert_eq!((state.access(at(69)), state.status(at(69))), (Access::Ended, Status::Cancelling));
    assert_eq!(state.metering_phase(at(69)), MeteringPhase::Closing { since: at(1), until });
    assert_eq!(state.due(at(69)), Some(until));
    assert_eq!(state.phase(until), LicensePhase::Ended);
    assert_eq!((state.access(until), state.status(until)), (Access::Ended, Status::Cancelled));
    assert_eq!(state.metering_phase(until), MeteringPhase::Over);
    assert_eq!(state.due(until), Some(until), "the end is to be concluded");
    state.concluded = Some(until);
    assert_eq!(state.due(until), None);
}

#[test]
fn the_earlier_of_agreement_end_and_deprovisioning_closes() {
    for (by_agreement, by_license) in [(10, 20), (20, 10)] {
        let mut state = in_use();
        agreement(&mut state, "agmt-1", &ended(EndStatus::Cancelled), by_agreement);
        license(&mut state, LicenseChange::Deprovisioned, by_license);
        assert_eq!(state.closing_since(), Some(at(10)));
    }
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &ended(EndStatus::Cancelled), 10);
    assert_eq!(state.closing_since(), Some(at(10)), "the agreement alone");
}

#[test]
fn an_end_that_is_older_than_an_update_closes_nothing() {
    let mut state = in_use();
    license(&mut state, LicenseChange::Deprovisioned, 0);
    agreement(&mut state, "agmt-1", &ended(EndStatus::Cancelled), 0);
    assert_eq!(state.closing_since(), None);
    assert_eq!(state.phase(at(20)), LicensePhase::Active);
    let mut state = bought();
    legacy(&mut state, &subscribed(), 1);
    legacy(&mut state, &LegacyChange::Unsubscribing, 0);
    legacy(&mut state, &LegacyChange::Unsubscribed, 0);
    assert_eq!(state.phase(at(20)), LicensePhase::Active);
}

/// AWS tells times in whole seconds (fact sheet §6.3).
#[test]
fn a_license_may_close_in_the_second_in_which_it_was_activated() {
    for change in [LicenseChange::Deprovisioned, LicenseChange::Updated] {
        let mut state = in_use();
        license(&mut state, change, 1);
        let closes = change == LicenseChange::Deprovisioned;
        assert_eq!(state.closing_since(), closes.then_some(at(1)));
    }
    let mut older = bought();
    legacy(&mut older, &subscribed(), 1);
    legacy(&mut older, &LegacyChange::Unsubscribing, 1);
    assert_eq!(older.closing_since(), Some(at(1)));
    legacy(&mut older, &LegacyChange::Unsubscribed, 1);
    assert!(matches!(older.phase(at(20)), LicensePhase::Closing { .. }), "its final hour is kept");
}

#[test]
fn an_agreement_may_end_in_the_second_in_which_its_license_was_activated() {
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &ended(EndStatus::Cancelled), 1);
    assert_eq!(state.closing_since(), Some(at(1)));
    let mut back = state.clone();
    agreement(&mut back, "agmt-2", &made(), 1);
    assert_eq!(back.closing_since(), None, "the activation is that of the agreement that goes on");
    agreement(&mut state, "agmt-2", &made(), 2);
    assert_eq!(state.closing_since(), Some(at(1)), "the activation came before that agreement");
}

#[test]
fn a_term_that_ran_out_is_expired_and_one_that_goes_on_is_not_over() {
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &ended(EndStatus::Expired), 10);
    assert_eq!(state.status(at(70)), Status::Expired);
    let mut renewed = in_use();
    agreement(&mut renewed, "agmt-1", &ended(EndStatus::Renewed), 10);
    assert_eq!(renewed.phase(at(90)), LicensePhase::Active, "a renewal ends nothing");
    agreement(&mut renewed, "agmt-2", &made(), 10);
    agreement(&mut renewed, "agmt-1", &ended(EndStatus::Expired), 11);
    assert_eq!(renewed.phase(at(90)), LicensePhase::Active, "another agreement goes on");
    assert_eq!(renewed.agreements.current().unwrap().as_str(), "agmt-2");
}

/// AWS may tell the end of no agreement that goes on in another one (fact sheet §14, `ended_on_chain`).
#[test]
fn an_agreement_whose_successor_is_known_is_over_without_a_notice_of_its_end() {
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &AgreementChange::AdvisoryIssued, 5);
    agreement(&mut state, "agmt-2", &goes_on_from("agmt-1"), 7);
    assert_eq!(state.hold(), None, "the agreement that AWS warned about is over");
    assert_eq!(state.agreements.current().unwrap().as_str(), "agmt-2");
    assert_eq!(state.phase(at(8)), LicensePhase::Active, "its successor goes on");
    agreement(&mut state, "agmt-2", &ended(EndStatus::Cancelled), 10);
    assert_eq!(state.closing_since(), Some(at(10)), "nobody waits for the end of the former one");
}

/// A payment that fails is told to nobody (fact sheet §6.2).
#[test]
fn an_agreement_that_was_made_after_the_end_opens_nothing_until_its_license_is_told() {
    let mut state = in_use();
    agreement(&mut state, "agmt-1", &ended(EndStatus::Expired), 10);
    agreement(&mut state, "agmt-2", &made(), 80);
    assert_eq!(state.closing_since(), Some(at(10)));
    assert_eq!(state.access(at(90)), Access::Ended);
    license(&mut state, LicenseChange::Updated, 95);
    assert_eq!((state.closing_since(), state.access(at(96))), (None, Access::Granted));
}

#[test]
fn a_successor_that_is_known_before_its_own_beginning_changes_nothing() {
    let mut state = in_use();
    agreement(&mut state, "agmt-2", &ended(EndStatus::Cancelled), 10);
    assert_eq!(state.closing_since(), None, "the first agreement goes on, as far as is known");
    agreement(&mut state, "agmt-2", &goes_on_from("agmt-1"), 7);
    assert_eq!(state.closing_since(), Some(at(10)));
}

#[test]
fn older_listings_tell_the_same_by_four_messages() {
    let mut state = bought();
    legacy(&mut state, &LegacyChange::Failed, 1);
    assert_eq!((state.phase(at(2)), state.status(at(2))), (LicensePhase::Ended, Status::Cancelled));
    legacy(&mut state, &subscribed(), 3);
    assert_eq!(state.phase(at(4)), LicensePhase::Active, "it worked at the second attempt");
    assert_eq!(state.metering_phase(at(4)), MeteringPhase::Open { since: at(3) });
    legacy(&mut state, &LegacyChange::Unsubscribing, 10);
    assert_eq!(state.phase(at(11)), LicensePhase::Closing { until: at(70) });
    legacy(&mut state, &LegacyChange::Unsubscribed, 12);
    assert_eq!(state.phase(at(13)), LicensePhase::Ended, "AWS takes nothing any more");
    assert_eq!(state.metering_phase(at(13)), MeteringPhase::Over);
}

#[test]
fn a_pure_contract_of_an_older_listing_is_active_once_something_is_entitled() {
    let changed = |pricing, entitled| {
        LicenseFacts::of_legacy(&LegacyChange::EntitlementUpdated, pricing, entitled, at(5))
    };
    assert_eq!(changed(PricingModel::Contract, true).activated, Some(at(5)));
    assert_eq!(changed(PricingModel::Contract, true).updated, Some(at(5)));
    assert_eq!(changed(PricingModel::Contract, false), LicenseFacts::default());
    assert_eq!(changed(PricingModel::ContractWithConsumption, true), LicenseFacts::default());
}

#[test]
fn nothing_is_metered_before_activation() {
    assert_eq!(bought().metering_phase(at(5)), MeteringPhase::NotYet);
    let mut state = bought();
    license(&mut state, LicenseChange::Deprovisioned, 5);
    assert_eq!(state.metering_phase(at(6)), MeteringPhase::NotYet, "closing, but never activated");
    assert_eq!(state.metering_phase(at(65)), MeteringPhase::Over);
}

#[test]
fn the_first_activation_and_the_first_registration_count() {
    let mut state = in_use();
    license(&mut state, LicenseChange::Updated, 30);
    license(&mut state, LicenseChange::Updated, 20);
    assert_eq!(
        (state.license_facts.activated, state.license_facts.updated),
        (Some(at(1)), Some(at(30)))
    );
    state.register(at(40));
    assert_eq!(state.registered, Some(at(2)));
    state.register(at(0));
    assert_eq!(state.registered, Some(at(0)));
}

#[test]
fn entitlements_are_read_again_when_they_are_due() {
    let mut state = in_use();
    assert_eq!(state.due(at(3)), None);
    state.reread_entitlements = Some(at(5));
    assert_eq!(state.due(at(3)), Some(at(5)));
    let mut waiting = bought();
    waiting.reread_entitlements = Some(at(5));
    assert_eq!(waiting.due(at(3)), Some(at(5)));
}
