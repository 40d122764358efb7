//! What a settlement did, for the log and as metrics.

use app::settlement::RunReport;
use domain::time::Hour;
use jiff::Timestamp;
use lambda_shell::metrics::{self, Metrics};
use lambda_shell::money::minor_units;

/// Reports a scheduled run, which has looked at everything: only it knows the oldest age.
pub(crate) fn run(metrics: &Metrics, now: Timestamp, report: &RunReport, currency: &str) {
    let oldest = report.oldest_unsettled.map_or(0, |hour| Hour::of(now).hours_since(hour));
    metrics.emit(now, &[(metrics::SETTLEMENT_RUNS, 1), (metrics::OLDEST_UNSETTLED_HOURS, oldest)]);
    request(metrics, now, None, report, currency);
}

/// Reports a request.
pub(crate) fn request(
    metrics: &Metrics,
    now: Timestamp,
    subscription: Option<&str>,
    report: &RunReport,
    currency: &str,
) {
    let accepted = report.accepted.saturating_add(report.already_held);
    let not_taken = report.pending.saturating_add(report.parked);
    metrics.emit(
        now,
        &[
            (metrics::RECORDS_ACCEPTED, accepted),
            (metrics::RECORDS_PENDING, report.pending),
            (metrics::SUBMISSION_FAILURES, not_taken),
            (metrics::ESTIMATED_REVENUE, minor_units(report.earned, currency)),
            (metrics::METERING_CALLS, report.calls),
            (metrics::SETTLEMENT_FAILED, report.failed),
        ],
    );
    if let Some(rate) = success_rate(accepted, not_taken) {
        metrics.emit(now, &[(metrics::SUBMISSION_SUCCESS_RATE, rate)]);
    }
    for (reason, count) in &report.parked_because {
        metrics.emit_by(now, metrics::RECORDS_PARKED, reason.as_str(), *count);
    }
    tracing::info!(
        subscription.id = subscription,
        records.frozen = report.frozen,
        records.accepted = report.accepted,
        records.already_held = report.already_held,
        records.pending = report.pending,
        records.parked = report.parked,
        meters.failed = report.failed,
        calls = report.calls,
        subscriptions.concluded = report.concluded,
        oldest_unsettled = report.oldest_unsettled.map(|hour| hour.to_string()),
        handed_over = report.handed_over,
        "settled"
    );
}

/// Of a hundred records, how many AWS took; nothing when there was none.
fn success_rate(accepted: u64, not_taken: u64) -> Option<u64> {
    accepted.saturating_mul(100).checked_div(accepted.saturating_add(not_taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_records_has_no_rate() {
        assert_eq!(success_rate(0, 0), None);
        assert_eq!(success_rate(24, 1), Some(96));
        assert_eq!(success_rate(0, 3), Some(0));
    }
}
