//! Metrics: Amazon's embedded metric format, one JSON line each on standard output, which the log service turns into
//! metrics without a call. Names are constants here and nowhere else; alarms in the template use the same.
//!
//! Only a metric whose reason is [`By::Reason`] has a dimension, and its reasons are words of this program, never of a
//! caller: the number of metrics is bounded. Money is whole minor units of the catalog's currency, cents for dollars.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of all metrics, unless another was chosen.
pub const NAMESPACE: &str = "Marketplace";

static CHOSEN: OnceLock<String> = OnceLock::new();

/// Chooses the namespace of this process: two stacks of one account must not count into one another.
pub(crate) fn choose_namespace(name: String) {
    // Chosen once, at the start; a second start in one process keeps the first.
    let _kept = CHOSEN.set(name);
}

/// The one dimension that some metrics have: why, or which kind.
pub const REASON: &str = "Reason";

/// Whether a metric is told apart by reason as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A total alone.
    Nothing,
    /// A total, and one value for each reason.
    Reason,
}

/// A metric's name and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// Its unit, as the format spells it.
    pub unit: &'static str,
    /// Its dimension.
    pub by: By,
}

impl Metric {
    const fn by_reason(self) -> Self {
        Self { by: By::Reason, ..self }
    }
}

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: "Count", by: By::Nothing }
}

const fn milliseconds(name: &'static str) -> Metric {
    Metric { name, unit: "Milliseconds", by: By::Nothing }
}

const fn percent(name: &'static str) -> Metric {
    Metric { name, unit: "Percent", by: By::Nothing }
}

/// Minor units of the catalog's currency: `CloudWatch` has no unit for money.
const fn money(name: &'static str) -> Metric {
    Metric { name, unit: "None", by: By::Nothing }
}

/// Notices that changed something.
pub const NOTICES_APPLIED: Metric = count("NoticesApplied");
/// Notices that were taken without a change; the reason says why.
pub const NOTICES_PASSED: Metric = count("NoticesPassed").by_reason();
/// Bodies that are not notices.
pub const NOTICES_UNREADABLE: Metric = count("NoticesUnreadable").by_reason();
/// Notices that could not be taken now and come again.
pub const NOTICES_FAILED: Metric = count("NoticesFailed");

/// Webhook requests, by how they were answered: `taken`, `refused`, `rejected`, `failed`.
pub const WEBHOOK_REQUESTS: Metric = count("WebhookRequests").by_reason();
/// Webhook requests whose proof failed, by what failed.
pub const WEBHOOK_REJECTED: Metric = count("WebhookRejected").by_reason();
/// Webhook requests that failed on our side.
pub const WEBHOOK_FAILED: Metric = count("WebhookFailed");
/// How long a webhook request took.
pub const WEBHOOK_LATENCY: Metric = milliseconds("WebhookLatency");

/// Usage events that were new and are booked.
pub const USAGE_ACCEPTED: Metric = count("UsageAccepted");
/// Usage events that were there before.
pub const USAGE_DUPLICATE: Metric = count("UsageDuplicate");
/// Usage events that were refused, by code.
pub const USAGE_REFUSED: Metric = count("UsageRefused").by_reason();
/// Usage events that could not be stored now.
pub const USAGE_FAILED: Metric = count("UsageFailed");

/// Metering records that AWS bills.
pub const RECORDS_ACCEPTED: Metric = count("RecordsAccepted");
/// Metering records, or units without one, that AWS does not bill and that are sent no more: `expired`, `closed`,
/// `rejected`, `mismatched`.
pub const RECORDS_PARKED: Metric = count("RecordsParked").by_reason();
/// Metering records that AWS has not answered for and that are sent again.
pub const RECORDS_PENDING: Metric = count("RecordsPending");
/// Metering records that were sent and are not known to be billed: still pending, or refused.
pub const SUBMISSION_FAILURES: Metric = count("SubmissionFailures");
/// Of the metering records of a run, how many in a hundred AWS took; nothing when there was none.
pub const SUBMISSION_SUCCESS_RATE: Metric = percent("SubmissionSuccessRate");
/// What the records that AWS took will bring, at the catalog's prices.
pub const ESTIMATED_REVENUE: Metric = money("EstimatedRevenue");
/// Calls of BatchMeterUsage.
pub const METERING_CALLS: Metric = count("MeteringCalls");
/// Scheduled runs of the metering scheduler; its absence is an alarm.
pub const SETTLEMENT_RUNS: Metric = count("SettlementRuns");
/// Settlements that failed.
pub const SETTLEMENT_FAILED: Metric = count("SettlementFailed");

/// Measurements of what is at risk, apart from the scheduler, so that they go on when it stands still; their absence is
/// an alarm.
pub const RISK_CHECKS: Metric = count("RiskChecks");
/// Age in hours of the oldest usage that AWS has not accepted yet.
pub const OLDEST_UNSETTLED_HOURS: Metric = count("OldestUnsettledHours");
/// What is due and not known to be billed, at the catalog's prices.
pub const MONEY_AT_RISK: Metric = money("MoneyAtRisk");
/// Parked items that wait for a human.
pub const PARKED_OPEN: Metric = count("ParkedOpen");
/// Subscriptions whose license has been active for more than a day and whose buyer has not registered.
pub const UNREGISTERED_TOO_LONG: Metric = count("UnregisteredTooLong");

/// Conservation checks that went once through all open meters; their absence is an alarm.
pub const CONSERVATION_CHECKS: Metric = count("ConservationChecks");
/// Meters that were checked.
pub const CONSERVATION_METERS: Metric = count("ConservationMeters");
/// Meters whose events, ledger and balance do not add up.
pub const CONSERVATION_BROKEN: Metric = count("ConservationBroken");
/// Invocations of the conservation check that failed.
pub const CONSERVATION_FAILED: Metric = count("ConservationFailed");

/// Reconciles that went through everything AWS had to tell; their absence is an alarm.
pub const RECONCILE_RUNS: Metric = count("ReconcileRuns");
/// Subscriptions repaired because a notification was lost or late, by what was repaired.
pub const RECONCILE_REPAIRS: Metric = count("ReconcileRepairs").by_reason();
/// Agreements and licenses that could not be looked at, and invocations that failed.
pub const RECONCILE_FAILED: Metric = count("ReconcileFailed");

/// Reservations that nobody kept or released in time.
pub const RESERVATIONS_EXPIRED: Metric = count("ReservationsExpired");

/// Subscriptions taken up, by whichever door.
pub const SUBSCRIPTIONS_CREATED: Metric = count("SubscriptionsCreated");
/// Subscriptions changed otherwise, by whichever door.
pub const SUBSCRIPTIONS_UPDATED: Metric = count("SubscriptionsUpdated");
/// Subscriptions whose license ended.
pub const SUBSCRIPTIONS_CANCELLED: Metric = count("SubscriptionsCancelled");
/// Cancellations that the seller asked AWS for.
pub const CANCELLATIONS_REQUESTED: Metric = count("CancellationsRequested");
/// Subscriptions that could not be created.
pub const SUBSCRIPTION_CREATION_FAILED: Metric = count("SubscriptionCreationFailed");
/// Time from subscribing to a confirmed tenant.
pub const ONBOARDING_TIME: Metric = milliseconds("OnboardingTime");

/// Buyers who arrived with a token, by what became of it.
pub const REGISTRATIONS_LANDED: Metric = count("RegistrationsLanded").by_reason();
/// Registrations that were completed.
pub const REGISTRATIONS_COMPLETED: Metric = count("RegistrationsCompleted");
/// Registrations that failed on our side.
pub const REGISTRATIONS_FAILED: Metric = count("RegistrationsFailed").by_reason();

/// Tenant notices published.
pub const TENANT_NOTICES_PUBLISHED: Metric = count("TenantNoticesPublished").by_reason();
/// Tenant notices that could not be published now.
pub const TENANT_NOTICES_FAILED: Metric = count("TenantNoticesFailed");

/// Webhooks that an endpoint took.
pub const WEBHOOKS_DELIVERED: Metric = count("WebhooksDelivered");
/// Tries to deliver a webhook that were in vain.
pub const WEBHOOKS_NOT_TAKEN: Metric = count("WebhooksNotTaken");
/// Webhooks that were tried for three days in vain.
pub const WEBHOOKS_GIVEN_UP: Metric = count("WebhooksGivenUp");
/// Endpoints that were paused because they keep failing.
pub const WEBHOOK_ENDPOINTS_PAUSED: Metric = count("WebhookEndpointsPaused");

/// All metrics, for the test that compares them with the template's alarms.
pub const ALL: &[Metric] = &[
    NOTICES_APPLIED,
    NOTICES_PASSED,
    NOTICES_UNREADABLE,
    NOTICES_FAILED,
    WEBHOOK_REQUESTS,
    WEBHOOK_REJECTED,
    WEBHOOK_FAILED,
    WEBHOOK_LATENCY,
    USAGE_ACCEPTED,
    USAGE_DUPLICATE,
    USAGE_REFUSED,
    USAGE_FAILED,
    RECORDS_ACCEPTED,
    RECORDS_PARKED,
    RECORDS_PENDING,
    SUBMISSION_FAILURES,
    SUBMISSION_SUCCESS_RATE,
    ESTIMATED_REVENUE,
    METERING_CALLS,
    SETTLEMENT_RUNS,
    SETTLEMENT_FAILED,
    RISK_CHECKS,
    OLDEST_UNSETTLED_HOURS,
    MONEY_AT_RISK,
    PARKED_OPEN,
    UNREGISTERED_TOO_LONG,
    CONSERVATION_CHECKS,
    CONSERVATION_METERS,
    CONSERVATION_BROKEN,
    CONSERVATION_FAILED,
    RECONCILE_RUNS,
    RECONCILE_REPAIRS,
    RECONCILE_FAILED,
    RESERVATIONS_EXPIRED,
    SUBSCRIPTIONS_CREATED,
    SUBSCRIPTIONS_UPDATED,
    SUBSCRIPTIONS_CANCELLED,
    CANCELLATIONS_REQUESTED,
    SUBSCRIPTION_CREATION_FAILED,
    ONBOARDING_TIME,
    REGISTRATIONS_LANDED,
    REGISTRATIONS_COMPLETED,
    REGISTRATIONS_FAILED,
    TENANT_NOTICES_PUBLISHED,
    TENANT_NOTICES_FAILED,
    WEBHOOKS_DELIVERED,
    WEBHOOKS_NOT_TAKEN,
    WEBHOOKS_GIVEN_UP,
    WEBHOOK_ENDPOINTS_PAUSED,
];

/// Where metrics go. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<dyn Fn(&str) + Send + Sync>);

impl Metrics {
    /// To standard output, where Lambda's log agent takes them.
    pub fn stdout() -> Self {
        Self::to(print)
    }

    /// Nowhere.
    pub fn discard() -> Self {
        Self::to(|_| ())
    }

    /// To `sink`, one JSON line a call.
    pub fn to(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Emits values measured at `now`, in one line.
    pub fn emit(&self, now: Timestamp, values: &[(Metric, u64)]) {
        if !values.is_empty() {
            (self.0)(&line(now, None, values).to_string());
        }
    }

    /// Emits one value under a reason, both as a total and by reason. Reasons must be few: each is a metric of its own.
    pub fn emit_by(&self, now: Timestamp, metric: Metric, reason: &str, value: u64) {
        (self.0)(&line(now, Some(reason), &[(metric, value)]).to_string());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

fn line(now: Timestamp, reason: Option<&str>, values: &[(Metric, u64)]) -> Value {
    let definitions: Vec<_> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name, "Unit": metric.unit}))
        .collect();
    let mut dimensions = vec![json!([])];
    let mut line = Map::new();
    if let Some(reason) = reason {
        dimensions.push(json!([REASON]));
        line.insert(REASON.to_owned(), json!(reason));
    }
    for (metric, value) in values {
        line.insert(metric.name.to_owned(), json!(value));
    }
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [
                {"Namespace": CHOSEN.get().map_or(NAMESPACE, String::as_str), "Dimensions": dimensions, "Metrics": definitions}
            ],
        }),
    );
    Value::Object(line)
}

#[expect(clippy::print_stdout, reason = "the embedded metric format is a line on standard output")]
fn print(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn emitted(emit: impl FnOnce(&Metrics, Timestamp)) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let metrics =
            Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
        emit(&metrics, "2026-11-24T07:00:00Z".parse().unwrap());
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let lines = emitted(|metrics, now| {
            metrics.emit(now, &[(USAGE_ACCEPTED, 3), (WEBHOOK_LATENCY, 12)]);
        });
        assert_eq!(
            lines,
            [json!({
                "_aws": {"Timestamp": 1_795_503_600_000_i64, "CloudWatchMetrics": [{
                    "Namespace": "Marketplace", "Dimensions": [[]], "Metrics": [
                        {"Name": "UsageAccepted", "Unit": "Count"},
                        {"Name": "WebhookLatency", "Unit": "Milliseconds"},
                    ],
                }]},
                "UsageAccepted": 3,
                "WebhookLatency": 12,
            })]
        );
    }

    #[test]
    fn a_reason_counts_toward_the_total_as_well() {
        let lines =
            emitted(|metrics, now| metrics.emit_by(now, WEBHOOK_REJECTED, "bad_signature", 1));
        assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["Reason"]]));
        assert_eq!(lines[0]["Reason"], "bad_signature");
    }

    #[test]
    fn nothing_measured_is_no_line() {
        assert!(emitted(|metrics, now| metrics.emit(now, &[])).is_empty());
    }

    #[test]
    fn no_two_metrics_share_a_name() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
