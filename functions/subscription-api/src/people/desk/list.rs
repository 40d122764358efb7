//! The desk's first page: search, and what was found.

use std::sync::Arc;

use app::ports::{ListFilter, Page as Found, Store, ViewKeys};
use axum::extract::{Query, State};
use axum::response::Response;
use domain::catalog::Catalog;
use domain::ids::{AgreementId, SubscriptionId};
use domain::subscription::{Status, Subscription};
use http::HeaderMap;
use jiff::Timestamp;
use maud::{Markup, html};
use pages::component::{Column, card, status, table};
use pages::{Width, format};
use serde::Deserialize;

use super::super::trouble::Trouble;
use super::super::visitor::Visitor;
use super::super::{see_other, shown};
use super::overview::overview;
use super::words;
use crate::caller::Right;
use crate::paging::{Asked, ListName};
use crate::{Aws, Deps};

/// `?q=&status=&cursor=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    q: String,
    status: String,
    cursor: Option<String>,
}

/// What is looked for.
enum Target {
    One(SubscriptionId),
    Agreement(AgreementId),
    Many(ListFilter),
}

impl Search {
    fn target(&self) -> Target {
        let text = self.q.trim();
        if text.starts_with("sub_")
            && let Ok(id) = text.parse()
        {
            return Target::One(id);
        }
        if text.starts_with("agmt-")
            && let Ok(id) = text.parse()
        {
            return Target::Agreement(id);
        }
        let known = Status::ALL.into_iter().find(|known| known.as_str() == self.status);
        Target::Many(match (text.is_empty(), known) {
            (false, _) => ListFilter::Customer(text.to_owned()),
            (true, Some(status)) => ListFilter::Status(status),
            (true, None) => ListFilter::All,
        })
    }
}

/// Lists subscriptions, or goes straight to the one that is named.
pub(crate) async fn list<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let done = try_list(&deps, &search, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_list<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    search: &Search,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::ReadAll, now)?;
    let store = &deps.context.store;
    let filter = match search.target() {
        Target::One(id) => return Ok(see_other(&detail_of(&id))),
        Target::Agreement(agreement) => {
            let keys = ViewKeys { agreements: vec![agreement.clone()], ..ViewKeys::default() };
            let link = store.view(&keys).await?.links.remove(&agreement);
            match link.and_then(|link| link.subscription) {
                Some(id) => return Ok(see_other(&detail_of(&id))),
                None => ListFilter::Customer(agreement.to_string()),
            }
        }
        Target::Many(filter) => filter,
    };
    let name = ListName::of(&deps.secrets, &visitor.caller, &["desk", &search.q, &search.status]);
    let asked =
        Asked::read(&name, search.cursor.as_deref(), None).map_err(|_| Trouble::NotFound)?;
    let found = store.list(&filter, asked.after.as_ref(), asked.limit).await?;
    let next = found.next.as_ref().map(|cursor| name.wrap(cursor));
    let catalog = &deps.context.listing.catalog;
    let content = html! {
        (overview(deps).await?)
        (card("Find", &form(search)))
        (results(&found, catalog, now))
        @if let Some(next) = next {
            p { a.button.plain href={ "?q=" (search.q) "&status=" (search.status) "&cursor=" (next) } { "Next page" } }
        }
    };
    let lead = html! { "Every license that was bought, what it grants, and how it stands." };
    Ok(shown(&super::page(&deps.brand, "Subscriptions", Width::Wide, lead, content)))
}

pub(super) fn detail_of(id: &SubscriptionId) -> String {
    format!("/marketplace/desk/subscriptions/{id}")
}

fn form(search: &Search) -> Markup {
    html! {
        form.inline method="get" action="/marketplace/desk" role="search" {
            div.field {
                label for="q" { "Account, agreement or subscription" }
                input id="q" name="q" type="search" value=(search.q) placeholder="111122223333, agmt-…, sub_…" maxlength="200";
            }
            div.field {
                label for="status" { "Status" }
                select id="status" name="status" {
                    option value="" { "Any" }
                    @for known in Status::ALL {
                        option value=(known.as_str()) selected[search.status == known.as_str()] { (known.as_str().to_lowercase()) }
                    }
                }
            }
            button type="submit" { "Search" }
        }
    }
}

fn results(found: &Found<Subscription>, catalog: &Catalog, now: Timestamp) -> Markup {
    if found.items.is_empty() {
        return card(
            "Nothing found",
            &html! {
                p { "No subscription fits. An account has 12 digits; identifiers must be whole." }
            },
        );
    }
    let rows = html! {
        @for state in &found.items {
            tr {
                td { (status(state.status(now))) }
                th scope="row" { a href=(detail_of(&state.id)) { code { (state.id) } } }
                td { (buyer(state)) }
                td { (state.plan(catalog).map_or("none", |plan| plan.title.as_str())) }
                td { (words::tenant(&state.tenant)) }
                td { (format::brief(state.updated_at)) }
            }
        }
    };
    let columns = ["Status", "Subscription", "Buyer", "Plan", "Workspace", "Last change (UTC)"];
    table("Subscriptions", &columns.map(Column::Text), &rows, &html! {})
}

pub(super) fn buyer(state: &Subscription) -> String {
    let account = state.account.as_ref().map(ToString::to_string);
    account
        .or_else(|| state.customer.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| "not known yet".to_owned())
}
