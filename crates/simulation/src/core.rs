//! What everything in a world shares: the time, the boundary at which work stops and faults strike, what was seen
//! there, and the trace.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use app::ports::SettlementRequest;
use domain::ids::SubscriptionId;
use domain::metering::{Meter, MeterKey};
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
    pub(crate) hash: u64,
    pub(crate) trace: Option<Vec<String>>,
    pub(crate) lines: u64,
}

/// A world's common ground; clones share it.
#[derive(Clone)]
pub(crate) struct Core {
    inner: Arc<Mutex<Inner>>,
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
            struck: 0,
            broken: None,
            meters: BTreeMap::new(),
            sent: BTreeMap::new(),
            stray_hours: BTreeSet::new(),
            closing: BTreeMap::new(),
            came: BTreeMap::new(),
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
        Self { inner: Arc::new(Mutex::new(inner)), simulator, bug }
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

    /// Stops here until the executor goes on with this work; then the call fails if a fault was drawn.
    pub(crate) async fn cross(&self, place: &'static str, after: bool) -> Result<(), Struck> {
        {
            let mut inner = self.lock();
            inner.crossed = inner.crossed.saturating_add(1);
        }
        Pause { waited: false }.await;
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
        Ok(())
    }
}

/// Waits for one more poll.
struct Pause {
    waited: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.waited {
            return Poll::Ready(());
        }
        self.waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
