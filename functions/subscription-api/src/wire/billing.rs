//! What a month costs, and what of it AWS was told.

use app::billing::{Bill, BillLine};
use domain::catalog::Allowance;
use domain::ids::{Dimension, MeteringRecordId, PlanId, SubscriptionId};
use domain::metering::{MeteringRecord, ParkReason, RecordStatus};
use domain::quantity::Quantity;
use domain::time::{Hour, Month};
use jiff::Timestamp;
use serde::Serialize;

use super::usage::BalanceBody;

/// `GET …/billing`: an estimate; AWS computes the bill.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BillBody {
    subscription_id: SubscriptionId,
    month: Month,
    plan: Option<PlanId>,
    currency: String,
    /// Absent when it is agreed in private.
    base_price: Option<String>,
    lines: Vec<LineBody>,
    /// The sum of the lines.
    overage_total: String,
    /// Absent when the base price is.
    estimated_total: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineBody {
    dimension: Dimension,
    used: Quantity,
    unlimited: bool,
    /// Absent when unlimited.
    included: Option<Quantity>,
    /// Owed, in units; AWS bills whole units of it.
    due: Quantity,
    unit_price: String,
    amount: String,
    balance: BalanceBody,
}

impl From<BillLine> for LineBody {
    fn from(line: BillLine) -> Self {
        let included = match line.included {
            Allowance::Limited(included) => Some(included),
            Allowance::Unlimited => None,
        };
        Self {
            dimension: line.dimension,
            used: line.used,
            unlimited: included.is_none(),
            included,
            due: line.due,
            unit_price: line.unit_price.to_string(),
            amount: line.amount.to_string(),
            balance: line.balance.into(),
        }
    }
}

impl From<Bill> for BillBody {
    fn from(bill: Bill) -> Self {
        let overage_total = bill
            .lines
            .iter()
            .map(|line| line.amount)
            .reduce(rust_decimal::Decimal::saturating_add)
            .unwrap_or_default();
        Self {
            subscription_id: bill.subscription,
            month: bill.month,
            plan: bill.plan,
            currency: bill.currency,
            base_price: bill.base_price.map(|price| price.to_string()),
            lines: bill.lines.into_iter().map(Into::into).collect(),
            overage_total: overage_total.to_string(),
            estimated_total: bill.estimated_total.map(|total| total.to_string()),
        }
    }
}

/// One line of `GET …/records`: what was sent to AWS under one hour.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordBody {
    dimension: Dimension,
    month: Month,
    /// Absent for units that were never sent.
    hour: Option<Hour>,
    /// Whole units.
    quantity: u64,
    /// `accepted`; `parked`: AWS does not bill it, and it waits for a human; `retried`: it was parked, and its units
    /// wait again; `closed`: it was parked, and a human settled it otherwise.
    status: &'static str,
    /// AWS's id; absent when AWS answered that it had the same record already.
    record_id: Option<MeteringRecordId>,
    /// Why it is or was parked.
    reason: Option<&'static str>,
    /// AWS's error code.
    code: Option<String>,
    booked_at: Timestamp,
}

impl From<MeteringRecord> for RecordBody {
    fn from(record: MeteringRecord) -> Self {
        let (status, record_id, reason, code) = match record.status {
            RecordStatus::Accepted { record_id } => ("accepted", record_id, None, None),
            RecordStatus::Parked { reason, code } => {
                ("parked", None, Some(ParkReason::as_str(reason)), code)
            }
            RecordStatus::Retried { reason, .. } => ("retried", None, Some(reason.as_str()), None),
            RecordStatus::Closed { reason, .. } => ("closed", None, Some(reason.as_str()), None),
        };
        Self {
            dimension: record.key.dimension,
            month: record.key.month,
            hour: record.hour,
            quantity: record.quantity,
            status,
            record_id,
            reason,
            code,
            booked_at: record.booked_at,
        }
    }
}
