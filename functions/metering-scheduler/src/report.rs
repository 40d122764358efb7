//! What a settlement did, for the log and as metrics.

use app::settlement::RunReport;
use domain::time::Hour;
use jiff::Timestamp;
use lambda_shell::metrics::{self, Metrics};

/// Reports a scheduled run, which has looked at everything: only it knows the oldest age.
pub(crate) fn run(metrics: &Metrics, now: Timestamp, report: &RunReport) {
    let oldest = report.oldest_unsettled.map_or(0, |hour| Hour::of(now).hours_since(hour));
    metrics.emit(now, &[(metrics::SETTLEMENT_RUNS, 1), (metrics::OLDEST_UNSETTLED_HOURS, oldest)]);
    request(metrics, now, None, report);
}

/// Reports a request.
pub(crate) fn request(
    metrics: &Metrics,
    now: Timestamp,
    subscription: Option<&str>,
    report: &RunReport,
) {
    let accepted = report.accepted.saturating_add(report.already_held);
    metrics.emit(
        now,
        &[
            (metrics::RECORDS_ACCEPTED, accepted),
            (metrics::RECORDS_PENDING, report.pending),
            (metrics::RECORDS_PARKED, report.parked),
            (metrics::METERING_CALLS, report.calls),
            (metrics::SETTLEMENT_FAILED, report.failed),
        ],
    );
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
