//! Deliveries to webhook endpoints. They share the sparse index `due` with the subscriptions, in a shard of their own.

use app::Error;
use app::ports::{Cursor, Deliveries, Page, Saved};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::delivery::{Delivery, EndpointHealth, EndpointName};
use domain::time::after as later;
use jiff::{SignedDuration, Timestamp};

use crate::DynamoStore;
use crate::error::failed;
use crate::item::{
    DUE_AT, DUE_SHARD, EXPIRES_AT, Item, Key, PK, REVISION, SK, delivery_key, delivery_prefix,
    document, endpoint_key, endpoint_partition, number, read_document, text, text_of,
};
use crate::read::{Query, Sort, get, get_all, query, read_page};
use crate::subscriptions::sortable;
use crate::write::put_alone;

/// The shard of the index `due` that holds deliveries.
const SHARD: &str = "webhooks";

/// How long a delivery can be replayed.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

const WHAT: &str = "a webhook delivery";

impl Deliveries for DynamoStore {
    async fn add_delivery(&self, delivery: &Delivery) -> Result<Saved, Error> {
        self.create(delivery_item(delivery)?).await
    }

    async fn save_delivery(&self, delivery: &Delivery, expected: u64) -> Result<Saved, Error> {
        let item = delivery_item(delivery)?;
        put_alone(&self.client, &self.tables.subscription, item, expected).await
    }

    async fn due_deliveries(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let due = Query {
            table: &self.tables.subscription,
            index: Some("due"),
            partition: (DUE_SHARD, SHARD.to_owned()),
            sort: Sort::UpTo(DUE_AT, sortable(now)),
        };
        let page = query(&self.client, due, after, limit.min(100)).await?;
        let table = self.tables.subscription.as_str();
        let keys = page.items.iter().filter_map(|item| {
            let (pk, sk) = (text_of(item, PK)?, text_of(item, SK)?);
            Some((table, Key::Pair(pk.to_owned(), sk.to_owned())))
        });
        // The index has keys only, and may be behind: the rows themselves decide.
        let rows = get_all(&self.client, keys.collect()).await?;
        let mut items = rows
            .iter()
            .map(|item| read_document(WHAT, item))
            .collect::<Result<Vec<Delivery>, _>>()?;
        items.retain(|delivery| delivery.due().is_some_and(|due| due <= now));
        items.sort_by_key(Delivery::due);
        Ok(Page { items, next: page.next })
    }

    async fn deliveries(
        &self,
        endpoint: &EndpointName,
        from: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Delivery>, Error> {
        let (low, high) = (format!("{}{}", delivery_prefix(), sortable(from)), delivery_prefix());
        let deliveries = Query {
            table: &self.tables.subscription,
            index: None,
            partition: (PK, endpoint_partition(endpoint)),
            // A tilde sorts after every character of an instant.
            sort: Sort::Between(SK, low, format!("{high}~")),
        };
        let page = query(&self.client, deliveries, after, limit).await?;
        read_page(page, |item| read_document(WHAT, item))
    }

    async fn endpoint(&self, name: &EndpointName) -> Result<EndpointHealth, Error> {
        let item = get(&self.client, &self.tables.subscription, endpoint_key(name)).await?;
        match item {
            Some(item) => read_document("a webhook endpoint", &item),
            None => Ok(EndpointHealth::unknown(name.clone())),
        }
    }

    async fn save_endpoint(&self, health: &EndpointHealth, expected: u64) -> Result<Saved, Error> {
        let mut item = document(endpoint_key(&health.endpoint), "a webhook endpoint", health)?;
        item.insert(REVISION.to_owned(), number(health.revision));
        if expected == 0 {
            self.create(item).await
        } else {
            put_alone(&self.client, &self.tables.subscription, item, expected).await
        }
    }
}

impl DynamoStore {
    async fn create(&self, item: Item) -> Result<Saved, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.subscription)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", PK);
        match put.send().await {
            Ok(_) => Ok(Saved::Done),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Saved::Overtaken)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn delivery_item(delivery: &Delivery) -> Result<Item, Error> {
    let key = delivery_key(&delivery.endpoint, &sortable(delivery.at), &delivery.id);
    let mut item = document(key, WHAT, delivery)?;
    item.insert(REVISION.to_owned(), number(delivery.revision));
    item.insert(EXPIRES_AT.to_owned(), number(later(delivery.at, KEPT).as_second()));
    if let Some(due) = delivery.due() {
        item.insert(DUE_SHARD.to_owned(), text(SHARD));
        item.insert(DUE_AT.to_owned(), text(sortable(due)));
    }
    Ok(item)
}
