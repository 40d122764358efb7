//! What a subscription remembers and shows: names, agreements, plan, the buyer's earlier subscription, audit facts.

use domain::catalog::PricingModel;
use domain::entitlement::{EntitledValue, EntitlementSnapshot};
use domain::ids::AgreementId;
use domain::notice::{AgreementChange, EndStatus, Intent, LicenseChange};
use domain::quantity::Quantity;
use domain::subscription::{
    Access, AgreementFacts, CancellationRequest, Dated, Hold, LicensePhase, Status, Subscription,
    Tenant,
};

use crate::{agreement, at, bought, catalog, ended, goes_on_from, in_use, license, licensed, made};

#[test]
fn names_are_what_interfaces_and_audit_entries_say() {
    let statuses = Status::ALL.map(|status| status.to_string());
    assert_eq!(statuses, ["PENDING", "ACTIVE", "SUSPENDED", "CANCELLING", "CANCELLED", "EXPIRED"]);
    let access =
        [Access::Granted, Access::NotActive, Access::NotRegistered, Access::OnHold, Access::Ended];
    assert_eq!(
        access.map(Access::as_str),
        ["granted", "not-active", "not-registered", "on-hold", "ended"]
    );
    assert!(access.map(Access::is_granted) == [true, false, false, false, false]);
    let phases = [
        LicensePhase::Pending,
        LicensePhase::Active,
        LicensePhase::Closing { until: at(0) },
        LicensePhase::Ended,
    ];
    assert_eq!(phases.map(LicensePhase::as_str), ["pending", "active", "closing", "ended"]);
    let id = "t-1".parse().unwrap();
    let tenants = [
        Tenant::None,
        Tenant::Requested,
        Tenant::Ready { id },
        Tenant::Revoked { id: None },
        Tenant::Revoked { id: Some("t-1".parse().unwrap()) },
    ];
    assert_eq!(
        tenants.map(|tenant| tenant.to_string()),
        ["none", "requested", "ready t-1", "revoked", "revoked t-1"]
    );
}

#[test]
fn the_current_agreement_is_the_one_that_goes_on_or_was_made_last() {
    let mut state = bought();
    let ends = Some(at(1000));
    let term =
        AgreementChange::Created { intent: Intent::Renew, previous: None, offer: None, ends };
    agreement(&mut state, "agmt-1", &made(), 1);
    assert_eq!(state.agreements.current_end(), None);
    agreement(&mut state, "agmt-0", &term, 2);
    assert_eq!(state.agreements.current().unwrap().as_str(), "agmt-0", "the newer one");
    assert_eq!(state.agreements.current_end(), ends);
    agreement(&mut state, "agmt-0", &ended(EndStatus::Cancelled), 3);
    assert_eq!(state.agreements.current().unwrap().as_str(), "agmt-1", "the one that goes on");
    let moved = AgreementChange::Amended { auto_renew: Some(true), ends: Some(at(2000)) };
    agreement(&mut state, "agmt-1", &moved, 4);
    assert_eq!(state.agreements.current_end(), Some(at(2000)));
    let facts = AgreementFacts::of(&moved, at(4));
    assert_eq!(facts.auto_renew, Some(Dated { at: at(4), value: true }));
}

#[test]
fn an_agreement_knows_the_one_it_goes_on_from() {
    let former: AgreementId = "agmt-1".parse().unwrap();
    let facts = AgreementFacts::of(&goes_on_from(former.as_str()), at(1));
    assert_eq!(facts.predecessor(), Some(&former));
    assert_eq!(AgreementFacts::of(&made(), at(1)).predecessor(), None);
}

#[test]
fn only_a_listing_with_entitlements_waits_for_their_first_answer() {
    let provisional = |pricing| Subscription { pricing, ..bought() }.terms_are_provisional();
    assert!(!provisional(PricingModel::Usage));
    assert!(
        provisional(PricingModel::Contract) && provisional(PricingModel::ContractWithConsumption)
    );
    let snapshot = EntitlementSnapshot { as_of: at(1), values: [].into(), expires: None };
    let answered =
        Subscription { pricing: PricingModel::Contract, entitlements: Some(snapshot), ..bought() };
    assert!(!answered.terms_are_provisional());
}

#[test]
fn the_plan_is_the_entitled_one_then_the_sellers_then_the_default() {
    let catalog = catalog();
    let plan = |state: &Subscription| state.plan(&catalog).unwrap().id.to_string();
    let mut state = in_use();
    assert_eq!(plan(&state), "BASIC");
    state.plan_set = Some("PREMIUM".parse().unwrap());
    assert_eq!(plan(&state), "PREMIUM");
    let values = [("standard".to_owned(), EntitledValue::Amount(Quantity::whole(1)))].into();
    state.entitlements = Some(EntitlementSnapshot { as_of: at(3), values, expires: None });
    assert_eq!(plan(&state), "STANDARD");
    assert_eq!(state.features(&catalog, at(4)).len(), 5);
    license(&mut state, LicenseChange::Deprovisioned, 5);
    assert!(state.features(&catalog, at(6)).is_empty(), "none without access");
}

#[test]
fn a_buyer_who_comes_back_goes_on_with_registration_plan_tenant_and_the_sellers_hold() {
    let mut earlier = in_use();
    earlier.suspended = Some(Dated { at: at(3), value: true });
    earlier.plan_set = Some("PREMIUM".parse().unwrap());
    earlier.tenant = Tenant::Revoked { id: Some("t-1".parse().unwrap()) };
    let ready = Tenant::Ready { id: "t-1".parse().unwrap() };

    let mut next = licensed("l-2");
    next.continue_from(&earlier);
    assert_eq!(next.continues, Some(earlier.id.clone()));
    assert_eq!((next.registered, &next.plan_set), (Some(at(2)), &earlier.plan_set));
    assert_eq!(next.tenant, ready);
    assert_eq!(next.hold(), Some(Hold::Seller), "who is held does not get away by a new agreement");

    let mut decided = licensed("l-3");
    decided.plan_set = Some("STANDARD".parse().unwrap());
    decided.tenant = Tenant::Ready { id: "t-3".parse().unwrap() };
    decided.suspended = Some(Dated { at: at(4), value: false });
    decided.continue_from(&earlier);
    assert_eq!(decided.plan_set, Some("STANDARD".parse().unwrap()), "its own plan stays");
    assert_eq!(decided.hold(), None, "the hold was lifted");
    assert_eq!(decided.tenant, Tenant::Ready { id: "t-3".parse().unwrap() });

    let mut unregistered = licensed("l-4");
    unregistered.tenant = Tenant::Requested;
    unregistered.continue_from(&licensed("l-5"));
    assert_eq!((unregistered.registered, &unregistered.tenant), (None, &Tenant::Requested));
    let first = unregistered.continues.clone();
    unregistered.continue_from(&earlier);
    assert_eq!(
        (unregistered.continues, unregistered.registered),
        (first, None),
        "the first counts"
    );

    let mut itself = in_use();
    itself.continue_from(&in_use());
    assert_eq!(itself.continues, None);
}

#[test]
fn an_audit_entry_can_tell_every_fact() {
    let catalog = catalog();
    let few = bought().summary(&catalog, at(0));
    let names: Vec<_> = few.keys().map(String::as_str).collect();
    assert_eq!(names, ["access", "license", "plan", "status", "tenant"]);

    let mut state = in_use();
    state.account = Some("123456789012".parse().unwrap());
    state.suspended = Some(Dated { at: at(3), value: true });
    state.continues = Some(licensed("l-0").id);
    state.concluded = Some(at(99));
    state.cancellation = Some(CancellationRequest { id: "acr-1".to_owned(), at: at(4) });
    state.entitlements =
        Some(EntitlementSnapshot { as_of: at(3), values: [].into(), expires: None });
    let ends = AgreementChange::Amended { auto_renew: None, ends: Some(at(500)) };
    agreement(&mut state, "agmt-1", &ends, 4);
    agreement(&mut state, "agmt-1", &ended(EndStatus::Cancelled), 5);
    let told = state.summary(&catalog, at(6));
    let expected = [
        ("access", "ended"),
        ("account", "123456789012"),
        ("agreement", "agmt-1"),
        ("agreementEnded", "Cancelled"),
        ("agreementEnds", &at(500).to_string()),
        ("cancellation", "acr-1"),
        ("closingSince", &at(5).to_string()),
        ("concluded", &at(99).to_string()),
        ("continues", licensed("l-0").id.as_str()),
        ("entitlements", "none"),
        ("hold", "Seller"),
        ("license", "closing"),
        ("licenseUpdated", &at(1).to_string()),
        ("plan", "BASIC"),
        ("registered", &at(2).to_string()),
        ("status", "CANCELLING"),
        ("tenant", "none"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(told, expected.into());
}

fn answered(minutes: i64, plan: Option<&str>) -> EntitlementSnapshot {
    let value = || EntitledValue::Amount(Quantity::whole(1));
    let values = plan.map(|plan| (plan.to_owned(), value())).into_iter().collect();
    EntitlementSnapshot { as_of: at(minutes), values, expires: None }
}

#[test]
fn the_newest_answer_about_entitlements_counts() {
    let mut state = bought();
    state.reread_entitlements = Some(at(5));
    state.take_entitlements(answered(3, Some("basic")), at(8));
    assert_eq!(
        (&state.entitlements, state.reread_entitlements),
        (&Some(answered(3, Some("basic"))), None)
    );
    state.take_entitlements(answered(2, Some("premium")), at(8));
    assert_eq!(state.entitlements, Some(answered(3, Some("basic"))), "that answer is older");
    state.take_entitlements(answered(3, Some("premium")), at(8));
    assert_eq!(state.entitlements, Some(answered(3, Some("premium"))), "told last");
    state.take_entitlements(answered(4, Some("standard")), at(8));
    assert_eq!(state.entitlements, Some(answered(4, Some("standard"))));
}

#[test]
fn an_empty_answer_is_asked_again_and_takes_nothing_away() {
    let mut state = bought();
    state.take_entitlements(answered(3, None), at(8));
    assert_eq!((&state.entitlements, state.reread_entitlements), (&None, Some(at(8))));
    state.take_entitlements(answered(4, Some("basic")), at(9));
    state.take_entitlements(answered(5, None), at(10));
    assert_eq!(
        (&state.entitlements, state.reread_entitlements),
        (&Some(answered(4, Some("basic"))), None)
    );
}
