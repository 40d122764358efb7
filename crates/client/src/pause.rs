//! How long to wait after a failure.

use std::time::Duration;

/// Doubles from failure to failure, up to a limit, and is drawn between half of that and all of it, so that many clients
/// do not come back at once. What the server asks for is the least.
pub(crate) fn pause(
    failures: u32,
    first: Duration,
    longest: Duration,
    asked: Option<Duration>,
) -> Duration {
    let doubled =
        first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let most = doubled.min(longest);
    let half = most / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    let drawn = half.saturating_add(Duration::from_millis(fastrand::u64(0..=spread)));
    drawn.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_the_servers_wish_is_the_least() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(1));
        for (failures, most) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (90, 1000)] {
            for _ in 0..50 {
                let drawn = pause(failures, first, longest, None).as_millis();
                assert!((most / 2..=most).contains(&drawn), "{failures}: {drawn}");
            }
        }
        let asked = Some(Duration::from_secs(7));
        assert_eq!(pause(1, first, longest, asked), Duration::from_secs(7));
    }
}
