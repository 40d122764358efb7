//! Columns over time, and the same numbers as a table.

use domain::quantity::Quantity;
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::component::{Column, table};
use crate::format;

const HEIGHT: u32 = 140;
const TOP: u32 = 16;
const BOTTOM: u32 = 20;
const LEFT: u32 = 4;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Below it, where there is room.
    pub short: String,
    /// In the table.
    pub long: String,
    /// How high.
    pub value: Quantity,
}

/// A chart of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns<'a> {
    /// What is counted, with its unit.
    pub title: &'a str,
    /// What a column stands for, such as `Day`.
    pub bucket: &'static str,
    /// Oldest first.
    pub buckets: Vec<Bucket>,
    /// Every how many columns a label stands.
    pub label_every: usize,
}

impl Columns<'_> {
    /// The chart, its summary and its table.
    pub fn render(&self) -> Markup {
        let most = self.buckets.iter().map(|bucket| bucket.value).max().unwrap_or_default();
        html! {
            figure.chart {
                (self.picture(most))
                figcaption.hidden { (self.title) }
                details {
                    summary { "The same as a table" }
                    (table(self.title, &[Column::Text(self.bucket), Column::Number("Used")], &self.rows(), &html! {}))
                }
            }
        }
    }

    fn picture(&self, most: Quantity) -> Markup {
        let step: u32 = if self.buckets.len() > 26 { 20 } else { 25 };
        let count = u32::try_from(self.buckets.len()).unwrap_or(1).max(1);
        let width = count.saturating_mul(step).saturating_add(LEFT);
        let floor = HEIGHT - BOTTOM;
        let summary = self.summary(most);
        html! {
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } role="img" aria-label=(summary) {
                line.axis x1="0" y1=(floor) x2=(width) y2=(floor) {}
                text x="0" y="11" { "Most: " (format::quantity(most)) }
                @for (place, bucket) in (0_u32..).zip(&self.buckets) {
                    @let x = LEFT + place * step;
                    @let high = height(bucket.value, most);
                    @if high > 0 {
                        rect.column x=(x) y=(floor - high) width=(step - 5) height=(high) rx="2" {
                            title { (bucket.long) ": " (format::quantity(bucket.value)) }
                        }
                    }
                    @if usize::try_from(place).is_ok_and(|place| place.is_multiple_of(self.label_every.max(1))) {
                        text x=(x) y=(HEIGHT - 5) { (bucket.short) }
                    }
                }
            }
        }
    }

    fn summary(&self, most: Quantity) -> String {
        let highest = self.buckets.iter().find(|bucket| bucket.value == most);
        match highest {
            Some(bucket) if !most.is_zero() => {
                let total = format::quantity(most);
                format!("{}. The highest column is {}: {total}.", self.title, bucket.long)
            }
            Some(_) | None => format!("{}. Nothing was used.", self.title),
        }
    }

    fn rows(&self) -> Markup {
        html! {
            @for bucket in &self.buckets {
                tr { th scope="row" { (bucket.long) } td.number { (format::quantity(bucket.value)) } }
            }
        }
    }
}

/// How high a column is; anything above nothing can be seen.
fn height(value: Quantity, most: Quantity) -> u32 {
    if value.is_zero() {
        return 0;
    }
    let room = HEIGHT - BOTTOM - TOP;
    let share = value
        .as_decimal()
        .checked_mul(Decimal::from(room))
        .and_then(|scaled| scaled.checked_div(most.as_decimal()));
    share.and_then(|share| share.round().to_u32()).unwrap_or(room).clamp(2, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[u64]) -> String {
        let buckets = values
            .iter()
            .enumerate()
            .map(|(day, value)| Bucket {
                short: (day + 1).to_string(),
                long: format!("{} November", day + 1),
                value: Quantity::whole(*value),
            })
            .collect();
        let columns = Columns { title: "Scans a day", bucket: "Day", buckets, label_every: 2 };
        columns.render().into_string()
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let text = chart(&[3, 1200, 0]);
        assert!(text.contains("Scans a day. The highest column is 2 November: 1,200."), "{text}");
        assert!(chart(&[0, 0]).contains("Scans a day. Nothing was used."));
        assert!(chart(&[]).contains("Nothing was used."));
    }

    #[test]
    fn the_highest_column_fills_the_room_and_the_smallest_can_be_seen() {
        let text = chart(&[1_000_000, 1, 0]);
        assert!(text.contains("y=\"16\" width=\"20\" height=\"104\""), "{text}");
        assert!(text.contains("height=\"2\""));
        assert_eq!(text.matches("class=\"column\"").count(), 2, "nothing is no column");
    }

    #[test]
    fn every_number_is_in_the_table() {
        let text = chart(&[3, 1200, 0]);
        assert_eq!(text.matches("scope=\"row\"").count(), 3);
        assert!(text.contains("<td class=\"number\">1,200</td>"));
    }
}
