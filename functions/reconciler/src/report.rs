//! What a task did, for the log and as metrics.

use app::conservation::CheckReport;
use app::reconcile::ReconcileReport;
use app::risk::Risk;
use app::usage::LapseReport;
use domain::time::Hour;
use jiff::Timestamp;
use lambda_shell::metrics::{self, Metrics};
use lambda_shell::money::minor_units;

pub(crate) fn conservation(metrics: &Metrics, now: Timestamp, report: &CheckReport) {
    metrics.emit(
        now,
        &[
            (metrics::CONSERVATION_CHECKS, u64::from(report.finished)),
            (metrics::CONSERVATION_METERS, report.meters),
            (metrics::CONSERVATION_BROKEN, report.broken),
        ],
    );
    tracing::info!(
        finished = report.finished,
        meters.weighed = report.meters,
        meters.busy = report.busy,
        meters.broken = report.broken,
        "weighed the open meters"
    );
}

pub(crate) fn notices(metrics: &Metrics, now: Timestamp, report: &ReconcileReport) {
    metrics.emit(
        now,
        &[
            (metrics::RECONCILE_RUNS, u64::from(report.finished)),
            (metrics::RECONCILE_FAILED, report.failed),
        ],
    );
    let changed = [
        (metrics::SUBSCRIPTIONS_CREATED, report.created),
        (metrics::SUBSCRIPTIONS_UPDATED, report.updated),
        (metrics::SUBSCRIPTIONS_CANCELLED, report.ended),
    ];
    let changed: Vec<_> = changed.into_iter().filter(|(_, count)| *count > 0).collect();
    metrics.emit(now, &changed);
    for (repair, count) in &report.repairs {
        metrics.emit_by(now, metrics::RECONCILE_REPAIRS, repair.as_str(), *count);
    }
    tracing::info!(
        finished = report.finished,
        agreements.looked_at = report.looked_at,
        agreements.repaired = report.repairs.values().sum::<u64>(),
        agreements.failed = report.failed,
        agreements.waiting = report.waiting,
        "read from AWS what notifications should have told"
    );
}

pub(crate) fn risk(metrics: &Metrics, now: Timestamp, risk: &Risk, currency: &str) {
    let oldest = risk.oldest_unsettled.map_or(0, |hour| Hour::of(now).hours_since(hour));
    metrics.emit(
        now,
        &[
            (metrics::RISK_CHECKS, 1),
            (metrics::OLDEST_UNSETTLED_HOURS, oldest),
            (metrics::MONEY_AT_RISK, minor_units(risk.money, currency)),
            (metrics::PARKED_OPEN, risk.parked),
            (metrics::UNREGISTERED_TOO_LONG, risk.unregistered),
        ],
    );
    tracing::info!(
        oldest_unsettled = risk.oldest_unsettled.map(|hour| hour.to_string()),
        money = %risk.money,
        meters.unsettled = risk.meters,
        parked = risk.parked,
        unregistered = risk.unregistered,
        complete = risk.complete,
        "measured what is at risk"
    );
}

pub(crate) fn reservations(metrics: &Metrics, now: Timestamp, report: &LapseReport) {
    metrics.emit(now, &[(metrics::RESERVATIONS_EXPIRED, report.released)]);
    tracing::info!(
        reservations.released = report.released,
        reservations.kept = report.kept,
        reservations.failed = report.failed,
        "released reservations whose time was over"
    );
}
