//! A buyer arrives, with a token or without.

use std::sync::Arc;

use app::ports::{RegistrationService, Store};
use app::registration::land as take;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::subscription::Subscription;
use http::StatusCode;
use http::header::SET_COOKIE;
use lambda_shell::extract::Form;
use lambda_shell::metrics::{REGISTRATIONS_FAILED, REGISTRATIONS_LANDED, SUBSCRIPTIONS_CREATED};
use lambda_shell::problem::Problem;

use crate::Deps;
use crate::completion::{completion_page, see_other};
use crate::medium::Medium;
use crate::page;
use crate::refusal::Refusal;
use crate::session;
use crate::wire::{LandingAnswer, LandingForm};

/// `POST /marketplace/register`: the session, and where the form is (a program is told at once where it stands); or why
/// not.
pub(crate) async fn land<S, A>(
    State(deps): State<Arc<Deps<S, A>>>,
    medium: Medium,
    form: Result<Form<LandingForm>, Problem>,
) -> Response
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let now = deps.clock.now();
    match try_land(&deps, medium, form).await {
        Ok(response) => {
            deps.metrics.emit_by(now, REGISTRATIONS_LANDED, "resolved", 1);
            response
        }
        Err(refusal) => {
            deps.metrics.emit_by(now, REGISTRATIONS_LANDED, refusal.problem.code, 1);
            if refusal.ours {
                deps.metrics.emit_by(now, REGISTRATIONS_FAILED, refusal.problem.code, 1);
            }
            refusal.answer(medium, &deps.brand)
        }
    }
}

async fn try_land<S, A>(
    deps: &Deps<S, A>,
    medium: Medium,
    form: Result<Form<LandingForm>, Problem>,
) -> Result<Response, Refusal>
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let now = deps.clock.now();
    let Form(form) = form.map_err(Refusal::unreadable)?;
    let free_trial = form.is_free_trial();
    let token = form.token().ok_or_else(Refusal::no_token)?;
    let landing = take(&deps.context, &token, now).await.map_err(Refusal::of)?;
    let is_new = |state: &Subscription| state.revision == 1 && state.updated_at == now;
    if landing.subscription.as_ref().is_some_and(is_new) {
        deps.metrics.emit(now, &[(SUBSCRIPTIONS_CREATED, 1)]);
    }
    let cookie =
        session::cookie(&deps.secrets, &landing.buyer, now).map_err(|_| Refusal::no_cookie())?;
    let catalog = &deps.context.listing.catalog;
    let mut response = match medium {
        Medium::Json => {
            axum::Json(LandingAnswer::of(&landing, free_trial, catalog, now)).into_response()
        }
        // On to an address that can be read again: a reload or the back button must not need the token.
        Medium::Page => see_other(&completion_page(&landing.buyer, free_trial)),
    };
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// `GET /marketplace/register`: a bookmark, a reload, or an AWS reviewer. Nothing is wrong; there is just no token.
pub(crate) async fn explain<S, A>(State(deps): State<Arc<Deps<S, A>>>) -> Response
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let page = || page::how_to_come_back(&deps.brand);
    Medium::Page.answer(StatusCode::OK, page, &())
}
