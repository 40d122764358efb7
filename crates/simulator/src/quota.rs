//! Request quotas as token buckets (F§3.7, 4, 5.4).
//!
//! A bucket holds one second's worth of calls and refills evenly. It runs on real monotonic time,
//! because the caller's back-off does too: a simulated clock that stands still would refuse for
//! ever. [`Stopwatch::manual`] replaces real time in tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A source of monotonic time.
#[derive(Clone)]
pub struct Stopwatch {
    read: Arc<dyn Fn() -> Duration + Send + Sync>,
}

/// Moves a manual [`Stopwatch`].
#[derive(Debug, Clone, Default)]
pub struct Hand(Arc<Mutex<Duration>>);

impl Hand {
    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = elapsed.saturating_add(by);
    }
}

impl Stopwatch {
    /// The machine's monotonic clock.
    pub fn real() -> Self {
        let start = Instant::now();
        Self { read: Arc::new(move || start.elapsed()) }
    }

    /// A stopwatch that stands still until its hand is moved.
    pub fn manual() -> (Self, Hand) {
        let hand = Hand::default();
        let shared = hand.clone();
        let read = move || *shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        (Self { read: Arc::new(read) }, hand)
    }

    fn elapsed(&self) -> Duration {
        (self.read)()
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopwatch").field(&self.elapsed()).finish()
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Thousandths of a call.
    level: u64,
    filled: Duration,
}

/// One bucket per name.
#[derive(Debug)]
pub(crate) struct Quotas {
    stopwatch: Stopwatch,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl Quotas {
    pub(crate) fn new(stopwatch: Stopwatch) -> Self {
        Self { stopwatch, buckets: Mutex::default() }
    }

    /// Takes one call out of the bucket `name`; false when it is empty. A rate of 0 is unlimited.
    pub(crate) fn take(&self, name: String, per_second: u32) -> bool {
        if per_second == 0 {
            return true;
        }
        let (now, full) = (self.stopwatch.elapsed(), u64::from(per_second) * 1000);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(name).or_insert(Bucket { level: full, filled: now });
        let millis =
            u64::try_from(now.saturating_sub(bucket.filled).as_millis()).unwrap_or(u64::MAX);
        if millis > 0 {
            let refill = millis.saturating_mul(per_second.into());
            bucket.level = bucket.level.saturating_add(refill).min(full);
            bucket.filled = now;
        }
        let taken = bucket.level.checked_sub(1000);
        bucket.level = taken.unwrap_or(bucket.level);
        taken.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allows_one_seconds_worth_and_refills_evenly() {
        let (stopwatch, hand) = Stopwatch::manual();
        let quotas = Quotas::new(stopwatch);
        let take = || quotas.take("metering".into(), 10);
        assert!((0..10).all(|_| take()));
        assert!(!take());
        hand.advance(Duration::from_millis(100));
        assert!(take());
        assert!(!take());
        hand.advance(Duration::from_mins(1));
        assert_eq!((0..20).filter(|_| take()).count(), 10);
    }

    #[test]
    fn a_rate_of_zero_is_unlimited() {
        let quotas = Quotas::new(Stopwatch::manual().0);
        assert!((0..1000).all(|_| quotas.take("any".into(), 0)));
    }
}
