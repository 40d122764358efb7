//! One subscription at the desk: how it stands, what happened to it, where every unit is.

use std::sync::Arc;

use app::billing::{Bill, bill};
use app::ports::{Customer, Store};
use app::subscriptions::contact;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::audit::AuditEntry;
use domain::catalog::Catalog;
use domain::ids::SubscriptionId;
use domain::metering::RecordStatus;
use domain::subscription::{Hold, LicensePhase, Subscription};
use domain::time::Month;
use http::HeaderMap;
use jiff::Timestamp;
use maud::{Markup, html};
use pages::component::{Column, Tone, badge, card, note, status, table};
use pages::{Width, format};
use serde::Deserialize;

use super::super::account::{Ledger, ledger};
use super::super::shown;
use super::super::trouble::Trouble;
use super::super::visitor::Visitor;
use super::list::{buyer, detail_of};
use super::words;
use crate::caller::{Right, Role};
use crate::{Aws, Deps};

/// Audit entries of one reading, and readings for one page.
const PAGE: u16 = 100;
const MOST_PAGES: usize = 10;
/// Entries and records shown; the newest.
const SHOWN: usize = 50;

/// `?month=&done=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DetailQuery {
    month: Option<String>,
    done: Option<String>,
}

/// The page.
pub(crate) async fn detail<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(id): Path<String>,
    Query(query): Query<DetailQuery>,
    headers: HeaderMap,
) -> Response {
    let done = try_show(&deps, &id, &query, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

struct Detail<'a> {
    state: Subscription,
    customer: Option<Customer>,
    bill: Bill,
    ledger: Ledger,
    trail: Vec<AuditEntry>,
    month: Month,
    now: Timestamp,
    catalog: &'a Catalog,
    form_key: String,
    may_hold: bool,
}

async fn try_show<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    id: &str,
    query: &DetailQuery,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::ReadAll, now)?;
    let id: SubscriptionId = id.parse().map_err(|_| Trouble::NotFound)?;
    let store = &deps.context.store;
    let state = store.subscription(&id).await?.ok_or(Trouble::NotFound)?;
    let asked = query.month.as_deref().and_then(|month| month.parse::<Month>().ok());
    let month = asked.unwrap_or(Month::of(now));
    let detail = Detail {
        customer: contact(&deps.context, &state).await?,
        bill: bill(&deps.context, &id, month, now).await?.ok_or(Trouble::NotFound)?,
        ledger: ledger(store, &id, month).await?,
        trail: trail(store, &id).await?,
        month,
        now,
        catalog: &deps.context.listing.catalog,
        form_key: visitor.form_key,
        may_hold: matches!(visitor.caller.role, Role::Admin | Role::Operator),
        state,
    };
    let title = format!("Subscription of {}", buyer(&detail.state));
    let content = detail.content(query.done.as_deref());
    let lead = html! { (status(detail.state.status(now))) " " code { (id) } };
    Ok(shown(&super::page(&deps.brand, &title, Width::Wide, lead, content)))
}

async fn trail<S: Store>(store: &S, id: &SubscriptionId) -> Result<Vec<AuditEntry>, Trouble> {
    let (mut entries, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = store.audit(id, after.as_ref(), PAGE).await?;
        entries.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    entries.reverse();
    Ok(entries)
}

impl Detail<'_> {
    fn content(&self, done: Option<&str>) -> Markup {
        html! {
            @if let Some(text) = done.and_then(done_words) { (note(Tone::Good, &html! { p { (text) } })) }
            div.pair {
                (card("How it stands", &self.facts()))
                (card("Act", &self.acts()))
            }
            (card(&format!("Meters of {}", format::month(self.month)), &self.meters()))
            (card("Sent to AWS", &self.records()))
            (card("What happened", &self.timeline()))
        }
    }

    fn facts(&self) -> Markup {
        let state = &self.state;
        html! {
            dl.facts {
                dt { "Buyer" } dd {
                    (buyer(state))
                    @if let Some(customer) = &self.customer {
                        @if !customer.company.is_empty() { br; (customer.company) }
                        br; (customer.contact) " " a href={ "mailto:" (customer.email) } { (customer.email) }
                        @for (name, text) in &customer.extra { br; span.quiet { (name) ": " } (text) }
                    }
                }
                dt { "Plan" } dd { (state.plan(self.catalog).map_or("none", |plan| plan.title.as_str())) @if state.terms_are_provisional() { " (until AWS has told what was bought)" } }
                dt { "Access" } dd { (words::access(state.access(self.now))) @if let Some(hold) = state.hold() { " " (hold_words(hold)) } }
                dt { "Workspace" } dd { (words::tenant(&state.tenant)) }
                dt { "License" } dd { (state.phase(self.now).as_str()) @if let Some(arn) = state.license.arn() { br; code { (arn) } } }
                dt { "Agreement" } dd {
                    @if let Some(id) = state.agreements.current() { code { (id) } } @else { "not known yet" }
                    @if let Some(end) = state.agreements.current_end() { br; "until " (format::day(end)) }
                }
                dt { "Registered" } dd { @if let Some(at) = state.registered { (format::moment(at)) } @else { "not yet" } }
                @if let Some(before) = &state.continues { dt { "Continues" } dd { a href=(detail_of(before)) { code { (before) } } } }
                @if let Some(request) = &state.cancellation { dt { "Cancellation" } dd { "asked " (format::moment(request.at)) } }
                @if let LicensePhase::Closing { until } = state.phase(self.now) { dt { "Final usage until" } dd { (format::moment(until)) } }
            }
        }
    }

    fn acts(&self) -> Markup {
        let over = self.state.phase(self.now) == LicensePhase::Ended;
        let path = detail_of(&self.state.id);
        html! {
            p.quiet { "Each asks once more before it does anything, and is kept in the audit trail." }
            div.row {
                @if self.may_hold && !over {
                    @if self.state.hold() == Some(Hold::Seller) {
                        a.button href={ (path) "/release" } { "Give access back…" }
                    } @else {
                        a.button.plain href={ (path) "/hold" } { "Withhold access…" }
                    }
                }
                a.button.plain href={ (path) "/settle" } { "Settle now…" }
            }
            form method="post" action={ (path) "/account" } {
                input type="hidden" name="form_key" value=(self.form_key);
                button.plain type="submit" { "See the buyer's account page" }
            }
        }
    }

    fn meters(&self) -> Markup {
        let rows = html! {
            @for line in &self.bill.lines {
                @if let Some(spec) = self.catalog.dimension(&line.dimension) {
                    tr {
                        th scope="row" { (spec.title) br; span.quiet.small { "beyond the plan: " (words::overage(self.state.terms(spec, self.catalog).overage)) } }
                        td.number { (format::quantity(line.used)) }
                        td.number { (format::quantity(line.balance.within_plan)) }
                        td.number { (format::quantity(line.due)) }
                        td.number { (format::quantity(line.balance.metered)) }
                        td.number { (format::quantity(line.balance.pending)) }
                        td.number { (format::quantity(line.balance.not_yet_metered)) }
                        td.number { @if line.balance.parked.is_zero() { "0" } @else { (badge(Tone::Bad, &format::quantity(line.balance.parked))) } }
                        td.number { (format::money(line.amount, &self.bill.currency)) }
                    }
                }
            }
        };
        let columns = [
            Column::Text("Dimension"),
            Column::Number("Used"),
            Column::Number("Within plan"),
            Column::Number("Due"),
            Column::Number("Accepted by AWS"),
            Column::Number("Sent, no answer"),
            Column::Number("Not sent yet"),
            Column::Number("Parked"),
            Column::Number("Amount"),
        ];
        let previous = self.month.previous();
        html! {
            (table("Where every unit is", &columns, &rows, &html! {}))
            nav.row aria-label="Month" {
                a.button.plain.compact href={ "?month=" (previous) } { (format::month(previous)) }
                @if self.month < Month::of(self.now) { a.button.plain.compact href={ "?month=" (self.month.next()) } { (format::month(self.month.next())) } }
            }
        }
    }

    fn records(&self) -> Markup {
        if self.ledger.records.is_empty() {
            return html! { p { "Nothing yet for " (format::month(self.month)) "." } };
        }
        let rows = html! {
            @for record in self.ledger.records.iter().rev().take(SHOWN) {
                tr {
                    td { @if let Some(hour) = record.hour { (format::brief(hour.start())) } @else { "none" } }
                    th scope="row" { (record.key.dimension) }
                    td.number { (format::count(record.quantity)) }
                    td {
                        @match &record.status {
                            RecordStatus::Accepted { record_id } => {
                                (badge(Tone::Good, "accepted"))
                                @if let Some(id) = record_id { " " code.small { (id) } }
                            }
                            RecordStatus::Parked { reason, code } => {
                                (badge(Tone::Bad, "parked")) " " (reason.as_str())
                                @if let Some(code) = code { " " code.small { (code) } }
                            }
                            RecordStatus::Retried { at, .. } => { (badge(Tone::Plain, "sent again")) " " (format::brief(*at)) }
                            RecordStatus::Closed { how, note, .. } => { (badge(Tone::Plain, "closed")) " " (how.as_str()) ": " (note) }
                        }
                    }
                    td { (format::brief(record.booked_at)) }
                }
            }
        };
        let columns = [
            Column::Text("Hour (UTC)"),
            Column::Text("Dimension"),
            Column::Number("Units"),
            Column::Text("Answer"),
            Column::Text("Booked (UTC)"),
        ];
        table(
            &format!("Metering records of {}, newest first", format::month(self.month)),
            &columns,
            &rows,
            &html! {},
        )
    }

    fn timeline(&self) -> Markup {
        html! {
            ol.timeline {
                @for entry in self.trail.iter().take(SHOWN) {
                    li {
                        b { (words::action(&entry.action)) }
                        p.quiet.small { (format::moment(entry.at)) " · " (words::actor(&entry.actor)) " · entry " (entry.sequence) }
                        @if !entry.changes.is_empty() {
                            details {
                                summary.small { (entry.changes.len()) @if entry.changes.len() == 1 { " fact changed" } @else { " facts changed" } }
                                dl.facts.small {
                                    @for (name, change) in &entry.changes {
                                        dt { (name) }
                                        dd { (change.from.as_deref().unwrap_or("nothing")) " → " (change.to.as_deref().unwrap_or("nothing")) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if self.trail.len() > SHOWN { p.quiet.small { "The newest " (SHOWN) " of " (self.trail.len()) " entries." } }
        }
    }
}

fn hold_words(hold: Hold) -> &'static str {
    match hold {
        Hold::Seller => "by us",
        Hold::Advisory => "because of an AWS advisory",
    }
}

fn done_words(done: &str) -> Option<&'static str> {
    match done {
        "hold" => Some("Access is withheld. The platform has been told."),
        "release" => Some("Access is given back. The platform has been told."),
        "settle" => Some("The scheduler was asked to settle. Look again in a moment."),
        "retry" => Some("The parked record goes to AWS once more. Look again in a moment."),
        _ => None,
    }
}
