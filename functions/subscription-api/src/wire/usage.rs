//! What was used.

use app::billing::Bill;
use app::ports::BookedEvent;
use domain::catalog::{Aggregation, Allowance, Catalog};
use domain::ids::{Dimension, IdempotencyKey, SubscriptionId};
use domain::metering::Balance;
use domain::quantity::Quantity;
use domain::time::Month;
use jiff::Timestamp;
use serde::Serialize;

/// Where every unit is; the parts add up to what was used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BalanceBody {
    within_plan: Quantity,
    metered: Quantity,
    pending: Quantity,
    not_yet_metered: Quantity,
    parked: Quantity,
}

impl From<Balance> for BalanceBody {
    fn from(balance: Balance) -> Self {
        let Balance { within_plan, metered, pending, not_yet_metered, parked } = balance;
        Self { within_plan, metered, pending, not_yet_metered, parked }
    }
}

/// `GET …/usage`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageBody {
    subscription_id: SubscriptionId,
    month: Month,
    dimensions: Vec<DimensionUsageBody>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DimensionUsageBody {
    dimension: Dimension,
    metric: String,
    title: String,
    unit: String,
    aggregation: Aggregation,
    used: Quantity,
    unlimited: bool,
    /// Absent when unlimited.
    included: Option<Quantity>,
    /// Owed, in units.
    due: Quantity,
    balance: BalanceBody,
}

impl UsageBody {
    /// The usage of a bill, whose lines are the catalog's dimensions.
    pub(crate) fn of(bill: Bill, catalog: &Catalog) -> Self {
        let lines = bill.lines.into_iter().filter_map(|line| {
            let spec = catalog.dimension(&line.dimension)?;
            let included = match line.included {
                Allowance::Limited(included) => Some(included),
                Allowance::Unlimited => None,
            };
            Some(DimensionUsageBody {
                dimension: line.dimension,
                metric: spec.metric.clone(),
                title: spec.title.clone(),
                unit: spec.unit.clone(),
                aggregation: spec.aggregation,
                used: line.used,
                unlimited: included.is_none(),
                included,
                due: line.due,
                balance: line.balance.into(),
            })
        });
        Self { subscription_id: bill.subscription, month: bill.month, dimensions: lines.collect() }
    }
}

/// One line of `GET …/usage/events`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageEventBody {
    key: IdempotencyKey,
    dimension: Dimension,
    quantity: Quantity,
    at: Timestamp,
    /// The month it is counted in.
    booked_month: Month,
    booked_at: Timestamp,
    /// Whether it is a reservation that was given back.
    released: bool,
}

impl From<BookedEvent> for UsageEventBody {
    fn from(booked: BookedEvent) -> Self {
        Self {
            key: booked.event.key,
            dimension: booked.event.dimension,
            quantity: booked.event.quantity,
            at: booked.event.at,
            booked_month: booked.booked_month,
            booked_at: booked.booked_at,
            released: booked.released,
        }
    }
}
