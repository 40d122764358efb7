//! The audit trail of all subscriptions: what the package `audit` writes as JSON lines.

use std::sync::Arc;

use app::Error;
use app::ports::{ListFilter, Store};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::audit::Line;
use domain::subscription::Subscription;
use lambda_shell::contract::{Routes, shapes};
use lambda_shell::extract::Query;
use lambda_shell::problem::Problem;

use super::{Of, PageQuery};
use crate::caller::{May, ToReadAll};
use crate::paging::{Asked, ListName, Listed};
use crate::{Aws, Deps};

/// Chains on one page unless told otherwise: a chain is some dozens of entries, and an answer of Lambda has 6 MB at most.
const CHAINS: &str = "20";

/// Entries read at once.
const PAGE: u16 = 100;

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new().get("/marketplace/audit", export::<S, A>, |it| {
        it.named("exportAudit", "operations", "Exports the audit trail, chain after chain")
            .explained(
                "Each item is a line of an export: the entries of a subscription, oldest first, then its head. \
                 `limit` counts subscriptions; usually 20.",
            )
            .answers::<Listed<shapes::Anything>>(200, "Whole chains, each followed by its head")
            .refuses(400, &["invalid_cursor", "invalid_limit"]);
    })
}

/// 200 with whole chains, each followed by its head; 400 `invalid_cursor`, `invalid_limit`.
async fn export<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): State<Arc<Deps<S, A>>>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let list = ListName::of(&deps.secrets, &by.caller, &["audit export"]);
    let limit = query.limit.as_deref().unwrap_or(CHAINS);
    let asked = Asked::read(&list, query.cursor.as_deref(), Some(limit))?;
    let store = &deps.context.store;
    let page = store.list(&ListFilter::All, asked.after.as_ref(), asked.limit).await?;
    let mut lines = Vec::new();
    for subscription in &page.items {
        chain(store, subscription, &mut lines).await?;
    }
    let next_cursor = Listed::of(&list, page, |_| ()).next_cursor;
    Ok(axum::Json(Listed { items: lines, next_cursor }).into_response())
}

/// The entries up to the head that was read, and the head. What is written meanwhile is for the next export.
async fn chain<S: Store>(
    store: &S,
    subscription: &Subscription,
    lines: &mut Vec<Line>,
) -> Result<(), Error> {
    let head = subscription.audit.clone();
    let mut after = None;
    'pages: loop {
        let page = store.audit(&subscription.id, after.as_ref(), PAGE).await?;
        for entry in page.items {
            if entry.sequence > head.sequence {
                break 'pages;
            }
            lines.push(Line::Entry(entry));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    lines.push(Line::Head { subscription: subscription.id.clone(), head });
    Ok(())
}
