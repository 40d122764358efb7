//! Rows to try a store with.

use domain::audit::{Actor, AuditDraft};
use domain::catalog::{Aggregation, Allowance, Overage, PricingModel};
use domain::ids::{AgreementId, LicenseRef, SubscriptionId};
use domain::metering::{Meter, MeterKey, Tags, Terms, UsageEvent};
use domain::notice::{Channel, LicenseChange};
use domain::quantity::Quantity;
use domain::subscription::{
    AgreementFacts, LicenseFacts, Subscription, TenantNotice, TenantNoticeKind,
};
use domain::time::Month;
use jiff::Timestamp;

use crate::ports::{
    AgreementLink, BookedEvent, Change, Committed, LinkWrite, SeenNotice, StateWrite,
    Subscriptions, UsageWrite,
};

pub(super) fn now() -> Timestamp {
    "2026-11-24T07:30:00Z".parse().unwrap()
}

/// A license of its own for each promise: `name` is hexadecimal-looking or any letters.
pub(super) fn fresh(name: &str) -> Subscription {
    let arn = format!("arn:aws:license-manager::294406891311:license:l-{name}");
    let license = LicenseRef::License { arn: arn.parse().unwrap() };
    let mut state =
        Subscription::new(license, "contract-product".parse().unwrap(), PricingModel::Usage, now());
    state.account = Some("111122223333".parse().unwrap());
    state.revision = 1;
    state
}

pub(super) fn next(state: &Subscription) -> Subscription {
    Subscription { revision: state.revision + 1, ..state.clone() }
}

pub(super) fn active(mut state: Subscription) -> Subscription {
    state.license_facts.join(&LicenseFacts::of(LicenseChange::Updated, now()));
    state
}

pub(super) fn write(after: &Subscription, expected: Option<u64>) -> Change {
    let state = StateWrite { after: after.clone(), expected, now: now() };
    Change { state: Some(state), ..Change::default() }
}

pub(super) async fn created<S: Subscriptions>(store: &S, name: &str) -> Subscription {
    let state = fresh(name);
    assert_eq!(store.commit(&write(&state, None)).await.unwrap(), Committed::Done);
    state
}

pub(super) fn seen(id: &str) -> SeenNotice {
    SeenNotice {
        channel: Channel::EventBridge,
        id: id.parse().unwrap(),
        kind: "license.updated".into(),
        at: now(),
    }
}

pub(super) fn link(name: &str, owner: Option<&SubscriptionId>) -> LinkWrite {
    let agreement: AgreementId = format!("agmt-{name}").parse().unwrap();
    let after = AgreementLink {
        agreement,
        subscription: owner.cloned(),
        facts: AgreementFacts::default(),
        registration: None,
        goes_on_in: None,
        revision: 1,
    };
    LinkWrite { after, expected: None }
}

pub(super) fn provision(state: &Subscription) -> TenantNotice {
    TenantNotice {
        subscription_id: state.id.clone(),
        revision: state.revision,
        at: now(),
        kind: TenantNoticeKind::Provision,
        tenant_id: None,
        plan: None,
        features: std::collections::BTreeSet::new(),
    }
}

pub(super) fn audited(state: &mut Subscription, action: &str) -> domain::audit::AuditEntry {
    let draft = AuditDraft {
        actor: Actor::Buyer,
        action: action.into(),
        changes: std::collections::BTreeMap::new(),
    };
    let id = state.id.clone();
    state.audit.append(&id, draft, now())
}

pub(super) fn meter(state: &Subscription, dimension: &str) -> Meter {
    let key = MeterKey {
        subscription: state.id.clone(),
        month: Month::of(now()),
        dimension: dimension.parse().unwrap(),
    };
    let terms = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
    Meter { revision: 1, ..Meter::new(key, Aggregation::Sum, terms) }
}

pub(super) fn event(key: &str, dimension: &str, quantity: u64) -> BookedEvent {
    BookedEvent {
        event: UsageEvent {
            key: key.parse().unwrap(),
            dimension: dimension.parse().unwrap(),
            quantity: Quantity::whole(quantity),
            at: now(),
            tags: Tags::default(),
        },
        booked_month: Month::of(now()),
        booked_at: now(),
        released: false,
        held_until: None,
    }
}

/// The write that counts events on a meter that does not exist yet.
pub(super) fn first_usage(
    state: &Subscription,
    dimension: &str,
    events: Vec<BookedEvent>,
) -> UsageWrite {
    let mut meter = meter(state, dimension);
    for booked in &events {
        meter.record(booked.event.quantity, now());
    }
    UsageWrite { meter, expected: None, state_revision: state.revision, events, outbox: None }
}
