//! What AWS would bill beside what is due: one row per license, dimension and month. They must agree, always and
//! exactly; where they do not yet, the row says where the difference is.

use std::collections::BTreeMap;

use app::Error;
use app::ports::{ListFilter, Store};
use domain::ids::{Dimension, LicenseRef, SubscriptionId};
use domain::metering::Meter;
use domain::quantity::Quantity;
use domain::subscription::Subscription;
use domain::time::Month;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use simulator::InvoiceLine;

/// One meter beside its line of the invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciled {
    /// Whose; absent when AWS bills a license that no subscription knows.
    pub subscription: Option<SubscriptionId>,
    /// The license's tail, or the legacy customer.
    pub license: String,
    /// Of what.
    pub dimension: Dimension,
    /// Which month.
    pub month: Month,
    /// What was used.
    pub used: Quantity,
    /// What is owed, in units and fractions of units.
    pub due: Quantity,
    /// Whole units that AWS accepted, as far as we know.
    pub metered: u64,
    /// Whole units sent and not known to be accepted.
    pub pending: u64,
    /// Whole units that wait for the next run.
    pub waiting: u64,
    /// Whole units that AWS refused for good.
    pub parked: u64,
    /// Whole units that AWS bills.
    pub invoiced: Decimal,
    /// Whether AWS bills exactly the whole units that are owed, and we know it.
    pub agrees: bool,
}

impl Reconciled {
    fn of(subscription: &Subscription, meter: &Meter, invoiced: Decimal) -> Self {
        let owed = Decimal::from(meter.due().floor());
        let (metered, waiting) = (meter.metered, meter.to_meter());
        Self {
            subscription: Some(subscription.id.clone()),
            license: license_name(&subscription.license),
            dimension: meter.key.dimension.clone(),
            month: meter.key.month,
            used: meter.aggregate,
            due: meter.due(),
            metered,
            pending: meter.pending.map_or(0, |pending| pending.quantity),
            waiting,
            parked: meter.parked,
            invoiced,
            agrees: meter.is_settled()
                && meter.parked == 0
                && invoiced == owed
                && Decimal::from(metered) == owed,
        }
    }

    fn unknown(license: &str, dimension: Dimension, month: Month, invoiced: Decimal) -> Self {
        Self {
            subscription: None,
            license: license.to_owned(),
            dimension,
            month,
            used: Quantity::ZERO,
            due: Quantity::ZERO,
            metered: 0,
            pending: 0,
            waiting: 0,
            parked: 0,
            invoiced,
            agrees: invoiced.is_zero(),
        }
    }
}

/// Lays every meter beside the invoice, ordered by license, month and dimension.
///
/// # Errors
/// When the store cannot be read.
pub async fn reconcile<S: Store>(
    store: &S,
    invoice: &[InvoiceLine],
    now: Timestamp,
) -> Result<Vec<Reconciled>, Error> {
    let mut billed = billed(invoice);
    let mut rows = Vec::new();
    for subscription in all(store).await? {
        let license = license_name(&subscription.license);
        // Usage may be older than our first word of the license, by a week at most.
        let mut month = Month::of(subscription.created_at).previous();
        while month <= Month::of(now) {
            for meter in store.meters(&subscription.id, month).await? {
                let line = (license.clone(), month, meter.key.dimension.clone());
                let invoiced = billed.remove(&line).unwrap_or_default();
                rows.push(Reconciled::of(&subscription, &meter, invoiced));
            }
            month = month.next();
        }
    }
    rows.extend(billed.into_iter().map(|((license, month, dimension), invoiced)| {
        Reconciled::unknown(&license, dimension, month, invoiced)
    }));
    rows.sort_by(|one, other| {
        let key = |row: &Reconciled| (row.license.clone(), row.month, row.dimension.clone());
        key(one).cmp(&key(other))
    });
    Ok(rows)
}

/// Every subscription.
async fn all<S: Store>(store: &S) -> Result<Vec<Subscription>, Error> {
    let (mut every, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&ListFilter::All, after.as_ref(), 100).await?;
        every.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(every);
        }
    }
}

type Line = (String, Month, Dimension);

/// The invoice by license, month and dimension. Regions are added up: a record sent to two is billed twice.
fn billed(invoice: &[InvoiceLine]) -> BTreeMap<Line, Decimal> {
    let mut billed: BTreeMap<Line, Decimal> = BTreeMap::new();
    for line in invoice {
        let license = match (&line.license_arn, &line.customer_identifier) {
            (Some(arn), _) => arn.rsplit(':').next().unwrap_or(arn).to_owned(),
            (None, Some(customer)) => customer.clone(),
            (None, None) => line.account.clone().unwrap_or_default(),
        };
        let (Ok(month), Ok(dimension)) = (line.month.parse(), line.dimension.parse()) else {
            continue;
        };
        *billed.entry((license, month, dimension)).or_default() += line.quantity;
    }
    billed
}

fn license_name(license: &LicenseRef) -> String {
    match license {
        LicenseRef::License { arn } => arn.tail().to_owned(),
        LicenseRef::Legacy { customer, .. } => customer.to_string(),
    }
}
