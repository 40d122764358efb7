//! The outbox: what is written but not yet published.

use app::Error;
use app::ports::{Cursor, Outbox, OutboxItem, OutboxKey, Page};

use crate::DynamoStore;
use crate::error::failed;
use crate::item::{
    Item, ONE_SHARD, OUTBOX_SHARD, PK, SK, is_outbox_key, missing, outbox_key_named, read_document,
    subscription_of_key, text_of,
};
use crate::read::{Query, Sort, query, read_page};

impl Outbox for DynamoStore {
    async fn unpublished(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<OutboxItem>, Error> {
        let unpublished = Query {
            table: &self.tables.subscription,
            index: Some("unpublished"),
            partition: (OUTBOX_SHARD, ONE_SHARD.to_owned()),
            sort: Sort::All,
        };
        read_page(query(&self.client, unpublished, after, limit).await?, read_item)
    }

    async fn published(&self, key: &OutboxKey) -> Result<(), Error> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.subscription)
            .set_key(Some(outbox_key_named(key).into_item()));
        delete.send().await.map_err(failed)?;
        Ok(())
    }
}

/// Reads what a stream of the subscription table tells of a new item; `None` is an item that is not of the outbox.
///
/// # Errors
/// When it is of the outbox and cannot be read.
pub fn outbox_item(image: serde_dynamo::Item) -> Result<Option<OutboxItem>, Error> {
    let item: Item = image.into();
    match text_of(&item, SK) {
        Some(sk) if is_outbox_key(sk) => read_item(&item).map(Some),
        Some(_) | None => Ok(None),
    }
}

/// An outbox item as a stream would show it.
///
/// # Errors
/// Never for a notice that was read from the store.
pub fn stream_image(item: &OutboxItem) -> Result<serde_dynamo::Item, Error> {
    Ok(crate::subscriptions::outbox_item(&item.notice)?.into())
}

fn read_item(item: &Item) -> Result<OutboxItem, Error> {
    const WHAT: &str = "an item of the outbox";
    let subscription =
        text_of(item, PK).and_then(subscription_of_key).ok_or_else(|| missing(WHAT, PK))?;
    let name = text_of(item, SK).ok_or_else(|| missing(WHAT, SK))?.to_owned();
    Ok(OutboxItem { key: OutboxKey { subscription, name }, notice: read_document(WHAT, item)? })
}
