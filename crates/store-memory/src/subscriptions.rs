//! Subscriptions, agreements, processed notices, customers, the audit trail.

use app::Error;
use app::ports::{
    Change, Committed, Cursor, Customer, DueItem, ListFilter, MeterWrite, Page, Subscriptions,
    View, ViewKeys,
};
use domain::audit::AuditEntry;
use domain::ids::SubscriptionId;
use domain::subscription::{Status, Subscription};
use jiff::Timestamp;

use crate::MemoryStore;
use crate::guard::{holds, is_a_transaction};
use crate::outbox::outbox_place;
use crate::page::page;
use crate::rows::{Rows, StateRow, record_place, sortable};

/// Whether a row is on a list.
type Fits<'a> = Box<dyn Fn(&StateRow) -> bool + 'a>;

impl Subscriptions for MemoryStore {
    async fn subscription(&self, id: &SubscriptionId) -> Result<Option<Subscription>, Error> {
        Ok(self.up()?.states.get(id).map(|row| row.state.clone()))
    }

    async fn view(&self, keys: &ViewKeys) -> Result<View, Error> {
        let rows = self.up()?;
        let state = keys.subscription.as_ref().and_then(|id| rows.states.get(id));
        let links = keys.agreements.iter().filter_map(|id| rows.links.get(id));
        Ok(View {
            subscription: state.map(|row| row.state.clone()),
            links: links.map(|link| (link.agreement.clone(), link.clone())).collect(),
            notice_seen: keys.notice.as_ref().is_some_and(|notice| rows.seen.contains(notice)),
        })
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        let mut rows = self.up()?;
        is_sound(change)?;
        if let Some(notice) = &change.notice
            && rows.seen.contains(&(notice.channel, notice.id.clone()))
        {
            return Ok(Committed::AlreadySeen);
        }
        if !guards_hold(&rows, change) {
            return Ok(Committed::Overtaken);
        }
        write(&mut rows, change);
        Ok(Committed::Done)
    }

    async fn list(
        &self,
        filter: &ListFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        let rows = self.up()?;
        let (list, fits): (String, Fits<'_>) = match filter {
            ListFilter::All => ("all".to_owned(), Box::new(|_| true)),
            ListFilter::Status(status) => {
                (format!("status/{status}"), Box::new(|row| row.status == *status))
            }
            ListFilter::Customer(customer) => {
                (format!("customer/{customer}"), Box::new(|row| is_of(&row.state, customer)))
            }
        };
        let by_status = matches!(filter, ListFilter::All);
        let listed = rows.states.values().filter(|row| fits(row)).map(|row| {
            let status = Status::ALL.iter().position(|status| *status == row.status);
            let status = status.filter(|_| by_status).unwrap_or_default();
            let created = sortable(row.state.created_at);
            (format!("{status}#{created}#{}", row.state.id), row.state.clone())
        });
        page(&list, listed.collect(), after, limit)
    }

    async fn due(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<DueItem>, Error> {
        let rows = self.up()?;
        let due = rows.states.values().filter_map(|row| {
            let at = row.due.filter(|due| *due <= now)?;
            let subscription = row.state.id.clone();
            Some((format!("{}#{subscription}", sortable(at)), DueItem { subscription, at }))
        });
        page("due", due.collect(), after, limit)
    }

    async fn audit(
        &self,
        id: &SubscriptionId,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<AuditEntry>, Error> {
        let rows = self.up()?;
        let entries = rows.audit.range((id.clone(), 0)..=(id.clone(), u64::MAX));
        let entries =
            entries.map(|((_, sequence), entry)| (format!("{sequence:020}"), entry.clone()));
        page(&format!("audit/{id}"), entries.collect(), after, limit)
    }

    async fn customer(&self, id: &str) -> Result<Option<Customer>, Error> {
        Ok(self.up()?.customers.get(id).cloned())
    }
}

/// The buying account, or the customer of an older listing where no account is known.
fn is_of(state: &Subscription, customer: &str) -> bool {
    match (&state.account, &state.customer) {
        (Some(account), _) => account.as_str() == customer,
        (None, Some(identifier)) => identifier.as_str() == customer,
        (None, None) => false,
    }
}

fn is_sound(change: &Change) -> Result<(), Error> {
    let Change { state, audit, outbox, notice, links, meters, customer, records } = change;
    let single = [state.is_some(), audit.is_some(), notice.is_some(), customer.is_some()];
    let single = single.into_iter().filter(|is| *is).count();
    let many = [outbox.len(), links.len(), meters.len(), records.len()];
    let actions = many.into_iter().fold(single, usize::saturating_add);
    is_a_transaction(actions, links.iter().map(|link| &link.after.agreement).collect())?;
    let meter_keys = meters.iter().map(|meter| match meter {
        MeterWrite::Change { after, .. } => &after.key,
        MeterWrite::Absent(key) => key,
    });
    is_a_transaction(actions, meter_keys.collect())
}

fn guards_hold(rows: &Rows, change: &Change) -> bool {
    let state = change.state.iter().all(|write| {
        let found = rows.states.get(&write.after.id).map(|row| row.state.revision);
        holds(write.expected, found)
    });
    let audit = change
        .audit
        .iter()
        .all(|entry| !rows.audit.contains_key(&(entry.subscription.clone(), entry.sequence)));
    let links = change.links.iter().all(|write| {
        let found = rows.links.get(&write.after.agreement).map(|link| link.revision);
        holds(write.expected, found)
    });
    let meters = change.meters.iter().all(|write| match write {
        MeterWrite::Change { after, expected } => {
            holds(Some(*expected), rows.meter(&after.key).map(|meter| meter.revision))
        }
        MeterWrite::Absent(key) => rows.meter(key).is_none(),
    });
    let records = change.records.iter().all(|record| {
        let found = rows.records.get(&record_place(&record.name()));
        found.is_some_and(|found| found.status.is_parked())
    });
    state && audit && links && meters && records
}

fn write(rows: &mut Rows, change: &Change) {
    let Change { state, audit, outbox, notice, links, meters, customer, records } = change;
    if let Some(notice) = notice {
        rows.seen.insert((notice.channel, notice.id.clone()));
    }
    if let Some(state) = state {
        rows.states.insert(state.after.id.clone(), StateRow::of(state));
    }
    if let Some(entry) = audit {
        rows.audit.insert((entry.subscription.clone(), entry.sequence), entry.clone());
    }
    for notice in outbox {
        rows.outbox.insert(outbox_place(notice), notice.clone());
    }
    for link in links {
        rows.links.insert(link.after.agreement.clone(), link.after.clone());
    }
    for meter in meters {
        match meter {
            MeterWrite::Change { after, .. } => rows.put_meter(after),
            MeterWrite::Absent(_) => {}
        }
    }
    for record in records {
        rows.records.insert(record_place(&record.name()), record.clone());
    }
    if let Some(customer) = customer {
        rows.customers.insert(customer.id.clone(), customer.clone());
    }
}
