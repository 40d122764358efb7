//! The usage generator: what the seller's platform reports.

use axum::extract::{Form, Query, State};
use axum::response::Response;
use domain::catalog::Aggregation;
use domain::ids::SubscriptionId;
use domain::quantity::Quantity;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pages::component::{Tone, card, note};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::{self, NotDone, back, subscription};
use super::frame::{Sheet, refused};
use super::note::Noted;
use crate::bus::later;
use crate::system::Handle;

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    match form(&system).await {
        Ok(form) => Sheet {
            system: &system,
            path: "/box/usage",
            title: "Usage",
            lead: html! { "The platform counts what a workspace uses and reports it. Each report has a key of its own: sent twice, it counts once." },
            note: noted.note(),
            content: html! {
                div.pair {
                    (card("Report usage", &form))
                    (card("What becomes of it", &html! {
                        ul {
                            li { "It is counted at once, in the meter of its month." }
                            li { "What the plan includes costs nothing. What goes beyond is due." }
                            li { "Ten minutes past each hour, what is due goes to AWS, in whole units." }
                            li { "A peak, such as users, counts its highest value; a sum adds up." }
                        }
                    }))
                }
            },
        }
        .page(),
        Err(NotDone(why)) => refused(&system, "/", &why),
    }
}

async fn form(system: &Handle) -> Result<Markup, NotDone> {
    let mut known = Vec::new();
    for agreement in system.simulator().agreements() {
        if let Some(state) = subscription(system, &agreement).await? {
            let entry = (
                state.id.clone(),
                format!(
                    "{} · {}",
                    agreement.account,
                    state.status(system.now()).as_str().to_lowercase()
                ),
            );
            if !known.contains(&entry) {
                known.push(entry);
            }
        }
    }
    if known.is_empty() {
        return Ok(note(
            Tone::Info,
            &html! {
                p { "Nobody has subscribed yet. " a href="/box/store" { "Be a buyer first" } "." }
            },
        ));
    }
    Ok(html! {
        form.fields method="post" action="/box/usage" data-stay {
            div.field {
                label for="subscription" { "Subscription" }
                select id="subscription" name="subscription" {
                    @for (id, name) in known.iter().rev() { option value=(id) { (name) " · " (id) } }
                }
            }
            div.inline {
                div.field {
                    label for="dimension" { "What" }
                    select id="dimension" name="dimension" {
                        @for spec in system.listing().catalog.dimensions() {
                            option value=(spec.id) { (spec.title) @if spec.aggregation == Aggregation::Peak { " (peak)" } }
                        }
                    }
                }
                div.field {
                    label for="quantity" { "How much in all" }
                    input id="quantity" name="quantity" value="620" inputmode="decimal" required;
                }
            }
            div.inline {
                div.field {
                    label for="reports" { "In how many reports" }
                    input id="reports" name="reports" type="number" value="1" min="1" max="500";
                }
                div.field {
                    label for="hours" { "Spread over the last hours" }
                    input id="hours" name="hours" type="number" value="0" min="0" max="168";
                }
            }
            label.row.tight { input type="checkbox" name="twice" value="true"; "Send every report twice, as a platform does that lost the answer" }
            button type="submit" data-busy="Reporting…" { "Report" }
        }
    })
}

#[derive(Deserialize)]
pub(super) struct Report {
    subscription: String,
    dimension: String,
    quantity: String,
    #[serde(default)]
    reports: u32,
    #[serde(default)]
    hours: u32,
    #[serde(default)]
    twice: bool,
}

pub(super) async fn report(State(system): State<Handle>, Form(form): Form<Report>) -> Response {
    match try_report(&system, &form).await {
        Ok(response) => response,
        Err(NotDone(why)) => refused(&system, "/box/usage", &why),
    }
}

async fn try_report(system: &Handle, form: &Report) -> Result<Response, NotDone> {
    let id: SubscriptionId =
        form.subscription.parse().map_err(|_| NotDone("There is no such subscription.".into()))?;
    let total: Quantity = Quantity::report(form.quantity.trim())?;
    let spec = system.listing().catalog.dimension_named(&form.dimension);
    let spec = spec.ok_or_else(|| NotDone("There is no such dimension.".into()))?;
    let shares = match spec.aggregation {
        Aggregation::Sum => split(total, form.reports.clamp(1, 500)),
        Aggregation::Peak => vec![total; usize::try_from(form.reports.clamp(1, 500))?],
    };
    let events = events(system, &form.dimension, &shares, form.hours.min(168));
    let mut taken = acts::report(system, &id, &events).await?;
    if form.twice {
        let again = acts::report(system, &id, &events).await?;
        taken.duplicate = taken.duplicate.saturating_add(again.duplicate);
    }
    if taken.accepted == 0
        && taken.duplicate == 0
        && let Some(why) = taken.why
    {
        return Err(NotDone(format!("Nothing was counted: {why}.")));
    }
    let counts = format!(
        "reported&accepted={}&duplicate={}&refused={}",
        taken.accepted, taken.duplicate, taken.refused
    );
    Ok(back("/box/usage", &counts))
}

/// Reports with keys of their own, evenly spread over the time before now.
pub(super) fn events(
    system: &Handle,
    dimension: &str,
    shares: &[Quantity],
    hours: u32,
) -> Vec<Value> {
    let now = system.now();
    let batch = uuid::Uuid::new_v4().simple();
    let span = SignedDuration::from_hours(hours.into());
    let count = i32::try_from(shares.len()).unwrap_or(i32::MAX).max(1);
    let step = span.checked_div(count).unwrap_or(SignedDuration::ZERO);
    let mut at: Timestamp = later(now, SignedDuration::ZERO.saturating_sub(span));
    let mut events = Vec::new();
    for (place, share) in shares.iter().enumerate() {
        events.push(json!({
            "key": format!("box-{batch}-{place}"),
            "metric": dimension,
            "quantity": share,
            "at": at.min(now),
        }));
        at = later(at, step);
    }
    events
}

/// A quantity in so many parts that add up to it exactly.
fn split(total: Quantity, parts: u32) -> Vec<Quantity> {
    let whole = total.as_decimal();
    let share = whole.checked_div(Decimal::from(parts)).unwrap_or_default().trunc_with_scale(6);
    let mut rest = whole;
    let mut shares = Vec::new();
    for part in 1..=parts {
        let next = if part == parts { rest } else { share };
        rest = rest.saturating_sub(next);
        shares.push(Quantity::try_from(next).unwrap_or(Quantity::ZERO));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole_exactly() {
        for (total, parts) in [("10", 3), ("0.000001", 7), ("620", 1), ("17.42", 500)] {
            let total: Quantity = total.parse().unwrap();
            let shares = split(total, parts);
            assert_eq!(shares.len(), usize::try_from(parts).unwrap());
            assert_eq!(shares.into_iter().fold(Quantity::ZERO, Quantity::plus), total);
        }
    }
}
