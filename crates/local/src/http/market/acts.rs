//! What buttons do, shared by the pages and the tour.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use domain::ids::{LicenseRef, SubscriptionId};
use domain::subscription::Subscription;
use domain::time::Month;
use http::StatusCode;
use http::header::LOCATION;
use jiff::{SignedDuration, Timestamp};
use lambda_shell::logs::Chain;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::Agreement;

use crate::bus::later;
use crate::client::{CallError, Client};
use crate::system::Handle;

/// Why a button did nothing, for people.
pub(super) struct NotDone(pub(super) String);

impl<E: std::error::Error> From<E> for NotDone {
    fn from(error: E) -> Self {
        let text = Chain(&error).to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        Self(format!("{}{}.", first.unwrap_or_default(), letters.as_str()))
    }
}

/// 303 to a page of ours with a note. Only an address of the box is gone back to.
pub(super) fn back(to: &str, note: &str) -> Response {
    let ours = to == "/" || (to.starts_with("/box/") && to.chars().all(|c| c.is_ascii_graphic()));
    let to = if ours { to } else { "/" };
    let glue = if to.contains('?') { '&' } else { '?' };
    (StatusCode::SEE_OTHER, [(LOCATION, format!("{to}{glue}note={note}"))]).into_response()
}

/// Moves the clock. In a task of its own: whoever asked may hang up, and the clock must not stop between two steps.
pub(super) async fn advance(system: &Handle, by: SignedDuration) -> Result<(), NotDone> {
    let moving = system.clone();
    tokio::spawn(async move { moving.advance(by).await }).await??;
    Ok(())
}

/// From now to a little before the next month.
pub(super) fn to_month_end(now: Timestamp) -> SignedDuration {
    let end = later(Month::of(now).end(), SignedDuration::from_mins(-30));
    let left = end.duration_since(now);
    if left > SignedDuration::ZERO {
        left
    } else {
        later(Month::of(now).next().end(), SignedDuration::from_mins(-30)).duration_since(now)
    }
}

/// What a plan is bought with: one of its entitlement. Nothing where all is pay as you go.
pub(super) fn entitlements(system: &Handle, plan: &str) -> BTreeMap<String, Decimal> {
    if !system.pricing().has_entitlements() {
        return BTreeMap::new();
    }
    let listing = system.listing();
    let plan = listing.catalog.plans().iter().find(|known| known.id.as_str() == plan);
    plan.map(|plan| BTreeMap::from([(plan.entitlement.clone(), Decimal::ONE)])).unwrap_or_default()
}

/// The subscription that an agreement's license is kept as.
pub(super) fn subscription_id(agreement: &Agreement) -> Option<SubscriptionId> {
    let license = if let Some(customer) = &agreement.customer_identifier {
        let product = agreement.product_code.parse().ok()?;
        LicenseRef::Legacy { product, customer: customer.parse().ok()? }
    } else {
        LicenseRef::License { arn: agreement.license_arn.parse().ok()? }
    };
    Some(license.subscription_id())
}

/// The subscription of an agreement, where the seller has heard of it.
pub(super) async fn subscription(
    system: &Handle,
    agreement: &Agreement,
) -> Result<Option<Subscription>, NotDone> {
    use app::ports::Subscriptions;
    match subscription_id(agreement) {
        Some(id) => Ok(system.store().subscription(&id).await?),
        None => Ok(None),
    }
}

/// How a report was taken.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) accepted: u64,
    pub(super) duplicate: u64,
    pub(super) refused: u64,
    /// Why, where something was refused.
    pub(super) why: Option<String>,
}

/// Reports usage as the platform does: over the API, in batches of 100.
pub(super) async fn report(
    system: &Handle,
    id: &SubscriptionId,
    events: &[Value],
) -> Result<Taken, NotDone> {
    let client = platform(system).acting_as("meter");
    let path = format!("/marketplace/subscriptions/{id}/meter");
    let mut taken = Taken::default();
    for batch in events.chunks(100) {
        let answer = client.post(&path, &json!({ "events": batch })).await?;
        let count = |name: &str| answer.body.get(name).and_then(Value::as_u64).unwrap_or(0);
        taken.accepted = taken.accepted.saturating_add(count("accepted"));
        taken.duplicate = taken.duplicate.saturating_add(count("duplicate"));
        taken.refused = taken.refused.saturating_add(count("refused"));
        if taken.why.is_none() {
            let results = answer.body.get("results").and_then(Value::as_array);
            let detail = |result: &Value| result.get("detail")?.as_str().map(ToOwned::to_owned);
            taken.why = results
                .and_then(|results| results.iter().find_map(detail))
                .or_else(|| answer.body.get("detail")?.as_str().map(ToOwned::to_owned));
        }
    }
    system.deliver().await?;
    Ok(taken)
}

/// The platform's own client.
pub(super) fn platform(system: &Handle) -> Client {
    Client::new(system.url(), Some(system.secrets().api_key.clone()))
}

/// Asks the API for a link that opens a page once, as the platform does when someone clicks.
pub(super) async fn page_link(
    system: &Handle,
    role: &str,
    wanted: &Value,
) -> Result<String, NotDone> {
    let client = platform(system).acting_as(role);
    let answer = client.post("/marketplace/page-sessions", wanted).await.map_err(in_words)?;
    let body = answer.ok().map_err(in_words)?;
    let url = body.get("url").and_then(Value::as_str).map(ToOwned::to_owned);
    url.ok_or_else(|| NotDone("The API gave no link.".to_owned()))
}

/// A refused call of the API, in its own words.
fn in_words(error: CallError) -> NotDone {
    match error {
        CallError::Refused(answer) => {
            let detail = answer.body.get("detail").and_then(Value::as_str);
            NotDone(detail.map_or_else(|| answer.to_string(), ToOwned::to_owned))
        }
        CallError::Http(error) => NotDone::from(error),
    }
}

/// The end of a license ARN, which is what people tell licenses apart by.
pub(super) fn tail(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}
