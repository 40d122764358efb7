//! How long a run may take.

use std::time::{Duration, SystemTime};

use app::settlement::Budget;

/// Kept for the work in hand and for handing over the rest.
const MARGIN: Duration = Duration::from_secs(30);

/// A budget that ends half a minute before `deadline`, the time at which Lambda ends the invocation. It goes by the
/// machine's own clock: the deadline is about this process, not about billing.
pub fn budget(deadline: SystemTime) -> Budget {
    let end = deadline.checked_sub(MARGIN).unwrap_or(SystemTime::UNIX_EPOCH);
    Budget::until(move || SystemTime::now() >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stops_half_a_minute_before_the_deadline() {
        let now = SystemTime::now();
        assert!(budget(now + Duration::from_secs(29)).is_spent());
        assert!(!budget(now + Duration::from_mins(5)).is_spent());
    }
}
