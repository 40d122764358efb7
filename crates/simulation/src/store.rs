//! The store as the product sees it in a world: a boundary before every call and after every write, and an eye on what
//! is written.

use std::future::Future;

use app::Error;
use app::ports::{
    Begun, BookedEvent, Change, Committed, Cursor, Customer, DueItem, Idempotency, LapsedEvent,
    ListFilter, Memo, Memos, MeterWrite, Outbox, OutboxItem, OutboxKey, Page, Recorded, RequestKey,
    Saved, SavedResponse, Store, Subscriptions, Task, UnsettledMeter, Usage, UsageRead, UsageWrite,
    View, ViewKeys,
};
use domain::audit::AuditEntry;
use domain::ids::{IdempotencyKey, SubscriptionId};
use domain::metering::{Meter, MeterKey, MeteringRecord, RecordKey};
use domain::subscription::Subscription;
use domain::time::Month;
use jiff::Timestamp;

use crate::bug::Bug;
use crate::core::{Core, Struck};
use crate::laws;

/// A store that is watched.
#[derive(Debug, Clone)]
pub(crate) struct Watched<S> {
    pub(crate) inner: S,
    pub(crate) core: Core,
    /// Most rows on a page.
    pub(crate) page: u16,
}

fn down(struck: Struck) -> Error {
    Error::Unavailable { dependency: "the store", source: struck.into() }
}

impl<S: Store> Watched<S> {
    async fn read<T>(
        &self,
        place: &'static str,
        read: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        self.core.ask(place, read).await.map_err(down)?
    }

    async fn write<T>(
        &self,
        place: &'static str,
        write: impl Future<Output = Result<T, Error>> + Send,
        see: impl FnOnce(&T) + Send,
    ) -> Result<T, Error> {
        let seen = async { write.await.inspect(see) };
        self.core.call(place, seen).await.map_err(down)?
    }

    /// A page may be short; the bug takes the first for the last.
    async fn paged<T>(
        &self,
        place: &'static str,
        read: impl Future<Output = Result<Page<T>, Error>> + Send,
    ) -> Result<Page<T>, Error> {
        let mut page = self.read(place, read).await?;
        if self.core.is(Bug::ReadOnePage) {
            page.next = None;
        }
        Ok(page)
    }

    fn most(&self, limit: u16) -> u16 {
        limit.min(self.page)
    }
}

impl<S: Store> Subscriptions for Watched<S> {
    async fn subscription(&self, id: &SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.read("read a state", self.inner.subscription(id)).await
    }

    async fn view(&self, keys: &ViewKeys) -> Result<View, Error> {
        self.read("read a view", self.inner.view(keys)).await
    }

    async fn commit(&self, change: &Change) -> Result<Committed, Error> {
        let mut written = change.clone();
        if self.core.is(Bug::DropTheInboxMarker) {
            written.notice = None;
        }
        if self.core.is(Bug::LoseTheOutboxItem) {
            written.outbox.clear();
        }
        if written == Change::default() {
            return self.read("commit nothing", async { Ok(Committed::Done) }).await;
        }
        self.write("commit a change", self.inner.commit(&written), |outcome| {
            if *outcome == Committed::Done {
                laws::committed(&self.core, change);
            }
        })
        .await
    }

    async fn list(
        &self,
        filter: &ListFilter,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<Subscription>, Error> {
        let page = self.inner.list(filter, after, self.most(limit));
        self.paged("list subscriptions", page).await
    }

    async fn due(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<DueItem>, Error> {
        self.paged("list what is due", self.inner.due(now, after, self.most(limit))).await
    }

    async fn audit(
        &self,
        id: &SubscriptionId,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<AuditEntry>, Error> {
        self.paged("list audit entries", self.inner.audit(id, after, self.most(limit))).await
    }

    async fn customer(&self, id: &str) -> Result<Option<Customer>, Error> {
        self.read("read a customer", self.inner.customer(id)).await
    }
}

impl<S: Store> Usage for Watched<S> {
    async fn read_usage(
        &self,
        subscription: &SubscriptionId,
        meters: &[MeterKey],
    ) -> Result<UsageRead, Error> {
        self.read("read usage", self.inner.read_usage(subscription, meters)).await
    }

    async fn meters(
        &self,
        subscription: &SubscriptionId,
        month: Month,
    ) -> Result<Vec<Meter>, Error> {
        self.read("read a month's meters", self.inner.meters(subscription, month)).await
    }

    async fn record_usage(&self, write: &UsageWrite) -> Result<Recorded, Error> {
        self.write("record usage", self.inner.record_usage(write), |outcome| {
            if *outcome == Recorded::Done {
                laws::ingested(&self.core, write);
            }
        })
        .await
    }

    async fn event(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        key: &IdempotencyKey,
    ) -> Result<Option<BookedEvent>, Error> {
        self.read("read an event", self.inner.event(subscription, month, key)).await
    }

    async fn release_event(
        &self,
        event: &BookedEvent,
        meter: &Meter,
        expected: u64,
    ) -> Result<Saved, Error> {
        let release = self.inner.release_event(event, meter, expected);
        self.write("release a reservation", release, |outcome| {
            if *outcome == Saved::Done {
                laws::released(&self.core, meter);
            }
        })
        .await
    }

    async fn keep_event(
        &self,
        subscription: &SubscriptionId,
        event: &BookedEvent,
    ) -> Result<Saved, Error> {
        self.write("keep a reservation", self.inner.keep_event(subscription, event), |_| ()).await
    }

    async fn lapsed(
        &self,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<LapsedEvent>, Error> {
        let page = self.inner.lapsed(now, after, self.most(limit));
        self.paged("list lapsed reservations", page).await
    }

    async fn record(&self, key: &RecordKey) -> Result<Option<MeteringRecord>, Error> {
        self.read("read a record", self.inner.record(key)).await
    }

    async fn parked(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        self.paged("list parked records", self.inner.parked(after, self.most(limit))).await
    }

    async fn save_meter(&self, meter: &Meter, expected: u64) -> Result<Saved, Error> {
        self.write("freeze a record", self.inner.save_meter(meter, expected), |outcome| {
            if *outcome == Saved::Done {
                laws::metered(&self.core, meter);
            }
        })
        .await
    }

    async fn book(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
    ) -> Result<Saved, Error> {
        if self.core.is(Bug::ClearPendingBeforeBooking) {
            return self.clear_then_book(meter, expected, record).await;
        }
        self.write("book a record", self.inner.book(meter, expected, record), |outcome| {
            if *outcome == Saved::Done {
                laws::metered(&self.core, meter);
            }
        })
        .await
    }

    async fn give_up(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
        state_revision: u64,
    ) -> Result<Saved, Error> {
        let give_up = async {
            let saved = self.inner.give_up(meter, expected, record, state_revision).await?;
            let known = match saved {
                Saved::Done => self.inner.subscription(&meter.key.subscription).await?,
                Saved::Overtaken => None,
            };
            Ok((saved, known))
        };
        let (saved, _) = self
            .write("give up what waits", give_up, |(saved, known)| {
                if *saved == Saved::Done {
                    laws::metered(&self.core, meter);
                }
                if let Some(known) = known {
                    laws::given_up(&self.core, record, known);
                }
            })
            .await?;
        Ok(saved)
    }

    async fn unsettled(
        &self,
        shard: u8,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<UnsettledMeter>, Error> {
        let page = self.inner.unsettled(shard, after, self.most(limit));
        self.paged("list unsettled meters", page).await
    }

    async fn records(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<MeteringRecord>, Error> {
        let page = self.inner.records(subscription, month, after, self.most(limit));
        self.paged("list records", page).await
    }

    async fn events(
        &self,
        subscription: &SubscriptionId,
        month: Month,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<BookedEvent>, Error> {
        let page = self.inner.events(subscription, month, after, self.most(limit));
        self.paged("list events", page).await
    }
}

impl<S: Store> Watched<S> {
    /// The bug: two writes where there must be one.
    async fn clear_then_book(
        &self,
        meter: &Meter,
        expected: u64,
        record: &MeteringRecord,
    ) -> Result<Saved, Error> {
        let read = self
            .inner
            .read_usage(&meter.key.subscription, std::slice::from_ref(&meter.key))
            .await?;
        let Some(found) = read.meters.into_iter().next() else { return Ok(Saved::Overtaken) };
        let cleared = Meter { pending: None, revision: meter.revision, ..found };
        let clear = self.inner.save_meter(&cleared, expected);
        if self.write("clear what is pending", clear, |_| ()).await? == Saved::Overtaken {
            return Ok(Saved::Overtaken);
        }
        let booked = Meter { revision: meter.revision.saturating_add(1), ..meter.clone() };
        let book = self.inner.book(&booked, meter.revision, record);
        self.write("book a record", book, |_| ()).await
    }
}

impl<S: Store> Idempotency for Watched<S> {
    async fn begin(
        &self,
        request: &RequestKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Begun, Error> {
        self.write("claim a request", self.inner.begin(request, now, until), |_| ()).await
    }

    async fn finish(
        &self,
        request: &RequestKey,
        response: &SavedResponse,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("keep an answer", self.inner.finish(request, response, now), |()| ()).await
    }

    async fn abandon(&self, request: &RequestKey) -> Result<(), Error> {
        self.write("give a claim back", self.inner.abandon(request), |()| ()).await
    }
}

impl<S: Store> Outbox for Watched<S> {
    async fn unpublished(
        &self,
        after: Option<&Cursor>,
        limit: u16,
    ) -> Result<Page<OutboxItem>, Error> {
        self.paged("list the outbox", self.inner.unpublished(after, self.most(limit))).await
    }

    async fn published(&self, key: &OutboxKey) -> Result<(), Error> {
        self.write("forget a published notice", self.inner.published(key), |()| ()).await
    }
}

impl<S: Store> Memos for Watched<S> {
    async fn memo(&self, task: Task) -> Result<Option<Memo>, Error> {
        self.read("read a memo", self.inner.memo(task)).await
    }

    async fn save_memo(&self, memo: &Memo, expected: Option<u64>) -> Result<Saved, Error> {
        self.write("write a memo", self.inner.save_memo(memo, expected), |_| ()).await
    }
}

/// The meters that a change writes.
pub(crate) fn changed(change: &Change) -> impl Iterator<Item = &Meter> {
    change.meters.iter().filter_map(|write| match write {
        MeterWrite::Change { after, .. } => Some(after),
        MeterWrite::Absent(_) => None,
    })
}
