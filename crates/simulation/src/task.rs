//! Work in progress, and the executor: one thread, one piece of work at a time, from one boundary to the next.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use app::usage::{Kept, ReportAnswer};
use jiff::Timestamp;

use crate::core::Core;
use crate::hold::Wish;

/// How far the time of waiting moves at once.
const A_WHILE: Duration = Duration::from_millis(1);

/// What a piece of work came to, for the world to act on.
#[derive(Debug)]
pub(crate) enum After {
    /// Notifications were handled; those named are to be delivered again.
    Delivered { ids: Vec<u64>, again: Vec<u64> },
    /// Letters were served; those named are to be delivered again.
    Served { ids: Vec<u64>, again: Vec<u64> },
    /// Events were answered; `None` when the request failed as a whole.
    Reported { events: Vec<usize>, answers: Option<Vec<ReportAnswer>> },
    /// A reservation was answered: whether it counts, `None` when nobody knows.
    Reserved { event: usize, counts: Option<bool> },
    /// A reservation was given back, or not.
    Released { event: usize, done: bool, keeps: bool },
    /// A held reservation was kept, or not; `None` when nobody knows.
    Kept { event: usize, answer: Option<Kept> },
    /// The product's own check accused so many meters.
    Weighed { broken: u64 },
    /// A buyer registered for an agreement, or did not.
    Registered { agreement: String, done: bool },
    /// A tenant was confirmed, or not.
    Confirmed { subscription: domain::ids::SubscriptionId, done: bool },
    /// The seller's wish for a hold, or for its end, was answered.
    Held { subscription: domain::ids::SubscriptionId, how: Wish },
    /// Nothing that the world acts on.
    Nothing,
}

/// A piece of work.
pub(crate) struct Task {
    pub(crate) name: String,
    /// When it was started.
    pub(crate) since: Timestamp,
    future: Pin<Box<dyn Future<Output = After>>>,
    bell: Arc<Bell>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

impl Bell {
    fn be_quiet(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    fn has_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    /// Waits until whatever the work waits for outside this world has happened: a database's answer.
    async fn rings(&self) {
        poll_fn(|context| {
            *self.outer.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(context.waker().clone());
            if self.has_rung() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Task {
    pub(crate) fn new(
        name: String,
        since: Timestamp,
        work: impl Future<Output = After> + 'static,
    ) -> Self {
        Self { name, since, future: Box::pin(work), bell: Arc::default() }
    }

    /// Goes on to the next boundary; answers when the work is done.
    pub(crate) async fn go_on(&mut self, core: &Core) -> Option<After> {
        let waker = Waker::from(Arc::clone(&self.bell));
        core.turn_to(&self.name);
        let crossed = core.lock().crossed;
        loop {
            self.bell.be_quiet();
            if let Poll::Ready(after) = self.future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return Some(after);
            }
            if self.bell.has_rung() {
                continue;
            }
            if core.rests(crossed) {
                return None;
            }
            if core.is_under_way() {
                self.bell.rings().await;
            } else {
                // It waits for a while, and time stands still unless everything waits.
                tokio::time::advance(A_WHILE).await;
            }
        }
    }
}
