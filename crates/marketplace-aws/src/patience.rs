//! How long an answer is waited for. Without a limit, a lost connection would hold a function until its deadline.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;

/// One attempt; AWS answers in well under a second.
const ATTEMPT: Duration = Duration::from_secs(8);
/// A call with all its attempts: an API behind API Gateway has 30 s.
const CALL: Duration = Duration::from_secs(25);

/// The configuration's limits, and ours where it has none.
pub(crate) fn limits(config: &SdkConfig) -> TimeoutConfig {
    let ours =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build();
    match config.timeout_config() {
        Some(theirs) => theirs.clone().into_builder().take_unset_from(ours.into_builder()).build(),
        None => ours,
    }
}
