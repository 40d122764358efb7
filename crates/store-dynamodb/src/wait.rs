//! Waiting between two tries of something that should pass by itself.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Sleeper, TokioSleeper};

/// Five waits, from 20 ms, doubling, with jitter.
pub(crate) fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_times(5)
        .with_jitter()
        .build()
}

pub(crate) async fn wait(delay: Duration) {
    TokioSleeper.sleep(delay).await;
}
