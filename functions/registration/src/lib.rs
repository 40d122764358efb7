#![doc = include_str!("../README.md")]

mod completion;
mod config;
mod form;
mod landing;
mod medium;
mod page;
mod refusal;
mod routes;
mod session;
mod wire;

use std::sync::Arc;

use app::ports::{RegistrationService, Store};
use app::{Clock, Context};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use lambda_shell::config::Secrets;
use lambda_shell::contract::Route;
use lambda_shell::extract::with_problems;
use lambda_shell::metrics::Metrics;
use pages::Brand;

pub use config::Config;

/// A form with a token, or with three short fields, is a few kilobytes at most.
const LARGEST_BODY: usize = 16 * 1024;

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// What seals the registration session.
    pub secrets: Secrets,
    /// Who the pages speak for.
    pub brand: Brand,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// The routes below `/marketplace/register`, and `/marketplace/assets/{file}` for all pages of the deployment.
pub fn router<S, A>(deps: Deps<S, A>) -> Router
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let assets = pages::assets::router(&deps.brand);
    let routes = routes::all::<S, A>()
        .into_router()
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(deps))
        .merge(assets);
    with_problems(routes).layer(map_response(pages::secured))
}

/// The same routes, to be described.
pub fn described<S, A>() -> Vec<Route>
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    routes::all::<S, A>().into_list()
}
