//! Everything on one address: the routes of the functions behind a stand-in for API Gateway, the simulator, the control
//! API, and the pages for people.

mod control;
mod gateway;
mod market;
mod patience;
pub(crate) mod server;
pub(crate) mod this_machine;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use lambda_shell::extract::with_problems;
use lambda_shell::problem::Problem;

use crate::system::Handle;

/// The routes of a system.
pub(crate) fn router(system: &Handle) -> Router {
    let simulator = system.simulator().router().layer(from_fn(one_clock));
    let functions = gateway::router(system);
    let ours = control::router(system);
    with_problems(
        functions.merge(simulator.reset_fallback()).merge(ours).merge(market::router(system)),
    )
    .layer(from_fn(this_machine::only))
}

/// The simulator's clock is the system's. Moved behind its back, the schedules and deliveries in between would be left
/// out.
async fn one_clock(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && request.uri().path() == "/_sim/clock" {
        let detail = "Here POST /_local/clock moves the clock, and lets everything in between happen at its own time.";
        return Problem::new(StatusCode::CONFLICT, "use_local_clock", detail).into_response();
    }
    next.run(request).await
}
