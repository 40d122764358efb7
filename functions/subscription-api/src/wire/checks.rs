//! What the scheduled checks found last.

use app::conservation::{Conservation, Finding, Pass};
use app::reconcile::Reconciliation;
use domain::ids::{AgreementId, Dimension, SubscriptionId};
use domain::metering::{Ledger, MeterKey};
use domain::quantity::Quantity;
use domain::time::Month;
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use schemars::JsonSchema;
use serde::Serialize;

use super::usage::BalanceBody;

lambda_shell::words! {
    CheckResult ["never", "sound", "broken"]
    BrokenLaw [
        "events-differ",
        "accepted-differs",
        "parked-differs",
        "more-than-due",
        "parts-differ",
        "not-in-index",
        "no-meter",
    ]
}

/// What the ledger of one meter adds up to, in whole units.
#[derive(JsonSchema)]
#[schemars(rename = "Ledger")]
#[expect(dead_code, reason = "only its shape is of use")]
struct LedgerShape {
    accepted: u64,
    parked: u64,
}

/// `GET /marketplace/checks/conservation`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Conservation")]
pub(crate) struct ConservationBody {
    /// `never`, `sound`, or `broken`: what the last pass that was through came to.
    #[schemars(with = "CheckResult")]
    result: &'static str,
    /// The last pass that was through.
    last: Option<PassBody>,
    /// The pass under way.
    under_way: Option<PassBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckPass")]
struct PassBody {
    #[schemars(with = "shapes::Instant")]
    started_at: Timestamp,
    #[schemars(with = "Option<shapes::Instant>")]
    finished_at: Option<Timestamp>,
    subscriptions: u64,
    /// Meters that were weighed.
    meters: u64,
    /// Meters that changed all the while and were left to the next pass.
    busy: u64,
    /// Meters that do not add up.
    broken: u64,
    /// The first 50 of them.
    findings: Vec<FindingBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckFinding")]
struct FindingBody {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    #[schemars(with = "shapes::Month")]
    month: Month,
    /// `events-differ`, `accepted-differs`, `parked-differs`, `more-than-due`, `parts-differ`, `not-in-index`, or
    /// `no-meter`.
    #[schemars(with = "Vec<BrokenLaw>")]
    broken: Vec<&'static str>,
    /// Absent for usage without a meter.
    numbers: Option<NumbersBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CheckNumbers")]
struct NumbersBody {
    /// What the usage events add up to.
    #[schemars(with = "shapes::Decimal")]
    ingested: Quantity,
    #[schemars(with = "shapes::Decimal")]
    aggregate: Quantity,
    #[schemars(with = "shapes::Decimal")]
    due: Quantity,
    balance: BalanceBody,
    #[schemars(with = "LedgerShape")]
    ledger: Ledger,
}

impl From<Conservation> for ConservationBody {
    fn from(known: Conservation) -> Self {
        let result = match &known.last {
            None => "never",
            Some(pass) if pass.broken == 0 => "sound",
            Some(_) => "broken",
        };
        let Conservation { last, under_way, .. } = known;
        Self { result, last: last.map(Into::into), under_way: under_way.map(Into::into) }
    }
}

impl From<Pass> for PassBody {
    fn from(pass: Pass) -> Self {
        let Pass { started_at, finished_at, subscriptions, meters, busy, broken, findings } = pass;
        let findings = findings.into_iter().map(Into::into).collect();
        Self { started_at, finished_at, subscriptions, meters, busy, broken, findings }
    }
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        let MeterKey { subscription, month, dimension } = finding.meter;
        let broken = finding.imbalance.as_ref().map_or_else(
            || vec!["no-meter"],
            |found| found.laws.iter().map(|law| law.as_str()).collect(),
        );
        let numbers = finding.imbalance.map(|found| NumbersBody {
            ingested: found.ingested,
            aggregate: found.aggregate,
            due: found.due,
            balance: found.balance.into(),
            ledger: found.ledger,
        });
        Self { subscription_id: subscription, dimension, month, broken, numbers }
    }
}

/// `GET /marketplace/checks/notices`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reconciliation")]
pub(crate) struct NoticesBody {
    /// Every change of an agreement until then is known, or waits below.
    #[schemars(with = "Option<shapes::Instant>")]
    watermark: Option<Timestamp>,
    /// When everything AWS had to tell was last read to its end.
    #[schemars(with = "Option<shapes::Instant>")]
    completed_at: Option<Timestamp>,
    /// When every license was last looked at.
    #[schemars(with = "Option<shapes::Instant>")]
    swept_at: Option<Timestamp>,
    /// Agreements that are looked at again in every run: not provisioned yet, begun later, or not readable.
    #[schemars(with = "Vec<String>")]
    waiting: Vec<AgreementId>,
    /// Repairs so far.
    repairs: u64,
}

impl From<Reconciliation> for NoticesBody {
    fn from(known: Reconciliation) -> Self {
        let Reconciliation { watermark, completed_at, swept_at, repairs, .. } = known;
        let waiting = known.waiting.into_keys().collect();
        Self { watermark, completed_at, swept_at, waiting, repairs }
    }
}
