//! The routes, and what several of them share.

mod billing;
mod checks;
mod entitlements;
mod operations;
mod parked;
mod subscriptions;
mod usage;

use std::sync::Arc;

use app::ports::Store;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::{get, post, put};
use domain::ids::SubscriptionId;
use domain::subscription::Subscription;
use domain::time::Month;
use http::request::Parts;
use jiff::Timestamp;
use lambda_shell::extract::Path;
use lambda_shell::problem::Problem;
use serde::Deserialize;

use crate::caller::{Caller, Role};
use crate::refusal::unknown_subscription;
use crate::{Aws, Deps};

/// Every route of this function.
pub(crate) fn all<S: Store, A: Aws>() -> Router<Arc<Deps<S, A>>> {
    Router::new()
        .route("/marketplace/health", get(operations::health::<S, A>))
        .route(
            "/marketplace/subscriptions",
            get(subscriptions::list::<S, A>).post(subscriptions::create::<S, A>),
        )
        .nest("/marketplace/subscriptions/{id}", of_one())
        .route("/marketplace/checks/conservation", get(checks::conservation::<S, A>))
        .route("/marketplace/parked", get(parked::list::<S, A>))
        .route("/marketplace/parked/{item}/retry", post(parked::retry::<S, A>))
        .route("/marketplace/parked/{item}/close", post(parked::close::<S, A>))
}

fn of_one<S: Store, A: Aws>() -> Router<Arc<Deps<S, A>>> {
    Router::new()
        .route(
            "/",
            get(subscriptions::read::<S, A>)
                .put(subscriptions::update::<S, A>)
                .delete(subscriptions::cancel::<S, A>),
        )
        .route("/tenant", put(subscriptions::confirm_tenant::<S, A>))
        .route("/meter", post(usage::report::<S, A>))
        .route("/usage", get(usage::month::<S, A>))
        .route("/usage/events", get(usage::events::<S, A>))
        .route("/entitlements", get(entitlements::overview::<S, A>))
        .route("/entitlements/check", post(entitlements::check::<S, A>))
        .route("/entitlements/consume", post(entitlements::consume::<S, A>))
        .route("/entitlements/release", post(entitlements::release::<S, A>))
        .route("/billing", get(billing::bill::<S, A>))
        .route("/records", get(billing::records::<S, A>))
        .route("/audit", get(operations::audit::<S, A>))
        .route("/settle", post(operations::settle::<S, A>))
}

/// The subscription in the path. What cannot be an id names no subscription.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) SubscriptionId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| unknown_subscription())
    }
}

/// Reads a subscription that the caller may see.
async fn visible<S: Store, A>(
    deps: &Deps<S, A>,
    caller: &Caller,
    id: &SubscriptionId,
) -> Result<Subscription, Problem> {
    deps.context
        .store
        .subscription(id)
        .await?
        .filter(|subscription| caller.sees(subscription))
        .ok_or_else(unknown_subscription)
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthQuery {
    month: Option<String>,
}

/// `?month=&cursor=&limit=`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthPageQuery {
    month: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// `?cursor=&limit=`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

fn month(text: Option<&str>, now: Timestamp) -> Result<Month, Problem> {
    text.map_or(Ok(Month::of(now)), |text| {
        text.parse()
            .map_err(|_| Problem::bad_request("invalid_month", "A month is written like 2026-11."))
    })
}
