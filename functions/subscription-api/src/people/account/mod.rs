//! The buyer's account page: what AWS asks of sellers, that customers can see status and usage (fact sheet §9).

mod usage;
mod view;

use std::sync::Arc;

use app::billing::bill;
use app::ports::Store;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::ids::SubscriptionId;
use domain::time::Month;
use http::HeaderMap;
use serde::Deserialize;

use super::shown;
use super::trouble::Trouble;
use super::visitor::{Destination, Visitor, visible};
use crate::{Aws, Deps};

pub(super) use usage::{Ledger, ledger};

/// `?month=&dimension=`; what cannot be read is left aside.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountQuery {
    month: Option<String>,
    dimension: Option<String>,
}

/// The page, for the tenant of the session or for someone from the desk.
pub(crate) async fn show<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(id): Path<String>,
    Query(query): Query<AccountQuery>,
    headers: HeaderMap,
) -> Response {
    let done = try_show(&deps, &id, &query, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_show<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    id: &str,
    query: &AccountQuery,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    // What cannot be an id has no session either, and no page says whether it exists.
    let id: SubscriptionId = id.parse().map_err(|_| Trouble::SignedOut)?;
    let page = Destination::Account(id.clone());
    let visitor = Visitor::of(&deps.secrets, headers, &page, now)?;
    let subscription = visible(deps, &visitor.caller, &id).await?;

    let this_month = Month::of(now);
    let asked = query.month.as_deref().and_then(|month| month.parse::<Month>().ok());
    let month = asked.filter(|month| *month <= this_month).unwrap_or(this_month);
    let bill = bill(&deps.context, &id, month, now).await?.ok_or(Trouble::NotFound)?;
    let catalog = &deps.context.listing.catalog;
    let dimension = query.dimension.as_deref().and_then(|name| catalog.dimension_named(name));
    let busiest = || bill.lines.iter().find(|line| !line.used.is_zero());
    let dimension = dimension
        .or_else(|| busiest().and_then(|line| catalog.dimension(&line.dimension)))
        .or_else(|| catalog.dimensions().first());
    let ledger = ledger(&deps.context.store, &id, month).await?;
    let usage = match dimension {
        Some(spec) => Some(usage::of(&deps.context.store, &id, month, spec, &ledger, now).await?),
        None => None,
    };
    let account = view::Account { subscription, bill, ledger, usage, month, now, catalog };
    Ok(shown(&account.page(&deps.brand)))
}
