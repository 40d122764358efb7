//! What AWS would bill: the ledger of first writes, summed by month.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::records::Metered;
use crate::state::State;

/// One line of the invoice. Lines come ordered by their fields from `product_code` to `month`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// The product.
    pub product_code: String,
    /// The license; `None` for usage metered by product code.
    pub license_arn: Option<String>,
    /// For usage metered by product code.
    pub customer_identifier: Option<String>,
    /// The buyer.
    pub account: Option<String>,
    /// The dimension.
    pub dimension: String,
    /// The UTC month of the records' hours: `2026-11`.
    pub month: String,
    /// The sum of the records.
    pub quantity: Decimal,
    /// The records, oldest hour first.
    pub records: Vec<InvoiceRecord>,
}

/// One billed usage record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRecord {
    /// The metering record id.
    pub id: String,
    /// The Region that took it.
    pub region: String,
    /// The timestamp that was sent.
    pub timestamp: Timestamp,
    /// When it was sent.
    pub received: Timestamp,
    /// Its quantity.
    pub quantity: Decimal,
    /// Used in the free trial: billed at nothing.
    pub free_trial: bool,
}

impl State {
    pub(crate) fn invoice(&self) -> Vec<InvoiceLine> {
        let mut lines: BTreeMap<_, Vec<&Metered>> = BTreeMap::new();
        for metered in self.ledger.values() {
            let key = &metered.key;
            let month = month_of(metered.timestamp);
            let line = (&metered.product_code, &key.path, &key.account, &key.dimension, month);
            lines.entry(line).or_default().push(metered);
        }
        let lines =
            lines.into_iter().map(|((code, path, account, dimension, month), mut metered)| {
                metered.sort_by_key(|it| (it.key.hour, &it.key.region));
                InvoiceLine {
                    product_code: code.clone(),
                    license_arn: (path != code).then(|| path.clone()),
                    customer_identifier: metered
                        .first()
                        .and_then(|it| it.customer_identifier.clone()),
                    account: Some(account.clone()),
                    dimension: dimension.clone(),
                    month,
                    quantity: metered.iter().map(|it| it.quantity).sum(),
                    records: metered.into_iter().map(record).collect(),
                }
            });
        lines.collect()
    }
}

fn record(metered: &Metered) -> InvoiceRecord {
    InvoiceRecord {
        id: metered.record_id.clone(),
        region: metered.key.region.clone(),
        timestamp: metered.timestamp,
        received: metered.received,
        quantity: metered.quantity,
        free_trial: metered.free_trial,
    }
}

fn month_of(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m").to_string()
}
