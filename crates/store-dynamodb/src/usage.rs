//! Meters, usage events, metering records.

use app::Error;
use app::ports::{
    BookedEvent, Cursor, LapsedEvent, Page, Recorded, SHARDS, Saved, UnsettledMeter, Usage,
    UsageRead, UsageWrite,
};
use domain::ids::{IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, MeteringRecord, RecordKey, RecordStatus};
use domain::subscription::Subscription;
use domain::time::{Hour, Month, after as later};
use jiff::{SignedDuration, Timestamp};

use crate::DynamoStore;
use crate::item::{
    EXPIRES_AT, HELD_SHARD, HELD_UNTIL, Item, ONE_SHARD, PARKED_AT, PARKED_SHARD, PK, RELEASED,
    REOPENED, REVISION, SK, UNSETTLED_SHARD, UNSETTLED_SINCE, document, event_key, event_prefix,
    meter_key, meter_of_keys, meter_prefix, missing, number, read_document, record_key,
    record_prefix, state_key, subscription_of_usage, text, text_of, usage_partition,
};
use crate::read::{Query, Sort, get, get_all, query, query_all, read_page};
use crate::subscriptions::{outbox_item, sortable};
use crate::write::{
    Guard, Transacted, check, put, put_alone, put_booked, put_kept, put_newest, put_unreleased,
    transact,
};

/// How long an event explains a bill.
const EVENT_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Usage for DynamoStore {
    async fn read_usage(
        &self,
        subscription: &SubscriptionId,
        meters: &[MeterKey],
    ) -> Result<UsageRead, Error> {
        let mut wanted = vec![(self.tables.subscription.as_str(), state_key(subscription))];
        wanted.extend(meters.iter().map(|key| (self.tables.usage.as_str(), meter_key(key))));
        let mut read = UsageRead { subscription: None, meters: Vec::new() };
        for item in get_all(&self.client, wanted).await? {
            if text_of(&item, SK) == Some("STATE") {
                read.subscription = Some(read_document::<Subscription>("a subscription", &item)?);
            } else {
                read.meters.push(read_meter(&item)?);
            }
        }
        Ok(read)
    }

    async fn meters(
        &self,
        subscription: &SubscriptionId,
        month: Month,
    ) -> Result<Vec<Meter>, Error> {
        let items =
            query_all(&self.client, || self.part(subscription, month, meter_prefix())).await?;
        items.iter().map(read_meter).collect()
    }

    async fn record_usage(&self, write: &UsageWrite) -> Result<Recorded, Error> {
        let UsageWrite { meter, expected, state_revision, events, outbox } = write;
        let mut actions = Vec::new();
        for booked in events {
            actions.push(put(
                &self.tables.usage,
                event_item(&meter.key.subscription, booked)?,
                Guard::Absent,
            )?);
        }
        actions.push(put(&self.tables.usage, meter_item(meter)?, Guard::of(*expected))?);
        if expected.is_none() {
            let state = state_key(&meter.key.subscription);
            actions.push(check(
                &self.tables.subscription,
                state,
                Guard::Revision(*state_revision),
            )?);
        }
        if let Some(notice) = outbox {
            actions.push(put_newest(&self.tables.subscription, outbox_item(notice)?)?);
        }
        let refused = match transact(&self.client, actions).await? {
            Transacted::Done => return Ok(Recorded::Done),
            Transacted::Refused(refused) => refused,
        };
        let mut existing = Vec::new();
        for (booked, refused) in events.iter().zip(refused) {
            if refused.by_guard {
                existing.push(self.existing(&meter.key.subscription, booked, refused.found).await?);
            }
        }
        Ok(if existing.is_empty() { Recorded::Overtaken } else { Recorded::Existing(existing) })
    }

    async fn event(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        key: &IdempotencyKey,
    ) -> Result<Option<BookedEvent>, Error> {
        let item =
            get(&self.client, &self.tables.usage, event_key(subscription, month, key)).await?;
        item.as_ref().map(read_event).transpose()
    }

    async fn release_event(
        &self,
        event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> Result<Saved, Error> {
        let item = event_item(&meter.key.subscription, event)?;
        let held = event.held_until.map(sortable);
        let actions = vec![
            put_unreleased(&self.tables.usage, item, held)?,
            put(&self.tables.usage, meter_item(meter)?, Guard::Revision(expected))?,
        ];
        Ok(saved(&transact(&self.client, actions).await?))
    }

    async fn keep_event(
        &self,
        subscription: &SubscriptionId,
        event: &BookedEvent,
    ) -> Result<Saved, Error> {
        let item = event_item(subscription, event)?;
        put_kept(&self.client, &self.tables.usage, item).await
    }

    async fn lapsed(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<LapsedEvent>, Error> {
        let lapsed = Query {
            table: &self.tables.usage,
            index: Some("held"),
            partition: (HELD_SHARD, ONE_SHARD.to_owned()),
            sort: Sort::UpTo(HELD_UNTIL, sortable(now)),
        };
        read_page(query(&self.client, lapsed, after, limit).await?, |item| {
            let subscription = text_of(item, PK).and_then(subscription_of_usage);
            Ok(LapsedEvent {
                subscription: subscription
                    .ok_or_else(|| missing("an entry of the index held", PK))?,
                event: read_event(item)?,
            })
        })
    }

    async fn save_meter(&self, meter: &Meter, expected: u64) -> Result<Saved, Error> {
        put_alone(&self.client, &self.tables.usage, meter_item(meter)?, expected).await
    }

    async fn book(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
    ) -> Result<Saved, Error> {
        let actions = vec![
            put(&self.tables.usage, meter_item(meter)?, Guard::Revision(expected))?,
            put_booked(&self.tables.usage, record_item(record)?)?,
        ];
        Ok(saved(&transact(&self.client, actions).await?))
    }

    async fn give_up(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
        state_revision: u64,
    ) -> Result<Saved, Error> {
        let state = state_key(&meter.key.subscription);
        let actions = vec![
            put(&self.tables.usage, meter_item(meter)?, Guard::Revision(expected))?,
            put_booked(&self.tables.usage, record_item(record)?)?,
            check(&self.tables.subscription, state, Guard::Revision(state_revision))?,
        ];
        Ok(saved(&transact(&self.client, actions).await?))
    }

    async fn unsettled(
        &self,
        shard: u8,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<UnsettledMeter>, Error> {
        let waiting = Query {
            table: &self.tables.usage,
            index: Some("unsettled"),
            partition: (UNSETTLED_SHARD, shard.to_string()),
            sort: Sort::All,
        };
        read_page(query(&self.client, waiting, after, limit).await?, read_unsettled)
    }

    async fn records(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let part = self.part(subscription, month, record_prefix());
        read_page(query(&self.client, part, after, limit).await?, read_record)
    }

    async fn record(&self, key: &RecordKey) -> Result<Option<MeteringRecord>, Error> {
        let item = get(&self.client, &self.tables.usage, record_key(key)).await?;
        item.as_ref().map(read_record).transpose()
    }

    async fn parked(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let parked = Query {
            table: &self.tables.usage,
            index: Some("parked"),
            partition: (PARKED_SHARD, ONE_SHARD.to_owned()),
            sort: Sort::All,
        };
        read_page(query(&self.client, parked, after, limit).await?, read_record)
    }

    async fn events(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<BookedEvent>, Error> {
        let part = self.part(subscription, month, event_prefix());
        read_page(query(&self.client, part, after, limit).await?, read_event)
    }
}

impl DynamoStore {
    fn part<'a>(&'a self, subscription: &SubscriptionId, month: Month, prefix: &str) -> Query<'a> {
        Query {
            table: &self.tables.usage,
            index: None,
            partition: (PK, usage_partition(subscription, month)),
            sort: Sort::BeginsWith(SK, prefix.to_owned()),
        }
    }

    /// The event that was there: as the refused write found it, or read again where that was not told.
    async fn existing(
        &self,
        subscription: &SubscriptionId,
        wanted: &BookedEvent,
        found: Option<Item>,
    ) -> Result<BookedEvent, Error> {
        if let Some(item) = found.filter(|item| !item.is_empty()) {
            return read_event(&item);
        }
        let own = Month::of(wanted.event.at);
        let read = self.event(subscription, own, &wanted.event.key).await?;
        read.ok_or_else(|| missing("a usage event that was there", PK))
    }
}

fn saved(transacted: &Transacted) -> Saved {
    match transacted {
        Transacted::Done => Saved::Done,
        Transacted::Refused(_) => Saved::Overtaken,
    }
}

/// A meter, in the index of unsettled meters exactly while money waits on it.
pub(crate) fn meter_item(meter: &Meter) -> Result<Item, Error> {
    let mut item = document(meter_key(&meter.key), "a meter", meter)?;
    item.insert(REVISION.to_owned(), number(meter.revision));
    if let Some(since) = meter.unsettled_since() {
        item.insert(UNSETTLED_SHARD.to_owned(), text(shard(&meter.key.subscription).to_string()));
        item.insert(UNSETTLED_SINCE.to_owned(), text(since.to_string()));
    }
    Ok(item)
}

/// The shard of a subscription's meters; its id is a hash already.
fn shard(id: &SubscriptionId) -> u8 {
    let last = id.as_str().bytes().last().unwrap_or_default();
    char::from(last).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
        % SHARDS
}

fn read_meter(item: &Item) -> Result<Meter, Error> {
    read_document("a meter", item)
}

/// A line of the ledger, in the index of parked lines exactly while it is parked.
pub(crate) fn record_item(record: &MeteringRecord) -> Result<Item, Error> {
    let mut item = document(record_key(&record.name()), "a metering record", record)?;
    match &record.status {
        RecordStatus::Parked { .. } => {
            item.insert(PARKED_SHARD.to_owned(), text(ONE_SHARD));
            item.insert(PARKED_AT.to_owned(), text(sortable(record.booked_at)));
        }
        RecordStatus::Retried { .. } => {
            item.insert(REOPENED.to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        }
        RecordStatus::Accepted { .. } | RecordStatus::Closed { .. } => {}
    }
    Ok(item)
}

fn read_record(item: &Item) -> Result<MeteringRecord, Error> {
    read_document("a metering record", item)
}

/// A usage event, in the index of held events exactly while it is held and not released.
fn event_item(subscription: &SubscriptionId, booked: &BookedEvent) -> Result<Item, Error> {
    let own = Month::of(booked.event.at);
    let mut item =
        document(event_key(subscription, own, &booked.event.key), "a usage event", booked)?;
    item.insert(EXPIRES_AT.to_owned(), number(later(booked.booked_at, EVENT_KEPT).as_second()));
    match booked.held_until {
        _ if booked.released => {
            item.insert(RELEASED.to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        }
        Some(until) => {
            item.insert(HELD_SHARD.to_owned(), text(ONE_SHARD));
            item.insert(HELD_UNTIL.to_owned(), text(sortable(until)));
        }
        None => {}
    }
    Ok(item)
}

fn read_event(item: &Item) -> Result<BookedEvent, Error> {
    read_document("a usage event", item)
}

fn read_unsettled(item: &Item) -> Result<UnsettledMeter, Error> {
    const WHAT: &str = "an entry of the index unsettled";
    let key = text_of(item, PK).zip(text_of(item, SK)).and_then(|(pk, sk)| meter_of_keys(pk, sk));
    let since: Option<Hour> = text_of(item, UNSETTLED_SINCE).and_then(|since| since.parse().ok());
    Ok(UnsettledMeter {
        key: key.ok_or_else(|| missing(WHAT, SK))?,
        since: since.ok_or_else(|| missing(WHAT, UNSETTLED_SINCE))?,
    })
}
