//! What everything in a world shares: the time, the boundary at which work stops and faults strike, what was seen
//! there, and the trace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use app::ports::SettlementRequest;
use domain::ids::SubscriptionId;
use domain::metering::{Meter, MeterKey, MeteringRecord};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use simulator::Simulator;

use crate::bug::Bug;
use crate::dice::{FRESH, hashed};

/// A law that does not hold, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law, as a sentence.
    pub law: &'static str,
    /// What contradicts it.
    pub seen: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.seen)
    }
}

/// A fault struck at a boundary.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the simulation let this call fail")]
pub(crate) struct Struck;

/// A message on the settlement queue.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: u64,
    pub(crate) request: SettlementRequest,
    pub(crate) visible: Timestamp,
}

/// What the platform makes of the notices it got.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    /// The newest revision it has acted on.
    pub(crate) revision: u64,
    /// Whether it gives access.
    pub(crate) open: bool,
    /// Whether it still has to confirm the tenant.
    pub(crate) to_confirm: bool,
}

/// What was sent under an hour key.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    /// The quantity, the first time.
    pub(crate) quantity: Option<u64>,
    /// How often it was tried.
    pub(crate) times: u64,
    /// How often AWS left it unprocessed.
    pub(crate) unprocessed: u64,
}

/// What is shared.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Who is being polled.
    pub(crate) current: String,
    /// Whether the next answer is a failure.
    pub(crate) armed: bool,
    /// Boundaries reached so far.
    pub(crate) crossed: u64,
    /// Times that the executor let some work go on.
    turns: u64,
    /// How many calls wait at a boundary, by the work that makes them.
    waiting: BTreeMap<String, u64>,
    /// What wakes them.
    wakers: Vec<Waker>,
    /// Calls of the work whose turn it is that have yet to leave the boundary at which it found them.
    to_leave: u64,
    /// Calls that left a boundary and have not come back.
    under_way: u64,
    /// Faults that struck.
    pub(crate) struck: u64,
    pub(crate) broken: Option<Broken>,
    /// Meters as they were last written.
    pub(crate) meters: BTreeMap<MeterKey, Meter>,
    /// What was sent under each hour key.
    pub(crate) sent: BTreeMap<String, Sent>,
    /// Hour keys under which somebody metered by hand.
    pub(crate) stray_hours: BTreeSet<String>,
    /// Units that somebody metered by hand, by meter.
    pub(crate) strays: BTreeMap<MeterKey, Decimal>,
    /// Seconds that the machine's clock is ahead of AWS's.
    pub(crate) skew: i64,
    /// Calls that the pace allowed, and calls made.
    pub(crate) allowed: u64,
    pub(crate) called: u64,
    pub(crate) letters: Vec<Letter>,
    pub(crate) next_letter: u64,
    pub(crate) workspaces: BTreeMap<SubscriptionId, Workspace>,
    /// Which account a subscription belongs to, as written.
    pub(crate) accounts: BTreeMap<SubscriptionId, String>,
    /// Subscriptions in their final hour, as written, and until when.
    pub(crate) closing: BTreeMap<SubscriptionId, Timestamp>,
    /// When each subscription was first written with a license that can be metered.
    pub(crate) named: BTreeMap<SubscriptionId, Timestamp>,
    /// Hour keys of records that another run than the one that froze them took over.
    pub(crate) taken_over: BTreeSet<String>,
    /// When each event was written.
    pub(crate) came: BTreeMap<(SubscriptionId, String), Timestamp>,
    /// When terms that became known last made more due on a meter.
    pub(crate) weighed: BTreeMap<MeterKey, Timestamp>,
    /// What operators had sent once more, and when.
    pub(crate) taken_back: Vec<(MeteringRecord, Timestamp)>,
    pub(crate) hash: u64,
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) lines: u64,
}

/// A world's common ground; clones share it.
#[derive(Clone)]
pub(crate) struct Core {
    inner: Arc<Mutex<Inner>>,
    /// Where a piece of work does several things at once, one of them gets across a boundary at a time.
    alone: Arc<tokio::sync::Mutex<()>>,
    pub(crate) simulator: Simulator,
    pub(crate) bug: Option<Bug>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Core")
    }
}

impl Core {
    pub(crate) fn new(simulator: Simulator, bug: Option<Bug>, keep: bool) -> Self {
        let inner = Inner {
            current: String::new(),
            armed: false,
            crossed: 0,
            turns: 0,
            waiting: BTreeMap::new(),
            wakers: Vec::new(),
            to_leave: 0,
            under_way: 0,
            struck: 0,
            broken: None,
            meters: BTreeMap::new(),
            sent: BTreeMap::new(),
            stray_hours: BTreeSet::new(),
            closing: BTreeMap::new(),
            came: BTreeMap::new(),
            weighed: BTreeMap::new(),
            taken_back: Vec::new(),
            named: BTreeMap::new(),
            taken_over: BTreeSet::new(),
            strays: BTreeMap::new(),
            skew: 0,
            allowed: 0,
            called: 0,
            letters: Vec::new(),
            next_letter: 1,
            workspaces: BTreeMap::new(),
            accounts: BTreeMap::new(),
            hash: FRESH,
            trace: keep.then(Vec::new),
            lines: 0,
        };
        Self { inner: Arc::new(Mutex::new(inner)), alone: Arc::default(), simulator, bug }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.simulator.clock().now()
    }

    /// What the machine's clock shows.
    pub(crate) fn machine_now(&self) -> Timestamp {
        domain::time::after(self.now(), SignedDuration::from_secs(self.lock().skew))
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Adds a line to the trace.
    pub(crate) fn tell(&self, line: fmt::Arguments<'_>) {
        let line = format!("{} {line}", self.now().strftime("%m-%dT%H:%M:%S"));
        let mut inner = self.lock();
        inner.hash = hashed(inner.hash, &line);
        inner.lines = inner.lines.saturating_add(1);
        if let Some(trace) = &mut inner.trace {
            trace.push(line);
        }
    }

    /// Records that a law does not hold; the first one counts.
    pub(crate) fn break_law(&self, law: &'static str, seen: impl fmt::Display) {
        let mut inner = self.lock();
        if inner.broken.is_none() {
            inner.broken = Some(Broken { law, seen: seen.to_string() });
        }
    }

    /// Demands that a law holds.
    pub(crate) fn hold(&self, holds: bool, law: &'static str, seen: impl FnOnce() -> String) {
        if !holds {
            self.break_law(law, seen());
        }
    }

    /// Gives the turn to the work that is named: every call of it that waits at a boundary leaves it.
    pub(crate) fn turn_to(&self, name: &str) {
        let wakers = {
            let mut inner = self.lock();
            inner.current.clear();
            inner.current.push_str(name);
            inner.turns = inner.turns.saturating_add(1);
            inner.to_leave = inner.waiting.get(name).copied().unwrap_or_default();
            std::mem::take(&mut inner.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether the work that has the turn has come to a boundary, and nothing of it is under way: what is written is
    /// seen in the order of the writes, and nothing is written while others have their turn, even if a call takes time.
    pub(crate) fn rests(&self, crossed: u64) -> bool {
        let inner = self.lock();
        inner.crossed != crossed && inner.under_way == 0 && inner.to_leave == 0
    }

    /// Whether a call has left a boundary and has not come back.
    pub(crate) fn is_under_way(&self) -> bool {
        self.lock().under_way > 0
    }

    /// A call that changes nothing: a boundary before it.
    pub(crate) async fn ask<T>(
        &self,
        place: &'static str,
        call: impl Future<Output = T>,
    ) -> Result<T, Struck> {
        let _across = self.cross(place, false).await?;
        Ok(call.await)
    }

    /// A call that may change something: a boundary before it, and one after.
    pub(crate) async fn call<T>(
        &self,
        place: &'static str,
        call: impl Future<Output = T>,
    ) -> Result<T, Struck> {
        let answer = self.ask(place, call).await?;
        self.cross(place, true).await?;
        Ok(answer)
    }

    /// Stops here until the executor goes on with this work; then the call fails if a fault was drawn. Nothing else of
    /// this work gets past a boundary until the answer is dropped, and they get there in the order in which they came.
    async fn cross(&self, place: &'static str, after: bool) -> Result<Across<'_>, Struck> {
        Pause::new(self).await;
        let across = Across { under_way: UnderWay::new(self), _alone: self.alone.lock().await };
        let strikes = {
            let mut inner = self.lock();
            let strikes = std::mem::take(&mut inner.armed);
            inner.struck = inner.struck.saturating_add(u64::from(strikes));
            strikes
        };
        let who = self.lock().current.clone();
        if strikes {
            let when = if after { "took effect, its answer is lost" } else { "fails" };
            self.tell(format_args!("{who}: {place} {when}"));
            return Err(Struck);
        }
        if !after {
            self.tell(format_args!("{who}: {place}"));
        }
        Ok(across)
    }
}

/// Waits for the next turn of the work in progress.
struct Pause<'a> {
    core: &'a Core,
    work: String,
    turn: u64,
}

impl<'a> Pause<'a> {
    fn new(core: &'a Core) -> Self {
        let mut inner = core.lock();
        inner.crossed = inner.crossed.saturating_add(1);
        let (work, turn) = (inner.current.clone(), inner.turns);
        let waiting = inner.waiting.entry(work.clone()).or_default();
        *waiting = waiting.saturating_add(1);
        drop(inner);
        Self { core, work, turn }
    }
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.core.lock();
        if inner.turns > self.turn {
            return Poll::Ready(());
        }
        inner.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut inner = self.core.lock();
        if inner.current == self.work && inner.turns > self.turn {
            inner.to_leave = inner.to_leave.saturating_sub(1);
        }
        if let Some(waiting) = inner.waiting.get_mut(&self.work) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                inner.waiting.remove(&self.work);
            }
        }
    }
}

/// Being between two boundaries, alone.
struct Across<'a> {
    under_way: UnderWay<'a>,
    _alone: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for Across<'_> {
    /// What retries after a while waits with jitter, which is drawn from here; a database's client draws from it too.
    fn drop(&mut self) {
        let inner = self.under_way.0.lock();
        fastrand::seed(inner.hash);
    }
}

struct UnderWay<'a>(&'a Core);

impl<'a> UnderWay<'a> {
    fn new(core: &'a Core) -> Self {
        let mut inner = core.lock();
        inner.under_way = inner.under_way.saturating_add(1);
        drop(inner);
        Self(core)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.under_way = inner.under_way.saturating_sub(1);
    }
}
