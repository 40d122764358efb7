//! How fast and how long a run may go.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use governor::{Quota, RateLimiter};

/// AWS's quota of BatchMeterUsage per account and Region, calls a second (fact sheet §3.7).
const CALLS_PER_SECOND: NonZeroU32 = match NonZeroU32::new(10) {
    Some(calls) => calls,
    None => NonZeroU32::MIN,
};

/// What a run may spend: calls at AWS's pace, until its time is up.
pub struct Budget {
    pace: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    spent: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Budget {
    /// A budget that ends when `spent` says so, e.g. some seconds before the function's deadline.
    pub fn until(spent: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let pace = Arc::new(RateLimiter::direct(Quota::per_second(CALLS_PER_SECOND)));
        let leave = move || {
            let pace = Arc::clone(&pace);
            async move { pace.until_ready().await }.boxed()
        };
        Self { pace: Box::new(leave), spent: Box::new(spent) }
    }

    /// A budget whose calls are counted by `leave` and never wait: where time is simulated, AWS's pace is another's to
    /// keep.
    pub fn paced(
        leave: impl Fn() + Send + Sync + 'static,
        spent: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let leave = move || {
            leave();
            std::future::ready(()).boxed()
        };
        Self { pace: Box::new(leave), spent: Box::new(spent) }
    }

    /// A budget without an end.
    pub fn endless() -> Self {
        Self::until(|| false)
    }

    /// Whether no further work may be begun.
    pub fn is_spent(&self) -> bool {
        (self.spent)()
    }

    /// Waits until a call is within the quota.
    pub(super) async fn a_call(&self) {
        (self.pace)().await;
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("spent", &self.is_spent()).finish_non_exhaustive()
    }
}
