//! The end of a journey: the bill.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::catalog::PricingModel;
use rust_decimal::Decimal;
use serde::Serialize;
use simulator::InvoiceLine;

use super::bill::{Books, Line};

/// One dimension of one license in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The license's tail.
    pub license: String,
    /// The month.
    pub month: String,
    /// The dimension.
    pub dimension: String,
    /// What the accepted reports add up to.
    pub used: Decimal,
    /// What of it is due, in units and fractions of units.
    pub due: Decimal,
    /// What AWS bills: whole units.
    pub invoiced: Decimal,
    /// Whether AWS bills exactly the whole units that are due.
    pub agrees: bool,
}

/// How a journey ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How the listing charges.
    pub pricing: PricingModel,
    /// What ids and usage followed from.
    pub seed: u64,
    /// The bill.
    pub rows: Vec<Row>,
    /// What is left unsettled, a sentence each.
    pub unsettled: Vec<String>,
    /// Whether nothing is unsettled and every row agrees.
    pub agrees: bool,
}

impl Outcome {
    pub(super) fn new(
        pricing: PricingModel,
        seed: u64,
        books: &Books,
        invoice: &[InvoiceLine],
        unsettled: Vec<String>,
    ) -> Self {
        let mut billed: BTreeMap<Line, Decimal> = BTreeMap::new();
        for line in invoice {
            *billed.entry(line_of(line)).or_default() += line.quantity;
        }
        let ours = books.lines();
        let lines: BTreeSet<&Line> = ours.keys().chain(billed.keys()).collect();
        let rows: Vec<Row> = lines
            .into_iter()
            .map(|line| {
                let (used, due) = ours.get(line).copied().unwrap_or_default();
                let invoiced = billed.get(line).copied().unwrap_or_default();
                let Line { license, month, dimension } = line.clone();
                let agrees = due.floor() == invoiced;
                Row { license, month, dimension, used, due, invoiced, agrees }
            })
            .collect();
        let agrees = unsettled.is_empty() && rows.iter().all(|row| row.agrees);
        Self { pricing, seed, rows, unsettled, agrees }
    }
}

fn line_of(line: &InvoiceLine) -> Line {
    let license = line.license_arn.as_deref().or(line.customer_identifier.as_deref());
    Line {
        license: super::story::tail(license.unwrap_or_default()).to_owned(),
        month: line.month.clone(),
        dimension: line.dimension.clone(),
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {:<8} {:<12} {:>16} {:>16} {:>10}",
            "license", "month", "dimension", "used", "due", "AWS bills"
        )?;
        for row in &self.rows {
            let license: String = row.license.chars().take(10).collect();
            let verdict = if row.agrees { "" } else { "  <- differs" };
            writeln!(
                f,
                "{:<14} {:<8} {:<12} {:>16} {:>16} {:>10}{verdict}",
                format!("{license}…"),
                row.month,
                row.dimension,
                row.used.normalize(),
                row.due.normalize(),
                row.invoiced.normalize(),
            )?;
        }
        for sentence in &self.unsettled {
            writeln!(f, "unsettled: {sentence}")?;
        }
        if self.agrees {
            writeln!(f, "AWS bills exactly the whole units that are due.")
        } else {
            writeln!(f, "AWS does not bill what is due.")
        }
    }
}
