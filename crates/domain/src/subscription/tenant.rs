//! The platform's side: the tenant of a subscription, and the notices that tell the platform what to do.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Access, LicensePhase, Subscription};
use crate::catalog::Catalog;
use crate::ids::{Dimension, FeatureId, PlanId, SubscriptionId, TenantId};

/// The platform workspace of a subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "state")]
pub enum Tenant {
    /// Never asked for.
    #[default]
    None,
    /// Asked for; the platform has not confirmed yet.
    Requested,
    /// Confirmed.
    Ready {
        /// Its name on the platform.
        id: TenantId,
    },
    /// Access ended.
    Revoked {
        /// Its name on the platform, where it was confirmed.
        id: Option<TenantId>,
    },
}

impl Tenant {
    /// Its name on the platform.
    pub fn id(&self) -> Option<&TenantId> {
        match self {
            Self::None | Self::Requested => None,
            Self::Ready { id } => Some(id),
            Self::Revoked { id } => id.as_ref(),
        }
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Requested => f.write_str("requested"),
            Self::Ready { id } => write!(f, "ready {id}"),
            Self::Revoked { id: Some(id) } => write!(f, "revoked {id}"),
            Self::Revoked { id: None } => f.write_str("revoked"),
        }
    }
}

/// What the platform is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum TenantNoticeKind {
    /// The buyer registered, or changed the details since: tell the contact what comes next. Whom to write to is read
    /// over the API; a notice carries no personal data.
    Registered,
    /// Make a workspace and confirm it.
    Provision,
    /// Apply another plan.
    PlanChanged,
    /// Withhold access for now.
    Suspend,
    /// Give access again.
    Resume,
    /// Withhold access for good and report final usage.
    Revoke {
        /// Until when final usage is still billed.
        final_usage_until: Option<Timestamp>,
    },
    /// An included amount is nearly or wholly used.
    QuotaReached {
        /// Of what.
        dimension: Dimension,
        /// 80 or 100.
        percent: u8,
    },
}

impl TenantNoticeKind {
    /// Its stable name, also the message attribute that subscribers filter by.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Provision => "provision",
            Self::PlanChanged => "planChanged",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke { .. } => "revoke",
            Self::QuotaReached { .. } => "quotaReached",
        }
    }
}

/// One message to the platform. Delivered at least once; consumers drop revisions they have passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantNotice {
    /// Whose.
    pub subscription_id: SubscriptionId,
    /// The state it was written with.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// What to do.
    #[serde(rename = "notice")]
    pub kind: TenantNoticeKind,
    /// The workspace, once confirmed.
    pub tenant_id: Option<TenantId>,
    /// The plan in force.
    pub plan: Option<PlanId>,
    /// The features that may be used now.
    pub features: BTreeSet<FeatureId>,
}

impl Subscription {
    /// Moves the tenant along after a change and answers what the platform must be told: at most that the buyer
    /// registered, and what to do with the workspace.
    ///
    /// `before` is the state before the change, absent for a new subscription; `self` already has the revision it will
    /// be written with.
    pub fn move_tenant(
        &mut self,
        before: Option<&Self>,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Vec<TenantNotice> {
        let registered = self.registers(before, now).then_some(TenantNoticeKind::Registered);
        let workspace = self.tenant_change(before, catalog, now);
        let kinds = registered.into_iter().chain(workspace);
        kinds.map(|kind| self.tenant_notice(kind, catalog, now)).collect()
    }

    /// Whether the buyer registers with this change. Who goes on from an earlier subscription has registered there.
    fn registers(&self, before: Option<&Self>, now: Timestamp) -> bool {
        let Some(registered) = self.registered else { return false };
        let was_registered = before.is_some_and(|before| before.registered.is_some());
        let continued = before.and_then(|before| before.continues.as_ref());
        let inherited = self.continues.as_ref() != continued && registered < now;
        !was_registered && !inherited && self.access(now) != Access::Ended
    }

    /// A message to the platform about the state as it is.
    pub fn tenant_notice(
        &self,
        kind: TenantNoticeKind,
        catalog: &Catalog,
        now: Timestamp,
    ) -> TenantNotice {
        TenantNotice {
            subscription_id: self.id.clone(),
            revision: self.revision,
            at: now,
            kind,
            tenant_id: self.tenant.id().cloned(),
            plan: self.plan(catalog).map(|plan| plan.id.clone()),
            features: self.features(catalog, now),
        }
    }

    fn tenant_change(
        &mut self,
        before: Option<&Self>,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Option<TenantNoticeKind> {
        match (self.access(now), &self.tenant) {
            (Access::Granted, Tenant::None) => {
                self.tenant = Tenant::Requested;
                Some(TenantNoticeKind::Provision)
            }
            (Access::Granted, Tenant::Revoked { id }) => {
                self.tenant = id.clone().map_or(Tenant::Requested, |id| Tenant::Ready { id });
                Some(match self.tenant.id() {
                    Some(_) => TenantNoticeKind::Resume,
                    None => TenantNoticeKind::Provision,
                })
            }
            (Access::Granted, Tenant::Requested | Tenant::Ready { .. }) => {
                let had_access =
                    before.is_some_and(|before| before.access(before.updated_at).is_granted());
                if !had_access {
                    return Some(TenantNoticeKind::Resume);
                }
                let plan = |state: &Self| state.plan(catalog).map(|plan| plan.id.clone());
                (before.and_then(plan) != plan(self)).then_some(TenantNoticeKind::PlanChanged)
            }
            (Access::Ended, Tenant::Requested | Tenant::Ready { .. }) => {
                let id = self.tenant.id().cloned();
                self.tenant = Tenant::Revoked { id };
                let final_usage_until = match self.phase(now) {
                    LicensePhase::Closing { until } => Some(until),
                    LicensePhase::Pending | LicensePhase::Active | LicensePhase::Ended => None,
                };
                Some(TenantNoticeKind::Revoke { final_usage_until })
            }
            (
                Access::OnHold | Access::NotActive | Access::NotRegistered,
                Tenant::Requested | Tenant::Ready { .. },
            ) => {
                let had_access =
                    before.is_some_and(|before| before.access(before.updated_at).is_granted());
                had_access.then_some(TenantNoticeKind::Suspend)
            }
            (
                Access::Ended | Access::OnHold | Access::NotActive | Access::NotRegistered,
                Tenant::None | Tenant::Revoked { .. },
            ) => None,
        }
    }
}
