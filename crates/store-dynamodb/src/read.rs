//! Reads: single items, batches in one round trip, and pages of queries. Nothing scans.

use std::collections::HashMap;

use app::Error;
use app::ports::{Cursor, Page};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::error::{failed, gave_up, unbuildable};
use crate::item::{Item, Key, read_cursor, text, write_cursor};
use crate::wait::{wait, waits};

/// One item, as of now.
pub(crate) async fn get(client: &Client, table: &str, key: Key) -> Result<Option<Item>, Error> {
    let request =
        client.get_item().table_name(table).set_key(Some(key.into_item())).consistent_read(true);
    Ok(request.send().await.map_err(failed)?.item)
}

/// Items of several tables, as of now, in one round trip; a further one for what DynamoDB left unprocessed.
pub(crate) async fn get_all(client: &Client, wanted: Vec<(&str, Key)>) -> Result<Vec<Item>, Error> {
    let mut by_table: HashMap<String, Vec<Item>> = HashMap::new();
    for (table, key) in wanted {
        by_table.entry(table.to_owned()).or_default().push(key.into_item());
    }
    let mut asked = HashMap::new();
    for (table, keys) in by_table {
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        asked.insert(table, keys.map_err(unbuildable)?);
    }
    let mut found = Vec::new();
    let mut waits = waits();
    while !asked.is_empty() {
        let answer =
            client.batch_get_item().set_request_items(Some(asked)).send().await.map_err(failed)?;
        found.extend(answer.responses.unwrap_or_default().into_values().flatten());
        asked = answer.unprocessed_keys.unwrap_or_default();
        if !asked.is_empty() {
            match waits.next() {
                Some(delay) => wait(delay).await,
                None => return Err(gave_up("a batch of reads was not processed")),
            }
        }
    }
    Ok(found)
}

/// What to query.
pub(crate) struct Query<'a> {
    pub(crate) table: &'a str,
    /// An index; reads of the base table are consistent, those of an index cannot be.
    pub(crate) index: Option<&'a str>,
    /// Partition key and value.
    pub(crate) partition: (&'a str, String),
    /// A condition on the sort key.
    pub(crate) sort: Sort<'a>,
}

/// Which part of a partition.
pub(crate) enum Sort<'a> {
    All,
    BeginsWith(&'a str, String),
    UpTo(&'a str, String),
    /// From one text to another, both included.
    Between(&'a str, String, String),
}

impl Query<'_> {
    /// What a cursor of this query is bound to.
    fn of(&self) -> String {
        let part = match &self.sort {
            Sort::BeginsWith(_, prefix) => prefix.as_str(),
            Sort::All | Sort::UpTo(..) | Sort::Between(..) => "",
        };
        format!("{}/{}/{}/{part}", self.table, self.index.unwrap_or("-"), self.partition.1)
    }
}

/// One page, in the order of the sort key.
pub(crate) async fn query(
    client: &Client,
    query: Query<'_>,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<Page<Item>, Error> {
    let of = query.of();
    let request = client
        .query()
        .table_name(query.table)
        .set_index_name(query.index.map(str::to_owned))
        .consistent_read(query.index.is_none())
        .limit(i32::from(limit.max(1)))
        .set_exclusive_start_key(read_cursor(&of, after)?)
        .expression_attribute_names("#partition", query.partition.0)
        .expression_attribute_values(":partition", text(query.partition.1));
    let request = match query.sort {
        Sort::All => request.key_condition_expression("#partition = :partition"),
        Sort::BeginsWith(name, prefix) => request
            .key_condition_expression("#partition = :partition AND begins_with(#sort, :sort)")
            .expression_attribute_names("#sort", name)
            .expression_attribute_values(":sort", text(prefix)),
        Sort::UpTo(name, most) => request
            .key_condition_expression("#partition = :partition AND #sort <= :sort")
            .expression_attribute_names("#sort", name)
            .expression_attribute_values(":sort", text(most)),
        Sort::Between(name, low, high) => request
            .key_condition_expression("#partition = :partition AND #sort BETWEEN :low AND :high")
            .expression_attribute_names("#sort", name)
            .expression_attribute_values(":low", text(low))
            .expression_attribute_values(":high", text(high)),
    };
    let answer = request.send().await.map_err(failed)?;
    Ok(Page {
        items: answer.items.unwrap_or_default(),
        next: write_cursor(&of, answer.last_evaluated_key),
    })
}

/// All pages; for partitions that are small by nature.
pub(crate) async fn query_all<'a>(
    client: &Client,
    make: impl Fn() -> Query<'a>,
) -> Result<Vec<Item>, Error> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = query(client, make(), after.as_ref(), 100).await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Reads the items of a page.
pub(crate) fn read_page<T>(
    page: Page<Item>,
    read: impl Fn(&Item) -> Result<T, Error>,
) -> Result<Page<T>, Error> {
    let items = page.items.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { items, next: page.next })
}
