//! Whom the platform writes to: personal data, for those who may read everything.

use std::sync::Arc;

use app::ports::Store;
use app::subscriptions::contact as use_case;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use lambda_shell::contract::Routes;
use lambda_shell::problem::Problem;

use super::{Id, Of, visible};
use crate::caller::{May, ToReadAll};
use crate::wire::ContactBody;
use crate::{Aws, Deps};

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new().get("/marketplace/subscriptions/{id}/contact", contact::<S, A>, |it| {
        it.named("readContact", "subscriptions", "Tells whom to write to about a subscription")
            .explained(
                "What the buyer gave at registration. The notice `registered` says when it is new or has changed; \
                 it carries no personal data itself.",
            )
            .answers::<ContactBody>(200, "The contact")
            .with_header(200, "Cache-Control", "Always `no-store`.")
            .refuses(404, &["not_registered"]);
    })
}

/// 200 with the contact; 404 `unknown_subscription`, `not_registered`.
async fn contact<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): State<Arc<Deps<S, A>>>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let state = visible(&deps, &by.caller, &id).await?;
    let customer = match state.registered {
        Some(_) => use_case(&deps.context, &state).await?,
        None => None,
    };
    let body = ContactBody::of(id, customer.ok_or_else(not_registered)?);
    Ok(([(CACHE_CONTROL, "no-store")], axum::Json(body)).into_response())
}

fn not_registered() -> Problem {
    let detail = "The buyer has not registered, so there is nobody to write to yet.";
    Problem::new(StatusCode::NOT_FOUND, "not_registered", detail)
}
