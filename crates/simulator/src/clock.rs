//! The simulator's clock: wall time plus an offset, or a time set by hand.
//!
//! Nothing in the simulator runs in the background. Every call first asks the clock, then does
//! whatever became due since the last call, so moving the clock is enough to make
//! `License Updated`, renewals and expiries happen.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What the clock remembers; it is what a storage keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub(crate) enum Reading {
    /// The machine's clock plus an offset.
    Wall { offset: SignedDuration },
    /// Stands still until moved.
    Manual { now: Timestamp },
}

type OnMove = Box<dyn Fn(Reading) + Send + Sync>;

struct Inner {
    reading: Reading,
    on_move: Option<OnMove>,
}

/// A clock shared by everybody who holds a clone of it.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Mutex<Inner>>,
}

impl Clock {
    /// The machine's clock; it can still be advanced, and then runs on with an offset.
    pub fn wall() -> Self {
        Self::from_reading(Reading::Wall { offset: SignedDuration::ZERO })
    }

    /// A clock that stands still at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self::from_reading(Reading::Manual { now: start })
    }

    fn from_reading(reading: Reading) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { reading, on_move: None })) }
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        match self.lock().reading {
            Reading::Wall { offset } => later(Timestamp::now(), offset),
            Reading::Manual { now } => now,
        }
    }

    /// Moves the clock by `by`; a negative duration moves it back.
    pub fn advance(&self, by: SignedDuration) {
        self.change(|reading| match reading {
            Reading::Wall { offset } => Reading::Wall { offset: offset.saturating_add(by) },
            Reading::Manual { now } => Reading::Manual { now: later(now, by) },
        });
    }

    /// Sets the clock to `to`; a wall clock runs on from there.
    pub fn set(&self, to: Timestamp) {
        self.change(|reading| match reading {
            Reading::Wall { .. } => Reading::Wall { offset: to.duration_since(Timestamp::now()) },
            Reading::Manual { .. } => Reading::Manual { now: to },
        });
    }

    /// Whether the clock stands still until it is moved.
    pub fn is_manual(&self) -> bool {
        matches!(self.lock().reading, Reading::Manual { .. })
    }

    pub(crate) fn reading(&self) -> Reading {
        self.lock().reading
    }

    /// Takes over a stored reading of the same mode; a reading of the other mode is ignored.
    pub(crate) fn restore(&self, stored: Reading) {
        let mut inner = self.lock();
        if std::mem::discriminant(&inner.reading) == std::mem::discriminant(&stored) {
            inner.reading = stored;
        }
    }

    /// Has `keep` called with every new reading, so that a moved clock survives a restart.
    pub(crate) fn keep_with(&self, keep: impl Fn(Reading) + Send + Sync + 'static) {
        self.lock().on_move = Some(Box::new(keep));
    }

    fn change(&self, change: impl FnOnce(Reading) -> Reading) {
        let mut inner = self.lock();
        inner.reading = change(inner.reading);
        if let Some(keep) = &inner.on_move {
            keep(inner.reading);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::wall()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.reading()).finish()
    }
}

/// `at` moved by `by`, stopping at the ends of representable time.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
