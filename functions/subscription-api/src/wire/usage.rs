//! What was used.

use app::billing::Bill;
use app::ports::BookedEvent;
use domain::catalog::{Aggregation, Allowance, Catalog};
use domain::ids::{Dimension, IdempotencyKey, SubscriptionId};
use domain::metering::{Balance, Tags};
use domain::quantity::Quantity;
use domain::time::Month;
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use schemars::JsonSchema;
use serde::Serialize;

/// Where every unit is; the parts add up to what was used.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Balance")]
pub(crate) struct BalanceBody {
    #[schemars(with = "shapes::Decimal")]
    within_plan: Quantity,
    #[schemars(with = "shapes::Decimal")]
    metered: Quantity,
    #[schemars(with = "shapes::Decimal")]
    pending: Quantity,
    #[schemars(with = "shapes::Decimal")]
    not_yet_metered: Quantity,
    #[schemars(with = "shapes::Decimal")]
    parked: Quantity,
}

impl From<Balance> for BalanceBody {
    fn from(balance: Balance) -> Self {
        let Balance { within_plan, metered, pending, not_yet_metered, parked } = balance;
        Self { within_plan, metered, pending, not_yet_metered, parked }
    }
}

/// `GET …/usage`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Usage")]
pub(crate) struct UsageBody {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "shapes::Month")]
    month: Month,
    dimensions: Vec<DimensionUsageBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DimensionUsage")]
struct DimensionUsageBody {
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    metric: String,
    title: String,
    unit: String,
    #[schemars(with = "shapes::Aggregation")]
    aggregation: Aggregation,
    #[schemars(with = "shapes::Decimal")]
    used: Quantity,
    unlimited: bool,
    /// Absent when unlimited.
    #[schemars(with = "Option<shapes::Decimal>")]
    included: Option<Quantity>,
    /// Owed, in units.
    #[schemars(with = "shapes::Decimal")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UsageEvent")]
pub(crate) struct UsageEventBody {
    #[schemars(with = "shapes::Key")]
    key: IdempotencyKey,
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    #[schemars(with = "shapes::Decimal")]
    quantity: Quantity,
    #[schemars(with = "shapes::Instant")]
    at: Timestamp,
    /// For the buyer's cost allocation.
    #[schemars(with = "shapes::Tags")]
    tags: Tags,
    /// The month it is counted in.
    #[schemars(with = "shapes::Month")]
    booked_month: Month,
    #[schemars(with = "shapes::Instant")]
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
            tags: booked.event.tags,
            booked_month: booked.booked_month,
            booked_at: booked.booked_at,
            released: booked.released,
        }
    }
}
