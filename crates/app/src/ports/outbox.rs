//! Tenant notices that are written but not yet published.

use std::future::Future;

use domain::ids::SubscriptionId;
use domain::subscription::TenantNotice;

use super::{Cursor, Page};
use crate::Error;

/// Which item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxKey {
    /// Whose.
    pub subscription: SubscriptionId,
    /// The store's name for it within the subscription.
    pub name: String,
}

/// An item and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Which.
    pub key: OutboxKey,
    /// What to publish.
    pub notice: TenantNotice,
}

/// The store of unpublished notices.
pub trait Outbox {
    /// Lists what is not published, oldest first.
    fn unpublished(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> impl Future<Output = Result<Page<OutboxItem>, Error>> + Send;

    /// Forgets an item that was published; absent is fine.
    fn published(&self, key: &OutboxKey) -> impl Future<Output = Result<(), Error>> + Send;
}
