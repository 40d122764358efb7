//! Marketplace in a box: the whole business on pages, for people who have never seen AWS Marketplace. Every button is a
//! plain form; what it does is also in the control API.

mod acts;
mod agreements;
mod clock;
mod faults;
mod frame;
mod home;
mod messages;
mod money;
mod note;
mod store;
mod tour;
mod usage;
mod visit;
mod wire;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use lambda_shell::problem::Problem;

use crate::system::Handle;

/// The pages of the box.
pub(super) fn router(system: &Handle) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/box/tour", get(tour::show).post(tour::act))
        .route("/box/store", get(store::show).post(store::buy))
        .route("/box/agreements/{id}/set-up", get(agreements::set_up))
        .route("/_local/set-up/{id}", get(agreements::set_up))
        .route("/box/agreements/{id}/{act}", post(agreements::act))
        .route("/box/clock", post(clock::advance))
        .route("/box/schedule", post(clock::schedule))
        .route("/box/usage", get(usage::show).post(usage::report))
        .route("/box/faults", get(faults::show).post(faults::set))
        .route("/box/wire", get(wire::show))
        .route("/box/money", get(money::show))
        .route("/box/messages", get(messages::show))
        .route("/box/redrive", post(messages::redrive))
        .route("/box/visit", post(visit::open))
        .layer(map_response(pages::secured))
        .layer(from_fn(own_forms))
        .with_state(system.clone())
}

/// Another site's page must not press our buttons: browsers tell where a form comes from.
async fn own_forms(request: Request, next: Next) -> Response {
    let from = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let foreign = !matches!(from, None | Some("same-origin" | "none"));
    if request.method() == Method::POST && foreign {
        let detail = "This form comes from another site.";
        return Problem::new(StatusCode::FORBIDDEN, "foreign_form", detail).into_response();
    }
    next.run(request).await
}
