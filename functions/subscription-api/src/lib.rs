#![doc = include_str!("../README.md")]

mod caller;
mod config;
mod idempotency;
mod paging;
mod people;
mod precondition;
mod refusal;
mod routes;
mod wire;

use std::sync::Arc;

use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use app::{Clock, Context};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use lambda_shell::config::Secrets;
use lambda_shell::contract::Route;
use lambda_shell::extract::with_problems;
use lambda_shell::metrics::Metrics;
use pages::Brand;

pub use caller::{Caller, Role, caller_from_api_gateway};
pub use config::Config;

/// The largest batch, with keys and names at their longest, is about 70 kB.
const LARGEST_BODY: usize = 256 * 1024;

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// The deployed version, for the health route.
    pub version: String,
    /// What seals the links and sessions of pages.
    pub secrets: Secrets,
    /// Who the pages speak for.
    pub brand: Brand,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// What the routes need of AWS.
pub trait Aws:
    EntitlementService + AgreementService + SettlementQueue + Send + Sync + 'static
{
}

impl<T> Aws for T where
    T: EntitlementService + AgreementService + SettlementQueue + Send + Sync + 'static
{
}

/// The routes below `/marketplace/subscriptions`, the pages for people, and `/marketplace/health`.
///
/// All but health and the pages, which have sessions, need a [`Caller`] in the request's extensions; put a middleware
/// around that knows who calls.
pub fn router<S: Store, A: Aws>(deps: Deps<S, A>) -> Router {
    let deps = Arc::new(deps);
    let routes = routes::all::<S, A>()
        .into_router()
        .merge(people::all::<S, A>())
        .layer(from_fn_with_state(deps.clone(), idempotency::replay::<S, A>))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(deps);
    with_problems(routes)
}

/// The same routes, to be described.
pub fn described<S: Store, A: Aws>() -> Vec<Route> {
    routes::all::<S, A>().into_list()
}
