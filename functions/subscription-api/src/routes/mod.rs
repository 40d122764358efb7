//! The routes, and what several of them share.

mod billing;
mod checks;
mod contact;
mod entitlements;
mod export;
mod operations;
mod parked;
mod subscriptions;
mod usage;

use std::sync::Arc;

use app::ports::Store;
use axum::extract::FromRequestParts;
use domain::ids::SubscriptionId;
use domain::subscription::Subscription;
use domain::time::Month;
use http::request::Parts;
use jiff::Timestamp;
use lambda_shell::contract::{Input, Operation, Routes, shapes};
use lambda_shell::extract::Path;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::caller::{Caller, Role};
use crate::paging::Limit;
use crate::refusal::unknown_subscription;
use crate::{Aws, Deps};

/// Routes that are handed what the function works with.
type Of<S, A> = Routes<Arc<Deps<S, A>>>;

/// Every route of this function.
pub(crate) fn all<S: Store, A: Aws>() -> Of<S, A> {
    operations::routes()
        .merge(subscriptions::routes())
        .merge(contact::routes())
        .merge(usage::routes())
        .merge(entitlements::routes())
        .merge(billing::routes())
        .merge(checks::routes())
        .merge(parked::routes())
        .merge(export::routes())
        .merge(crate::people::page_sessions())
}

/// The subscription in the path. What cannot be an id names no subscription.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) SubscriptionId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        let id: SubscriptionId = text.parse().map_err(|_| unknown_subscription())?;
        app::about(&id, None);
        Ok(Self(id))
    }
}

impl Input for Id {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .in_path::<shapes::SubscriptionId>("id", "The subscription.")
            .refuses(404, &["unknown_subscription"]);
    }
}

/// Reads a subscription that the caller may see.
async fn visible<S: Store, A>(
    deps: &Deps<S, A>,
    caller: &Caller,
    id: &SubscriptionId,
) -> Result<Subscription, Problem> {
    let found = deps.context.store.subscription(id).await?;
    if let Some(subscription) = &found {
        app::about(id, Some(&subscription.license));
    }
    found.filter(|subscription| caller.sees(subscription)).ok_or_else(unknown_subscription)
}

/// Lets a tenant pass to its own subscription only; others pass unread, the use case tells whether there is one.
async fn only_own<S: Store, A>(
    deps: &Deps<S, A>,
    caller: &Caller,
    id: &SubscriptionId,
) -> Result<(), Problem> {
    match caller.role {
        Role::Tenant(_) => visible(deps, caller, id).await.map(|_| ()),
        Role::Admin | Role::Operator | Role::Meter => Ok(()),
    }
}

/// `?month=`, by default the current one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthQuery {
    /// Which month; by default the current one.
    #[schemars(with = "Option<shapes::Month>")]
    month: Option<String>,
}

/// `?month=&cursor=&limit=`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthPageQuery {
    /// Which month; by default the current one.
    #[schemars(with = "Option<shapes::Month>")]
    month: Option<String>,
    /// Where to go on: the `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100; usually 50.
    #[schemars(with = "Option<Limit>")]
    limit: Option<String>,
}

/// `?cursor=&limit=`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// Where to go on: the `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100; usually 50.
    #[schemars(with = "Option<Limit>")]
    limit: Option<String>,
}

fn month(text: Option<&str>, now: Timestamp) -> Result<Month, Problem> {
    text.map_or(Ok(Month::of(now)), |text| {
        text.parse()
            .map_err(|_| Problem::bad_request("invalid_month", "A month is written like 2026-11."))
    })
}
