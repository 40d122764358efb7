//! The platform behind the product: it takes tenant notices, drops revisions that it has passed, and opens and closes
//! workspaces.

use domain::subscription::{TenantNotice, TenantNoticeKind};

use crate::bug::Bug;
use crate::core::{Core, Workspace};

/// Takes a notice.
pub(crate) fn receive(core: &Core, notice: &TenantNotice) {
    core.tell(format_args!(
        "the platform hears {} of {} at revision {}",
        notice.kind.as_str(),
        notice.subscription_id,
        notice.revision
    ));
    let mut inner = core.lock();
    let workspace = inner.workspaces.entry(notice.subscription_id.clone()).or_default();
    let passed = notice.revision <= workspace.revision;
    match &notice.kind {
        // Neither is about the workspace; both may have the revision of the change they were written beside.
        TenantNoticeKind::QuotaReached { .. } | TenantNoticeKind::Registered => return,
        _ if passed => return,
        TenantNoticeKind::Provision => {
            *workspace = Workspace { revision: notice.revision, open: true, to_confirm: true };
        }
        TenantNoticeKind::PlanChanged | TenantNoticeKind::Resume => {
            workspace.revision = notice.revision;
            workspace.open = true;
        }
        TenantNoticeKind::Suspend | TenantNoticeKind::Revoke { .. } => {
            workspace.revision = notice.revision;
            workspace.open = false;
        }
    }
    if core.is(Bug::RevokePerAccount) && matches!(notice.kind, TenantNoticeKind::Revoke { .. }) {
        let account = inner.accounts.get(&notice.subscription_id).cloned();
        let same: Vec<_> = inner
            .accounts
            .iter()
            .filter(|(_, other)| Some(*other) == account.as_ref())
            .map(|(id, _)| id.clone())
            .collect();
        for id in same {
            if let Some(workspace) = inner.workspaces.get_mut(&id) {
                workspace.open = false;
            }
        }
    }
}
