//! What AWS does not bill: what it is worth, and what can be done about it.

use std::sync::Arc;

use app::parked::{ParkedItem, list as parked_items};
use app::ports::Store;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::catalog::Catalog;
use domain::metering::{ParkReason, RecordStatus};
use http::HeaderMap;
use jiff::Timestamp;
use maud::{Markup, html};
use pages::component::{Column, Tone, card, note, table};
use pages::{Width, format};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::super::shown;
use super::super::trouble::Trouble;
use super::super::visitor::Visitor;
use super::list::detail_of;
use crate::caller::Right;
use crate::wire::ItemId;
use crate::{Aws, Deps};

/// Items of one reading, and readings for one page.
const PAGE: u16 = 100;
const MOST_PAGES: usize = 5;
/// Where the list is.
pub(super) const PATH: &str = "/marketplace/desk/parked";

/// What is parked.
#[derive(Debug, Default)]
pub(super) struct Parked {
    pub(super) items: Vec<ParkedItem>,
    /// Whether there is more.
    pub(super) cut: bool,
}

impl Parked {
    pub(super) async fn read<S: Store, A>(deps: &Deps<S, A>) -> Result<Self, Trouble> {
        let (mut parked, mut after) = (Self::default(), None);
        for _ in 0..MOST_PAGES {
            let page = parked_items(&deps.context, after.as_ref(), PAGE).await?;
            parked
                .items
                .extend(page.items.into_iter().filter(|item| item.record.status.is_parked()));
            after = page.next;
            if after.is_none() {
                return Ok(parked);
            }
        }
        parked.cut = true;
        Ok(parked)
    }

    /// What all of it is worth.
    pub(super) fn amount(&self) -> Decimal {
        let add = |sum: Decimal, item: &ParkedItem| sum.saturating_add(item.estimated_amount);
        self.items.iter().fold(Decimal::ZERO, add)
    }
}

/// `?done=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    done: String,
}

/// The list.
pub(crate) async fn list<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Response {
    let done = try_list(&deps, &query, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_list<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    query: &ListQuery,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    Visitor::at_desk(&deps.secrets, headers, Right::ReadAll, now)?;
    let parked = Parked::read(deps).await?;
    let catalog = &deps.context.listing.catalog;
    let content = html! {
        @if query.done == "close" { (note(Tone::Good, &html! { p { "The item is closed. The audit trail says how and why." } })) }
        @if parked.items.is_empty() {
            (note(Tone::Good, &html! { p { b { "Nothing is parked." } " AWS has taken everything that was sent." } }))
        } @else {
            (note(Tone::Bad, &html! {
                p { b { (format::money(parked.amount(), catalog.currency())) } " are due and not billed, at list prices" @if parked.cut { ", and more" } "." }
            }))
            (rows(&parked, catalog, now))
        }
        (card("What can be done", &html! {
            ul {
                li { "While AWS still takes the usage, have it sent once more. A record that may have reached AWS goes out exactly as it was, so nothing is billed twice." }
                li { "After that, bill it outside of AWS Marketplace or write it off, and close the item with a note that says which, so that nobody looks for it again." }
            }
        }))
    };
    let lead = html! { "Units that are due and that AWS did not take." };
    Ok(shown(&super::page(&deps.brand, "Parked", Width::Wide, lead, content)))
}

fn rows(parked: &Parked, catalog: &Catalog, now: Timestamp) -> Markup {
    let rows = html! {
        @for item in &parked.items {
            @let record = &item.record;
            tr {
                td { (format::brief(record.booked_at)) }
                td { a href=(detail_of(&record.key.subscription)) { code { (record.key.subscription) } } }
                th scope="row" { (title(item, catalog)) br; span.quiet.small { (record.key.month) @if let Some(hour) = record.hour { ", hour of " (format::brief(hour.start())) } } }
                td.number { (format::count(record.quantity)) }
                td.number { (format::money(item.estimated_amount, catalog.currency())) }
                td { (why(&record.status)) }
                td { (acts(item, now)) }
            }
        }
    };
    let columns = [
        Column::Text("Parked (UTC)"),
        Column::Text("Subscription"),
        Column::Text("What"),
        Column::Number("Units"),
        Column::Number("Worth"),
        Column::Text("Why"),
        Column::Text("What to do"),
    ];
    table("Parked, oldest first", &columns, &rows, &html! {})
}

fn title(item: &ParkedItem, catalog: &Catalog) -> String {
    let dimension = &item.record.key.dimension;
    catalog.dimension(dimension).map_or_else(|| dimension.to_string(), |spec| spec.title.clone())
}

pub(super) fn why(status: &RecordStatus) -> Markup {
    let (reason, code) = match status {
        RecordStatus::Parked { reason, code } => (*reason, code.as_deref()),
        RecordStatus::Retried { reason, .. } | RecordStatus::Closed { reason, .. } => {
            (*reason, None)
        }
        RecordStatus::Accepted { .. } => return html! {},
    };
    let words = match reason {
        ParkReason::NotSubscribed => "AWS says the buyer is not subscribed",
        ParkReason::Expired => "it was sent too late",
        ParkReason::Closed => "the license was over",
        ParkReason::Mismatched => "AWS bills another quantity under the same hour",
        ParkReason::Rejected => "AWS refused it",
    };
    html! { (words) @if let Some(code) = code { br; code.small { (code) } } }
}

fn acts(item: &ParkedItem, now: Timestamp) -> Markup {
    let Some(name) = ItemId(item.record.name()).write() else { return html! {} };
    let until = item.sendable_until.filter(|until| *until > now);
    html! {
        div.row.tight {
            @if until.is_some() { a.button.compact href={ (PATH) "/" (name) "/retry" } { "Send again…" } }
            a.button.plain.compact href={ (PATH) "/" (name) "/close" } { "Close…" }
        }
        span.quiet.small {
            @match until {
                Some(until) => { "AWS takes it until " (format::brief(until)) }
                None => { "AWS takes it no more" }
            }
        }
    }
}
