//! Pages for people: the buyer's account page and the operator's desk.
//!
//! A browser brings no token that API Gateway could verify. So the platform's backend, which has one, asks for a link
//! that works once and soon ([`ticket`]); opening it gives the browser a sealed cookie ([`visitor`]), and pages authorise
//! from it as the API does from claims.

mod account;
mod desk;
mod ticket;
mod trouble;
mod visitor;

pub(crate) use ticket::routes as page_sessions;

use std::sync::Arc;

use app::ports::Store;
use axum::Router;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use maud::Render;
use pages::Page;

use crate::{Aws, Deps};

/// The pages. They are not part of the contract: what they look like may change.
pub(crate) fn all<S: Store, A: Aws>() -> Router<Arc<Deps<S, A>>> {
    Router::new()
        .route("/marketplace/page-sessions/{ticket}", get(ticket::open::<S, A>))
        .route("/marketplace/account/{id}", get(account::show::<S, A>))
        .route("/marketplace/desk", get(desk::list::<S, A>))
        .route("/marketplace/desk/parked", get(desk::parked::list::<S, A>))
        .route(
            "/marketplace/desk/parked/{item}/retry",
            get(desk::parked_acts::ask_retry::<S, A>).post(desk::parked_acts::retry::<S, A>),
        )
        .route(
            "/marketplace/desk/parked/{item}/close",
            get(desk::parked_acts::ask_close::<S, A>).post(desk::parked_acts::close::<S, A>),
        )
        .route("/marketplace/desk/subscriptions/{id}", get(desk::detail::<S, A>))
        .route(
            "/marketplace/desk/subscriptions/{id}/{act}",
            get(desk::ask::<S, A>).post(desk::act::<S, A>),
        )
        .layer(map_response(pages::secured))
}

fn shown(page: &Page<'_>) -> Response {
    Html(page.render().into_string()).into_response()
}

/// 303: what was posted is done, and reading on posts nothing again.
fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}
