//! What the scheduled checks found last.

use app::conservation::{Conservation, Finding, Pass};
use domain::ids::{Dimension, SubscriptionId};
use domain::metering::{Ledger, MeterKey};
use domain::quantity::Quantity;
use domain::time::Month;
use jiff::Timestamp;
use serde::Serialize;

use super::usage::BalanceBody;

/// `GET /marketplace/checks/conservation`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConservationBody {
    /// `never`, `sound`, or `broken`: what the last pass that was through came to.
    result: &'static str,
    /// The last pass that was through.
    last: Option<PassBody>,
    /// The pass under way.
    under_way: Option<PassBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PassBody {
    started_at: Timestamp,
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingBody {
    subscription_id: SubscriptionId,
    dimension: Dimension,
    month: Month,
    /// `events-differ`, `accepted-differs`, `parked-differs`, `more-than-due`, `parts-differ`, `not-in-index`, or
    /// `no-meter`.
    broken: Vec<&'static str>,
    /// Absent for usage without a meter.
    numbers: Option<NumbersBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NumbersBody {
    /// What the usage events add up to.
    ingested: Quantity,
    aggregate: Quantity,
    due: Quantity,
    balance: BalanceBody,
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
