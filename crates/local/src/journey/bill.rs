//! What is due, worked out a second time: from the answers to usage reports and from what the buyer bought, never from a
//! meter. Each stretch between two plan changes is an interval on the month's running total; what of it lies beyond the
//! included amount is owed.

use std::collections::BTreeMap;

use domain::catalog::Aggregation;
use rust_decimal::Decimal;

/// One dimension of one license in one month.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// The license's tail.
    pub(super) license: String,
    /// `2026-11`.
    pub(super) month: String,
    /// Of what.
    pub(super) dimension: String,
}

/// What is included, and whether anything beyond it is billed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// Billed beyond so many units.
    BilledBeyond(Decimal),
    /// Never billed.
    Free,
}

/// The terms of every dimension of one license.
pub(super) type TermsOf = BTreeMap<String, Terms>;

#[derive(Debug, Clone)]
struct Tally {
    total: Decimal,
    stretch_began_at: Decimal,
    owed: Decimal,
    terms: Terms,
}

impl Tally {
    fn close_stretch(&mut self) {
        self.owed += beyond(self.stretch_began_at, self.total, self.terms);
        self.stretch_began_at = self.total;
    }
}

/// The part of the interval that lies beyond the included amount.
fn beyond(from: Decimal, to: Decimal, terms: Terms) -> Decimal {
    match terms {
        Terms::BilledBeyond(included) if to > included => to - from.max(included),
        Terms::BilledBeyond(_) | Terms::Free => Decimal::ZERO,
    }
}

/// A second set of books.
#[derive(Debug, Default)]
pub(super) struct Books {
    terms: BTreeMap<String, TermsOf>,
    tallies: BTreeMap<Line, Tally>,
}

impl Books {
    /// A license gets its first terms, or others.
    pub(super) fn agree(&mut self, license: &str, terms: TermsOf) {
        for (line, tally) in &mut self.tallies {
            let Some(changed) = terms.get(&line.dimension) else { continue };
            if line.license == license && *changed != tally.terms {
                tally.close_stretch();
                tally.terms = *changed;
            }
        }
        self.terms.insert(license.to_owned(), terms);
    }

    /// A report was accepted for a month.
    pub(super) fn accept(&mut self, line: Line, aggregation: Aggregation, quantity: Decimal) {
        let terms = self.terms.get(&line.license).and_then(|terms| terms.get(&line.dimension));
        let fresh = Tally {
            total: Decimal::ZERO,
            stretch_began_at: Decimal::ZERO,
            owed: Decimal::ZERO,
            terms: terms.copied().unwrap_or(Terms::Free),
        };
        let tally = self.tallies.entry(line).or_insert(fresh);
        tally.total = match aggregation {
            Aggregation::Sum => tally.total + quantity,
            Aggregation::Peak => tally.total.max(quantity),
        };
    }

    /// Used and owed, by line.
    pub(super) fn lines(&self) -> BTreeMap<Line, (Decimal, Decimal)> {
        self.tallies
            .iter()
            .map(|(line, tally)| {
                let owed = tally.owed + beyond(tally.stretch_began_at, tally.total, tally.terms);
                (line.clone(), (tally.total, owed))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line { license: "l-1".into(), month: "2026-11".into(), dimension: "scans".into() }
    }

    fn terms(included: i64) -> TermsOf {
        BTreeMap::from([("scans".to_owned(), Terms::BilledBeyond(Decimal::from(included)))])
    }

    fn owed(books: &Books) -> Decimal {
        books.lines()[&line()].1
    }

    #[test]
    fn only_what_lies_beyond_the_included_amount_is_owed() {
        let mut books = Books::default();
        books.agree("l-1", terms(100));
        books.accept(line(), Aggregation::Sum, Decimal::from(90));
        assert_eq!(owed(&books), Decimal::ZERO);
        books.accept(line(), Aggregation::Sum, Decimal::from(30));
        assert_eq!(owed(&books), Decimal::from(20));
    }

    #[test]
    fn an_upgrade_keeps_what_was_owed_and_a_downgrade_charges_nothing_of_the_past() {
        let mut books = Books::default();
        books.agree("l-1", terms(100));
        books.accept(line(), Aggregation::Sum, Decimal::from(120));
        books.agree("l-1", terms(500));
        books.accept(line(), Aggregation::Sum, Decimal::from(300));
        assert_eq!(owed(&books), Decimal::from(20));
        books.agree("l-1", terms(100));
        books.accept(line(), Aggregation::Sum, Decimal::from(7));
        assert_eq!(owed(&books), Decimal::from(27));
    }

    #[test]
    fn the_largest_level_counts_for_a_peak() {
        let mut books = Books::default();
        books.agree("l-1", terms(5));
        for level in [7, 3, 9, 8] {
            books.accept(line(), Aggregation::Peak, Decimal::from(level));
        }
        assert_eq!(owed(&books), Decimal::from(4));
    }
}
