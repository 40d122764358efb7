//! What a month costs, and what of it AWS was told.

use app::billing::{Bill, BillLine};
use domain::catalog::Allowance;
use domain::ids::{Dimension, MeteringRecordId, PlanId, SubscriptionId};
use domain::metering::{Allocation, MeteringRecord, ParkReason, RecordStatus, Tags};
use domain::quantity::Quantity;
use domain::time::{Hour, Month};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use schemars::JsonSchema;
use serde::Serialize;

use super::usage::BalanceBody;

/// `GET …/billing`: an estimate; AWS computes the bill.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Bill")]
pub(crate) struct BillBody {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "shapes::Month")]
    month: Month,
    #[schemars(with = "Option<shapes::PlanId>")]
    plan: Option<PlanId>,
    currency: String,
    /// Absent when it is agreed in private.
    #[schemars(with = "Option<shapes::Decimal>")]
    base_price: Option<String>,
    lines: Vec<LineBody>,
    /// The sum of the lines.
    #[schemars(with = "shapes::Decimal")]
    overage_total: String,
    /// Absent when the base price is.
    #[schemars(with = "Option<shapes::Decimal>")]
    estimated_total: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BillLine")]
struct LineBody {
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    #[schemars(with = "shapes::Decimal")]
    used: Quantity,
    unlimited: bool,
    /// Absent when unlimited.
    #[schemars(with = "Option<shapes::Decimal>")]
    included: Option<Quantity>,
    /// Owed, in units; AWS bills whole units of it.
    #[schemars(with = "shapes::Decimal")]
    due: Quantity,
    #[schemars(with = "shapes::Decimal")]
    unit_price: String,
    #[schemars(with = "shapes::Decimal")]
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

lambda_shell::words! {
    RecordState ["accepted", "parked", "retried", "closed"]
    ParkedBecause ["not-subscribed", "expired", "closed", "mismatched", "rejected"]
}

/// One line of `GET …/records`: what was sent to AWS under one hour.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MeteringRecord")]
pub(crate) struct RecordBody {
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    #[schemars(with = "shapes::Month")]
    month: Month,
    /// Absent for units that were never sent.
    #[schemars(with = "Option<shapes::Hour>")]
    hour: Option<Hour>,
    /// Whole units.
    quantity: u64,
    /// `accepted`; `parked`: AWS does not bill it, and it waits for a human; `retried`: it was parked, and its units
    /// wait again; `closed`: it was parked, and a human settled it otherwise.
    #[schemars(with = "RecordState")]
    status: &'static str,
    /// AWS's id; absent when AWS answered that it had the same record already.
    #[schemars(with = "Option<String>")]
    record_id: Option<MeteringRecordId>,
    /// Why it is or was parked.
    #[schemars(with = "Option<ParkedBecause>")]
    reason: Option<&'static str>,
    /// AWS's error code.
    code: Option<String>,
    #[schemars(with = "shapes::Instant")]
    booked_at: Timestamp,
    /// How it was allocated to the buyer's tags; empty when none of it carries any.
    allocations: Vec<AllocationBody>,
}

/// So many units of a record are for these tags; without tags, for none.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Allocation")]
struct AllocationBody {
    #[schemars(with = "shapes::Tags")]
    tags: Tags,
    quantity: u64,
}

impl From<Allocation> for AllocationBody {
    fn from(Allocation { tags, quantity }: Allocation) -> Self {
        Self { tags, quantity }
    }
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
            allocations: record.allocations.into_iter().map(Into::into).collect(),
        }
    }
}
