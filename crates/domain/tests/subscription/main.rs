//! The life of a subscription, decision by decision: phase, access, status, and what the platform is told
//! (`docs/mutants.md` tells which of these nothing noticed before).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod life;
mod platform;
mod record;

use domain::catalog::{Catalog, PricingModel};
use domain::ids::{AgreementId, LicenseRef};
use domain::notice::{AgreementChange, EndStatus, Intent, LegacyChange, LicenseChange};
use domain::subscription::{AgreementFacts, LicenseFacts, Subscription};
use jiff::Timestamp;

/// Minutes after 07:00 on a day in November.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_mins(minutes)
}

pub(crate) fn catalog() -> Catalog {
    Catalog::from_toml(include_str!("../../../../config/plans.toml")).unwrap()
}

pub(crate) fn licensed(name: &str) -> Subscription {
    let arn = format!("arn:aws:license-manager::294406891311:license:{name}").parse().unwrap();
    let license = LicenseRef::License { arn };
    Subscription::new(license, "product".parse().unwrap(), PricingModel::Usage, at(0))
}

pub(crate) fn bought() -> Subscription {
    licensed("l-1")
}

pub(crate) fn license(state: &mut Subscription, change: LicenseChange, minutes: i64) {
    state.license_facts.join(&LicenseFacts::of(change, at(minutes)));
}

pub(crate) fn legacy(state: &mut Subscription, change: &LegacyChange, minutes: i64) {
    let facts = LicenseFacts::of_legacy(change, PricingModel::Usage, false, at(minutes));
    state.license_facts.join(&facts);
}

pub(crate) fn agreement(
    state: &mut Subscription,
    name: &str,
    change: &AgreementChange,
    minutes: i64,
) {
    let id: AgreementId = name.parse().unwrap();
    state.join_agreement(&id, &AgreementFacts::of(change, at(minutes)));
}

pub(crate) fn made() -> AgreementChange {
    AgreementChange::Created { intent: Intent::New, previous: None, offer: None, ends: None }
}

pub(crate) fn goes_on_from(former: &str) -> AgreementChange {
    let previous = Some(former.parse().unwrap());
    AgreementChange::Created { intent: Intent::Replace, previous, offer: None, ends: None }
}

pub(crate) fn ended(how: EndStatus) -> AgreementChange {
    AgreementChange::Ended { how }
}

/// Active at minute 1, registered at minute 2.
pub(crate) fn in_use() -> Subscription {
    let mut state = bought();
    license(&mut state, LicenseChange::Updated, 1);
    agreement(&mut state, "agmt-1", &made(), 1);
    state.register(at(2));
    state
}

pub(crate) fn subscribed() -> LegacyChange {
    LegacyChange::Subscribed { offer: None, free_trial: false }
}
