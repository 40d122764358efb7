//! Invoice beside due: what AWS would bill, and what the seller's meters say is owed.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pages::component::{Column, Tone, badge, card, note, table};
use pages::format;

use super::acts::{NotDone, tail};
use super::frame::{Sheet, refused};
use super::note::Noted;
use crate::reconciliation::Reconciled;
use crate::system::Handle;

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    let rows = match system.reconciliation().await {
        Ok(rows) => rows,
        Err(error) => return refused(&system, "/", &NotDone::from(error).0),
    };
    Sheet {
        system: &system,
        path: "/box/money",
        title: "Money",
        lead: html! { "Two books that are kept apart: the seller's meters, and AWS's ledger. For every license, dimension and month they must say the same." },
        note: noted.note(),
        content: html! {
            (verdict(&rows))
            (card("Invoice beside due", &compared(&system, &rows, true)))
            (card("AWS's invoice, record by record", &invoice(&system)))
        },
    }
    .page()
}

fn verdict(rows: &[Reconciled]) -> Markup {
    let waiting: u64 =
        rows.iter().fold(0, |sum, row| sum.saturating_add(row.waiting).saturating_add(row.pending));
    let parked: u64 = rows.iter().fold(0, |sum, row| sum.saturating_add(row.parked));
    if rows.iter().all(|row| row.agrees) {
        note(
            Tone::Good,
            &html! { p { b { "AWS bills exactly what is due." } @if rows.is_empty() { " Nothing has been used yet." } } },
        )
    } else if parked > 0 {
        note(
            Tone::Bad,
            &html! { p { b { (format::count(parked)) " units are parked." } " AWS does not bill them; an operator must look." } },
        )
    } else {
        note(
            Tone::Warn,
            &html! { p { b { (format::count(waiting)) " units are due and not sent yet." } " They go with the next run, ten minutes past the hour." } },
        )
    }
}

/// Row by row; of which license, where they are of several.
pub(super) fn compared(system: &Handle, rows: &[Reconciled], licenses: bool) -> Markup {
    let body = html! {
        @for row in rows {
            @let title = system.listing().catalog.dimension(&row.dimension).map_or_else(|| row.dimension.to_string(), |spec| spec.title.clone());
            tr {
                th scope="row" { (title) @if licenses { br; code.small { (tail(&row.license)) } } }
                td.unbroken { (row.month) }
                td.number { (format::quantity(row.used)) }
                td.number { (format::quantity(row.due)) }
                td.number { (format::count(row.waiting.saturating_add(row.pending))) }
                td.number { (format::decimal(row.invoiced)) }
                td { @if row.agrees { (badge(Tone::Good, "the same")) } @else { (badge(Tone::Warn, "not yet")) } }
            }
        }
    };
    let columns = [
        Column::Text("What"),
        Column::Text("Month"),
        Column::Number("Used"),
        Column::Number("Due"),
        Column::Number("On the way"),
        Column::Number("Billed by AWS"),
        Column::Text("Verdict"),
    ];
    table("In units; AWS bills whole units", &columns, &body, &html! {})
}

fn invoice(system: &Handle) -> Markup {
    let lines = system.simulator().invoice();
    if lines.is_empty() {
        return html! { p { "AWS has nothing to bill." } };
    }
    let rows = html! {
        @for line in &lines {
            @for record in &line.records {
                tr {
                    td { (format::brief(record.timestamp)) }
                    th scope="row" { (line.dimension) }
                    td { code.small { (line.license_arn.as_deref().map_or("", tail)) } }
                    td.number { (format::decimal(record.quantity)) @if record.free_trial { " (trial)" } }
                    td { (format::brief(record.received)) }
                }
            }
        }
    };
    let columns = [
        Column::Text("Hour (UTC)"),
        Column::Text("Dimension"),
        Column::Text("License"),
        Column::Number("Units"),
        Column::Text("Received"),
    ];
    table("Metering records that AWS accepted", &columns, &rows, &html! {})
}
