//! When what was used: from the reports themselves, or, where there are too many to read for a page, from what was sent
//! to AWS hour by hour.

use std::collections::BTreeMap;

use app::Error;
use app::ports::Usage;
use domain::catalog::{Aggregation, DimensionSpec};
use domain::ids::SubscriptionId;
use domain::metering::{MeteringRecord, RecordStatus};
use domain::quantity::Quantity;
use domain::time::{Hour, Month};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pages::chart::Bucket;

/// Reports of one reading, and readings for one page.
const PAGE: u16 = 1000;
const MOST_PAGES: usize = 5;

/// A month's usage of one dimension by day, and of the current day by hour.
#[derive(Debug, Clone)]
pub(crate) struct UsageOverTime {
    pub(crate) spec: DimensionSpec,
    pub(crate) days: Vec<Bucket>,
    /// Absent for months that are over.
    pub(crate) hours: Option<Vec<Bucket>>,
    /// Whether it is what was sent to AWS, because there are too many reports to read.
    pub(crate) from_records: bool,
}

/// A month's metering records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Oldest first.
    pub(crate) records: Vec<MeteringRecord>,
    /// Whether there are more.
    pub(crate) cut: bool,
}

/// Reads a month's metering records.
pub(crate) async fn ledger<S: Usage>(
    store: &S,
    id: &SubscriptionId,
    month: Month,
) -> Result<Ledger, Error> {
    let (mut ledger, mut after) = (Ledger::default(), None);
    for _ in 0..MOST_PAGES {
        let page = store.records(id, month, after.as_ref(), PAGE).await?;
        ledger.records.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(ledger);
        }
    }
    ledger.cut = true;
    Ok(ledger)
}

pub(super) async fn of<S: Usage>(
    store: &S,
    id: &SubscriptionId,
    month: Month,
    spec: &DimensionSpec,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<UsageOverTime, Error> {
    let reports = reports(store, id, month, spec).await?;
    let from_records = reports.is_none();
    let points = reports.unwrap_or_else(|| sent(ledger, spec));
    let mut by_hour: BTreeMap<Hour, Quantity> = BTreeMap::new();
    for (hour, quantity) in points {
        let kept = by_hour.entry(hour).or_default();
        *kept = together(spec.aggregation, *kept, quantity);
    }
    let hours = (Month::of(now) == month).then(|| hours_of_today(&by_hour, now));
    Ok(UsageOverTime {
        spec: spec.clone(),
        days: days(&by_hour, month, spec.aggregation),
        hours,
        from_records,
    })
}

/// The reports of a dimension; `None` when there are too many.
async fn reports<S: Usage>(
    store: &S,
    id: &SubscriptionId,
    month: Month,
    spec: &DimensionSpec,
) -> Result<Option<Vec<(Hour, Quantity)>>, Error> {
    let (mut points, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = store.events(id, month, after.as_ref(), PAGE).await?;
        let ours = page
            .items
            .into_iter()
            .filter(|booked| booked.event.dimension == spec.id && !booked.released);
        points.extend(ours.map(|booked| (Hour::of(booked.event.at), booked.event.quantity)));
        after = page.next;
        if after.is_none() {
            return Ok(Some(points));
        }
    }
    Ok(None)
}

fn sent(ledger: &Ledger, spec: &DimensionSpec) -> Vec<(Hour, Quantity)> {
    let accepted = |record: &&MeteringRecord| {
        record.key.dimension == spec.id && matches!(record.status, RecordStatus::Accepted { .. })
    };
    ledger
        .records
        .iter()
        .filter(accepted)
        .filter_map(|record| Some((record.hour?, Quantity::whole(record.quantity))))
        .collect()
}

fn together(aggregation: Aggregation, kept: Quantity, more: Quantity) -> Quantity {
    match aggregation {
        Aggregation::Sum => kept.plus(more),
        Aggregation::Peak => kept.max(more),
    }
}

fn days(by_hour: &BTreeMap<Hour, Quantity>, month: Month, aggregation: Aggregation) -> Vec<Bucket> {
    let mut days: Vec<(Timestamp, Quantity)> = Vec::new();
    let mut hour = month.first_hour();
    while hour <= month.last_hour() {
        let used = by_hour.get(&hour).copied().unwrap_or_default();
        let date = hour.start().to_zoned_datetime(TimeZone::UTC).date();
        match days.last_mut() {
            Some((start, kept)) if start.to_zoned_datetime(TimeZone::UTC).date() == date => {
                *kept = together(aggregation, *kept, used);
            }
            Some(_) | None => days.push((hour.start(), used)),
        }
        hour = hour.next();
    }
    let bucket = |(start, value): (Timestamp, Quantity)| Bucket {
        short: start.strftime("%-d").to_string(),
        long: start.strftime("%-d %B").to_string(),
        value,
    };
    days.into_iter().map(bucket).collect()
}

fn hours_of_today(by_hour: &BTreeMap<Hour, Quantity>, now: Timestamp) -> Vec<Bucket> {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let mut first = Hour::of(now);
    while first.previous().start().to_zoned_datetime(TimeZone::UTC).date() == today {
        first = first.previous();
    }
    std::iter::successors(Some(first), |hour| Some(hour.next()))
        .take(24)
        .map(|hour| Bucket {
            short: hour.start().strftime("%H").to_string(),
            long: hour.start().strftime("%H:00 to %H:59 UTC").to_string(),
            value: by_hour.get(&hour).copied().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    #[test]
    fn a_sum_adds_up_over_a_day_and_a_peak_does_not() {
        let used = BTreeMap::from([
            (hour("2026-11-03T01Z"), Quantity::whole(3)),
            (hour("2026-11-03T23Z"), Quantity::whole(4)),
        ]);
        let month = "2026-11".parse().unwrap();
        let sum = days(&used, month, Aggregation::Sum);
        assert_eq!(sum.len(), 30);
        assert_eq!((sum[2].long.as_str(), sum[2].value), ("3 November", Quantity::whole(7)));
        let peak = days(&used, month, Aggregation::Peak);
        assert_eq!(peak[2].value, Quantity::whole(4));
    }

    #[test]
    fn a_day_has_24_hours_from_midnight() {
        let used = BTreeMap::from([(hour("2026-11-03T07Z"), Quantity::whole(3))]);
        let hours = hours_of_today(&used, "2026-11-03T18:30:00Z".parse().unwrap());
        assert_eq!(hours.len(), 24);
        assert_eq!((hours[0].short.as_str(), hours[23].short.as_str()), ("00", "23"));
        assert_eq!(hours[7].value, Quantity::whole(3));
    }
}
