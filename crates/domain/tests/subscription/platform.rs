//! What the platform is told.

use domain::notice::LicenseChange;
use domain::subscription::{Dated, Subscription, Tenant, TenantNoticeKind};
use jiff::Timestamp;

use crate::{at, bought, catalog, in_use, license};

/// What the platform is told when `before` becomes `after`, and the tenant then.
fn told(before: Option<&Subscription>, after: &mut Subscription, now: Timestamp) -> Option<String> {
    let notices = after.move_tenant(before, &catalog(), now);
    for notice in &notices {
        assert_eq!((notice.revision, notice.at), (after.revision, now));
    }
    let kinds: Vec<&str> = notices.iter().map(|notice| notice.kind.as_str()).collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

#[test]
fn the_platform_is_told_to_provision_to_change_to_hold_and_to_revoke() {
    let mut waiting = bought();
    assert_eq!(told(None, &mut waiting, at(0)), None);

    let mut granted = Subscription { updated_at: at(3), ..in_use() };
    let first = told(Some(&waiting), &mut granted, at(3));
    assert_eq!(first.as_deref(), Some("registered, provision"));
    assert_eq!(granted.tenant, Tenant::Requested);
    assert_eq!(told(Some(&granted.clone()), &mut granted, at(4)), None, "nothing changed");

    granted.tenant = Tenant::Ready { id: "t-1".parse().unwrap() };
    let mut upgraded = granted.clone();
    upgraded.plan_set = Some("PREMIUM".parse().unwrap());
    assert_eq!(told(Some(&granted), &mut upgraded, at(5)).as_deref(), Some("planChanged"));

    let mut held = Subscription { updated_at: at(6), ..upgraded.clone() };
    held.suspended = Some(Dated { at: at(6), value: true });
    assert_eq!(told(Some(&upgraded), &mut held, at(6)).as_deref(), Some("suspend"));
    assert_eq!(told(Some(&held.clone()), &mut held, at(7)), None, "held already");
    let mut resumed = held.clone();
    resumed.suspended = None;
    assert_eq!(told(Some(&held), &mut resumed, at(8)).as_deref(), Some("resume"));

    let mut over = resumed.clone();
    license(&mut over, LicenseChange::Deprovisioned, 10);
    let notice = over.move_tenant(Some(&resumed), &catalog(), at(11)).pop().unwrap();
    assert_eq!(notice.kind, TenantNoticeKind::Revoke { final_usage_until: Some(at(70)) });
    assert_eq!(notice.kind.as_str(), "revoke");
    assert_eq!(over.tenant, Tenant::Revoked { id: Some("t-1".parse().unwrap()) });
    assert!(notice.features.is_empty());
    assert_eq!(told(Some(&over.clone()), &mut over, at(12)), None, "revoked already");
    let mut late = resumed.clone();
    license(&mut late, LicenseChange::Deprovisioned, 10);
    let notice = late.move_tenant(Some(&resumed), &catalog(), at(90)).pop().unwrap();
    assert_eq!(notice.kind, TenantNoticeKind::Revoke { final_usage_until: None });
}

#[test]
fn a_revoked_tenant_comes_back_as_it_was_or_is_made() {
    let before = Subscription { registered: Some(at(1)), ..bought() };
    let mut known = in_use();
    known.tenant = Tenant::Revoked { id: Some("t-1".parse().unwrap()) };
    assert_eq!(told(Some(&before), &mut known, at(3)).as_deref(), Some("resume"));
    assert_eq!(known.tenant.id().unwrap().as_str(), "t-1");
    let mut never_made = in_use();
    never_made.tenant = Tenant::Revoked { id: None };
    assert_eq!(told(Some(&before), &mut never_made, at(3)).as_deref(), Some("provision"));
    assert_eq!(never_made.tenant, Tenant::Requested);
}

#[test]
fn a_registration_is_told_once_and_not_when_it_is_inherited_or_comes_after_the_end() {
    let before = bought();
    let mut registered = Subscription { registered: Some(at(3)), ..bought() };
    assert_eq!(told(Some(&before), &mut registered, at(3)).as_deref(), Some("registered"));
    assert_eq!(told(Some(&registered.clone()), &mut registered, at(4)), None, "told already");
    let mut at_once = Subscription { registered: Some(at(3)), ..bought() };
    assert_eq!(told(None, &mut at_once, at(3)).as_deref(), Some("registered"));
    let mut joined = Subscription { registered: Some(at(1)), ..bought() };
    assert_eq!(told(None, &mut joined, at(3)).as_deref(), Some("registered"), "kept until now");

    let earlier = Some("sub_00000000000000000000000000000001".parse().unwrap());
    let mut renewed = Subscription { continues: earlier, ..joined.clone() };
    assert_eq!(told(Some(&before), &mut renewed, at(3)), None, "registered with the earlier one");
    renewed.registered = Some(at(3));
    assert_eq!(told(Some(&before), &mut renewed, at(3)).as_deref(), Some("registered"));

    let mut over = Subscription { registered: Some(at(90)), ..bought() };
    license(&mut over, LicenseChange::Deprovisioned, 10);
    assert_eq!(told(Some(&before), &mut over, at(90)), None, "there is nothing to come");
}

#[test]
fn a_tenant_notice_tells_workspace_plan_and_features() {
    let mut state = in_use();
    state.revision = 7;
    state.tenant = Tenant::Ready { id: "t-1".parse().unwrap() };
    let dimension = "scans".parse().unwrap();
    let kind = TenantNoticeKind::QuotaReached { dimension, percent: 80 };
    let notice = state.tenant_notice(kind, &catalog(), at(3));
    assert_eq!((notice.subscription_id, notice.revision), (state.id, 7));
    assert_eq!(notice.tenant_id.unwrap().as_str(), "t-1");
    assert_eq!(notice.plan.unwrap().as_str(), "BASIC");
    assert_eq!((notice.features.len(), notice.kind.as_str()), (2, "quotaReached"));
}
