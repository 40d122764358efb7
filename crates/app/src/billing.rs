//! What a month costs: the catalog's prices on the same meters that are billed through AWS.

use domain::catalog::{Allowance, Catalog, PricingModel};
use domain::ids::{Dimension, PlanId, SubscriptionId};
use domain::metering::{Balance, Meter, MeterKey};
use domain::quantity::Quantity;
use domain::subscription::Subscription;
use domain::time::Month;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::ports::Usage;
use crate::{Context, Error};

/// One dimension of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// Of what.
    pub dimension: Dimension,
    /// Used in the month.
    pub used: Quantity,
    /// What costs nothing extra.
    pub included: Allowance,
    /// What is owed, in units; AWS bills whole units of it.
    pub due: Quantity,
    /// The catalog's price of a unit.
    pub unit_price: Decimal,
    /// Whole units owed times the price.
    pub amount: Decimal,
    /// Where every unit is.
    pub balance: Balance,
}

/// A month of a subscription. An estimate: AWS computes the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Whose.
    pub subscription: SubscriptionId,
    /// Which month.
    pub month: Month,
    /// The plan now in force.
    pub plan: Option<PlanId>,
    /// ISO code of all amounts.
    pub currency: String,
    /// The price per month, zero for pay as you go; absent when it is agreed in private.
    pub base_price: Option<Decimal>,
    /// One line per dimension of the catalog.
    pub lines: Vec<BillLine>,
    /// Base price and lines; absent when the base price is.
    pub estimated_total: Option<Decimal>,
}

/// What so many units of a dimension cost beyond what is included, under the plan now in force.
pub(crate) fn amount(
    subscription: &Subscription,
    catalog: &Catalog,
    dimension: &Dimension,
    units: u64,
) -> Decimal {
    let rule = subscription.plan(catalog).and_then(|plan| plan.dimensions.get(dimension));
    rule.map_or(Decimal::ZERO, |rule| Decimal::from(units).saturating_mul(rule.unit_price))
}

/// Tells what a month costs so far; `None` when there is no such subscription.
///
/// # Errors
/// When the store cannot be read.
pub async fn bill<S: Usage, A>(
    ctx: &Context<S, A>,
    id: &SubscriptionId,
    month: Month,
    _now: Timestamp,
) -> Result<Option<Bill>, Error> {
    let catalog = &ctx.listing.catalog;
    let keys: Vec<MeterKey> = catalog
        .dimensions()
        .iter()
        .map(|spec| MeterKey { subscription: id.clone(), month, dimension: spec.id.clone() })
        .collect();
    let read = ctx.store.read_usage(id, &keys).await?;
    let Some(subscription) = read.subscription else { return Ok(None) };
    let plan = subscription.plan(catalog);
    let mut lines = Vec::new();
    let mut overage = Decimal::ZERO;
    for spec in catalog.dimensions() {
        let known = read.meters.iter().find(|meter| meter.key.dimension == spec.id).cloned();
        let meter = known.unwrap_or_else(|| {
            let key = MeterKey { subscription: id.clone(), month, dimension: spec.id.clone() };
            Meter::new(key, spec.aggregation, subscription.terms(spec, catalog))
        });
        let unit_price = plan
            .and_then(|plan| plan.dimensions.get(&spec.id))
            .map_or(Decimal::ZERO, |rule| rule.unit_price);
        let due = meter.due();
        let amount = Decimal::from(due.floor()).saturating_mul(unit_price);
        overage = overage.saturating_add(amount);
        lines.push(BillLine {
            dimension: spec.id.clone(),
            used: meter.aggregate,
            included: meter.terms.included,
            due,
            unit_price,
            amount,
            balance: meter.balance(),
        });
    }
    let base_price = match subscription.pricing {
        PricingModel::Usage => Some(Decimal::ZERO),
        PricingModel::Contract | PricingModel::ContractWithConsumption => {
            plan.and_then(|plan| plan.monthly_price)
        }
    };
    Ok(Some(Bill {
        subscription: subscription.id.clone(),
        month,
        plan: plan.map(|plan| plan.id.clone()),
        currency: catalog.currency().to_owned(),
        base_price,
        lines,
        estimated_total: base_price.map(|base| base.saturating_add(overage)),
    }))
}
