//! The four tables.

use super::{Configuration, Reader};

/// `CUSTOMER_TABLE`, `SUBSCRIPTION_TABLE`, `USAGE_TABLE` and `AUDIT_TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablesConfig {
    /// Buyers: the only table with personal data.
    pub customer: String,
    /// Subscriptions, agreements, processed notices, saved answers and the outbox.
    pub subscription: String,
    /// Meters, usage events and metering records.
    pub usage: String,
    /// The audit trail.
    pub audit: String,
}

impl Configuration for TablesConfig {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let customer = table(vars, "CUSTOMER_TABLE");
        let subscription = table(vars, "SUBSCRIPTION_TABLE");
        let usage = table(vars, "USAGE_TABLE");
        let audit = table(vars, "AUDIT_TABLE");
        Some(Self {
            customer: customer?,
            subscription: subscription?,
            usage: usage?,
            audit: audit?,
        })
    }
}

fn table(vars: &mut Reader<'_>, name: &'static str) -> Option<String> {
    let rule = "a DynamoDB table name: 3 to 255 letters, digits, - _ or .";
    vars.required(name, rule, |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ((3..=255).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
    })
}
