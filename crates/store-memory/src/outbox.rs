//! The outbox: what is written but not yet published.

use app::Error;
use app::ports::{Cursor, Outbox, OutboxItem, OutboxKey, Page};
use domain::ids::SubscriptionId;
use domain::subscription::{TenantNotice, TenantNoticeKind};
use domain::time::Month;

use crate::MemoryStore;
use crate::page::page;
use crate::rows::sortable;

impl Outbox for MemoryStore {
    async fn unpublished(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<OutboxItem>, Error> {
        let rows = self.up()?;
        let items = rows.outbox.iter().map(|((subscription, name), notice)| {
            let key = OutboxKey { subscription: subscription.clone(), name: name.clone() };
            let place = format!("{}#{subscription}#{name}", sortable(notice.at));
            (place, OutboxItem { key, notice: notice.clone() })
        });
        page("unpublished", items.collect(), after, limit)
    }

    async fn published(&self, key: &OutboxKey) -> Result<(), Error> {
        self.up()?.outbox.remove(&(key.subscription.clone(), key.name.clone()));
        Ok(())
    }
}

/// What to do with the workspace is named by the state's revision, a registration too, beside it; a quota warning by what
/// it warns of, since no state change makes it.
pub(crate) fn outbox_place(notice: &TenantNotice) -> (SubscriptionId, String) {
    let name = match &notice.kind {
        TenantNoticeKind::QuotaReached { dimension, percent } => {
            format!("OUTBOX#QUOTA#{}#{dimension}#{percent}", Month::of(notice.at))
        }
        TenantNoticeKind::Registered => format!("OUTBOX#REGISTERED#{:020}", notice.revision),
        TenantNoticeKind::Provision
        | TenantNoticeKind::PlanChanged
        | TenantNoticeKind::Suspend
        | TenantNoticeKind::Resume
        | TenantNoticeKind::Revoke { .. } => format!("OUTBOX#{:020}", notice.revision),
    };
    (notice.subscription_id.clone(), name)
}
