#![doc = include_str!("../README.md")]

mod body;
mod config;
mod proof;
mod receive;
mod routes;
mod usage;

use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use app::{Clock, Context};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use lambda_shell::config::{Secrets, WebhookEndpoint};
use lambda_shell::contract::Route;
use lambda_shell::extract::with_problems;
use lambda_shell::metrics::Metrics;
use sns_https::Verifier;

pub use config::Config;
pub use proof::from_aws;

/// The largest body, in bytes: what SNS and EventBridge may send at most.
pub const LARGEST_BODY: usize = 256 * 1024;

/// What the webhook works with.
#[derive(Debug, Clone)]
pub struct Deps<S, A> {
    /// The listing, the store and AWS.
    pub context: Context<S, A>,
    /// The time.
    pub clock: Clock,
    /// The secrets that senders share with us.
    pub secrets: Secrets,
    /// Judges what SNS delivers over HTTPS; without it nothing of SNS is believed.
    pub sns: Option<Verifier>,
    /// Where the webhook is.
    pub endpoint: WebhookEndpoint,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// The webhook's one route; everything else is answered with a problem.
pub fn router<S, A>(deps: Deps<S, A>) -> Router
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Clone + Send + Sync + 'static,
{
    let routes = routes::all::<S, A>(deps.endpoint.as_str())
        .into_router()
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(deps);
    with_problems(routes)
}

/// The same route, to be described.
pub fn described<S, A>(endpoint: &str) -> Vec<Route>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Clone + Send + Sync + 'static,
{
    routes::all::<S, A>(endpoint).into_list()
}
