//! Subscriptions, agreements, processed notices, customers, the audit trail.

use app::Error;
use app::ports::{
    AgreementLink, Change, Committed, Cursor, Customer, DueItem, LinkWrite, ListFilter, MeterWrite,
    Page, SeenNotice, StateWrite, Subscriptions, View, ViewKeys,
};
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::audit::AuditEntry;
use domain::ids::SubscriptionId;
use domain::subscription::{Status, Subscription, TenantNotice};
use domain::time::after as later;
use jiff::{SignedDuration, Timestamp};

use crate::DynamoStore;
use crate::item::{
    CUSTOMER, DUE_AT, DUE_SHARD, EXPIRES_AT, Item, KIND, LISTED, ONE_SHARD, OUTBOX_AT,
    OUTBOX_SHARD, PK, REVISION, SEEN_AT, SK, STATUS, agreement_key, audit_key, audit_partition,
    customer_key, document, meter_key, missing, notice_key, number, outbox_key, read_document,
    state_key, subscription_of_key, text, text_of,
};
use crate::read::{Query, Sort, get, get_all, query, read_page};
use crate::usage::{meter_item, record_item};
use crate::write::{Guard, Transacted, check, put, put_newest, put_taken_up, transact};

/// How long a processed notice is remembered: longer than any channel delivers again.
const NOTICE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Subscriptions for DynamoStore {
    async fn subscription(&self, id: &SubscriptionId) -> Result<Option<Subscription>, Error> {
        let item = get(&self.client, &self.tables.subscription, state_key(id)).await?;
        item.as_ref().map(read_state).transpose()
    }

    async fn view(&self, keys: &ViewKeys) -> Result<View, Error> {
        let table = self.tables.subscription.as_str();
        let mut wanted = Vec::new();
        wanted.extend(keys.subscription.iter().map(|id| (table, state_key(id))));
        wanted.extend(keys.agreements.iter().map(|id| (table, agreement_key(id))));
        wanted.extend(keys.notice.iter().map(|(channel, id)| (table, notice_key(*channel, id))));
        let mut view = View::default();
        for item in get_all(&self.client, wanted).await? {
            match text_of(&item, SK) {
                Some("STATE") => view.subscription = Some(read_state(&item)?),
                Some("LINK") => {
                    let link: AgreementLink = read_document("an agreement's link", &item)?;
                    view.links.insert(link.agreement.clone(), link);
                }
                Some("SEEN") => view.notice_seen = true,
                Some(_) | None => return Err(missing("an item of the subscription table", SK)),
            }
        }
        Ok(view)
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        let actions = self.actions(change)?;
        match transact(&self.client, actions).await? {
            Transacted::Done => Ok(Committed::Done),
            // The notice's mark is the first action whenever there is one.
            Transacted::Refused(refused)
                if change.notice.is_some()
                    && refused.first().is_some_and(|first| first.by_guard) =>
            {
                Ok(Committed::AlreadySeen)
            }
            Transacted::Refused(_) => Ok(Committed::Overtaken),
        }
    }

    async fn list(
        &self,
        filter: &ListFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        match filter {
            ListFilter::Status(status) => {
                self.by("by_status", (STATUS, status.as_str()), after, limit).await
            }
            ListFilter::Customer(customer) => {
                self.by("by_customer", (CUSTOMER, customer), after, limit).await
            }
            ListFilter::All => self.one_status_after_the_other(after, limit).await,
        }
    }

    async fn due(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<DueItem>, Error> {
        let due = Query {
            table: &self.tables.subscription,
            index: Some("due"),
            partition: (DUE_SHARD, ONE_SHARD.to_owned()),
            sort: Sort::UpTo(DUE_AT, sortable(now)),
        };
        read_page(query(&self.client, due, after, limit).await?, read_due)
    }

    async fn audit(
        &self,
        id: &SubscriptionId,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<AuditEntry>, Error> {
        let entries = Query {
            table: &self.tables.audit,
            index: None,
            partition: (PK, audit_partition(id)),
            sort: Sort::All,
        };
        read_page(query(&self.client, entries, after, limit).await?, |item| {
            read_document("an audit entry", item)
        })
    }

    async fn customer(&self, id: &str) -> Result<Option<Customer>, Error> {
        let item = get(&self.client, &self.tables.customer, customer_key(id)).await?;
        item.as_ref().map(|item| read_document("a customer", item)).transpose()
    }
}

impl DynamoStore {
    /// The notice's mark first: its guard decides before all others.
    fn actions(&self, change: &Change) -> Result<Vec<TransactWriteItem>, Error> {
        let Change { state, audit, outbox, notice, links, meters, customer, records } = change;
        let table = &self.tables.subscription;
        let mut actions = Vec::new();
        if let Some(notice) = notice {
            actions.push(put(table, seen_item(notice), Guard::Absent)?);
        }
        if let Some(state) = state {
            actions.push(put(table, state_item(state)?, Guard::of(state.expected))?);
        }
        if let Some(entry) = audit {
            let item =
                document(audit_key(&entry.subscription, entry.sequence), "an audit entry", entry)?;
            actions.push(put(&self.tables.audit, item, Guard::Absent)?);
        }
        for notice in outbox {
            actions.push(put_newest(table, outbox_item(notice)?)?);
        }
        for link in links {
            actions.push(put(table, link_item(link)?, Guard::of(link.expected))?);
        }
        for meter in meters {
            actions.push(match meter {
                MeterWrite::Change { after, expected } => {
                    put(&self.tables.usage, meter_item(after)?, Guard::Revision(*expected))?
                }
                MeterWrite::Absent(key) => {
                    check(&self.tables.usage, meter_key(key), Guard::Absent)?
                }
            });
        }
        if let Some(customer) = customer {
            let item = document(customer_key(&customer.id), "a customer", customer)?;
            actions.push(put_newest(&self.tables.customer, item)?);
        }
        for record in records {
            actions.push(put_taken_up(&self.tables.usage, record_item(record)?)?);
        }
        Ok(actions)
    }

    async fn by(
        &self,
        index: &str,
        (name, value): (&str, &str),
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        let listed = Query {
            table: &self.tables.subscription,
            index: Some(index),
            partition: (name, value.to_owned()),
            sort: Sort::All,
        };
        read_page(query(&self.client, listed, after, limit).await?, read_state)
    }

    /// All of one status, then those of the next, until the page is full; the cursor says where it stopped.
    async fn one_status_after_the_other(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        let (first, mut inner) = read_status_cursor(after)?;
        let mut items = Vec::new();
        for status in Status::ALL.into_iter().skip_while(|known| *known != first) {
            let room = usize::from(limit.max(1)).saturating_sub(items.len());
            let Some(room) = u16::try_from(room).ok().filter(|room| *room > 0) else {
                return Ok(Page { items, next: Some(status_cursor(status, "")) });
            };
            let page = self
                .by("by_status", (STATUS, status.as_str()), inner.take().as_ref(), room)
                .await?;
            items.extend(page.items);
            if let Some(Cursor(more)) = page.next {
                return Ok(Page { items, next: Some(status_cursor(status, &more)) });
            }
        }
        Ok(Page { items, next: None })
    }
}

fn status_cursor(status: Status, inner: &str) -> Cursor {
    Cursor(format!("{}.{inner}", status.as_str()))
}

/// The status that a page of all begins with, and where in it.
fn read_status_cursor(cursor: Option<&Cursor>) -> Result<(Status, Option<Cursor>), Error> {
    let Some(Cursor(text)) = cursor else { return Ok((Status::Pending, None)) };
    let read = text.split_once('.').and_then(|(status, inner)| {
        let status = Status::ALL.into_iter().find(|known| known.as_str() == status)?;
        Some((status, (!inner.is_empty()).then(|| Cursor(inner.to_owned()))))
    });
    read.ok_or(Error::ForeignCursor)
}

fn read_state(item: &Item) -> Result<Subscription, Error> {
    read_document("a subscription", item)
}

fn state_item(write: &StateWrite) -> Result<Item, Error> {
    let StateWrite { after, now, .. } = write;
    let mut item = document(state_key(&after.id), "a subscription", after)?;
    item.insert(REVISION.to_owned(), number(after.revision));
    item.insert(STATUS.to_owned(), text(after.status(*now).as_str()));
    item.insert(LISTED.to_owned(), text(format!("{}#{}", sortable(after.created_at), after.id)));
    let customer = after.account.as_ref().map(ToString::to_string);
    if let Some(customer) = customer.or_else(|| after.customer.as_ref().map(ToString::to_string)) {
        item.insert(CUSTOMER.to_owned(), text(customer));
    }
    if let Some(due) = after.due(*now) {
        item.insert(DUE_SHARD.to_owned(), text(ONE_SHARD));
        item.insert(DUE_AT.to_owned(), text(sortable(due)));
    }
    Ok(item)
}

fn link_item(write: &LinkWrite) -> Result<Item, Error> {
    let mut item =
        document(agreement_key(&write.after.agreement), "an agreement's link", &write.after)?;
    item.insert(REVISION.to_owned(), number(write.after.revision));
    Ok(item)
}

fn seen_item(notice: &SeenNotice) -> Item {
    let mut item = notice_key(notice.channel, &notice.id).into_item();
    item.insert(KIND.to_owned(), text(notice.kind.clone()));
    item.insert(SEEN_AT.to_owned(), text(notice.at.to_string()));
    item.insert(EXPIRES_AT.to_owned(), number(later(notice.at, NOTICE_KEPT).as_second()));
    item
}

pub(crate) fn outbox_item(notice: &TenantNotice) -> Result<Item, Error> {
    let mut item = document(outbox_key(notice), "a tenant notice", notice)?;
    item.insert(OUTBOX_SHARD.to_owned(), text(ONE_SHARD));
    item.insert(OUTBOX_AT.to_owned(), text(sortable(notice.at)));
    Ok(item)
}

fn read_due(item: &Item) -> Result<DueItem, Error> {
    let subscription = text_of(item, PK)
        .and_then(subscription_of_key)
        .ok_or_else(|| missing("an entry of the index due", PK))?;
    let at = text_of(item, DUE_AT).and_then(|at| at.parse().ok());
    Ok(DueItem {
        subscription,
        at: at.ok_or_else(|| missing("an entry of the index due", DUE_AT))?,
    })
}

/// An instant whose text sorts as it does: always nine decimal places.
pub(crate) fn sortable(at: Timestamp) -> String {
    format!("{at:.9}")
}
