//! The registration form comes back, and what the buyer sees from then on.

use std::sync::Arc;

use app::ports::{RegistrationService, ResolvedBuyer, Store};
use app::registration::{complete as register, standing};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use lambda_shell::extract::{Form, Query};
use lambda_shell::metrics::{REGISTRATIONS_COMPLETED, REGISTRATIONS_FAILED};
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Deps;
use crate::form;
use crate::medium::Medium;
use crate::page;
use crate::refusal::Refusal;
use crate::session;
use crate::wire::{COMPLETE_AT, CompletionAnswer, LandingAnswer, ProfileForm};

/// `POST /marketplace/register/complete`: where to read what comes next (a program is told at once), 422 with the
/// fields to mend, or why not. May be repeated while the session lasts: by a second click, the back button, another tab.
pub(crate) async fn complete<S, A>(
    State(deps): State<Arc<Deps<S, A>>>,
    medium: Medium,
    headers: HeaderMap,
    form: Result<Form<ProfileForm>, Problem>,
) -> Response
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let done = try_complete(&deps, medium, &headers, form).await;
    done.unwrap_or_else(|refusal| refused(&deps, medium, refusal))
}

/// `?registration=`: which of the browser's registrations is meant.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Which {
    /// Which registration, where the browser has several.
    #[serde(default)]
    registration: String,
    /// Whether AWS spoke of a free trial; only good for what the page says.
    #[serde(default)]
    trial: bool,
}

/// `GET /marketplace/register/complete`: where a buyer who came before stands now. Reading it again shows progress and
/// sends nothing.
pub(crate) async fn confirmed<S, A>(
    State(deps): State<Arc<Deps<S, A>>>,
    medium: Medium,
    headers: HeaderMap,
    which: Result<Query<Which>, Problem>,
) -> Response
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let shown = try_show(&deps, medium, &headers, which).await;
    shown.unwrap_or_else(|refusal| refused(&deps, medium, refusal))
}

fn refused<S, A>(deps: &Deps<S, A>, medium: Medium, refusal: Refusal) -> Response {
    if refusal.ours {
        let code = refusal.problem.code;
        deps.metrics.emit_by(deps.clock.now(), REGISTRATIONS_FAILED, code, 1);
    }
    refusal.answer(medium, &deps.brand)
}

async fn try_complete<S, A>(
    deps: &Deps<S, A>,
    medium: Medium,
    headers: &HeaderMap,
    form: Result<Form<ProfileForm>, Problem>,
) -> Result<Response, Refusal>
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let now = deps.clock.now();
    let form = form.map(|Form(form)| form);
    let named = form.as_ref().map_or("", |form| form.registration.as_str());
    let buyer = session::buyer(&deps.secrets, headers, named, now).map_err(Refusal::no_session)?;
    let form = form.map_err(Refusal::unreadable)?;
    let profile = match form::profile(&deps.brand.form, &form) {
        Ok(profile) => profile,
        Err(errors) => {
            let problem = Problem::unprocessable("invalid_form", "Some fields need another entry.");
            let problem = Problem { errors, ..problem };
            return Ok(match medium {
                Medium::Json => problem.into_response(),
                Medium::Page => {
                    let page = || page::correction(&deps.brand, &form, &problem.errors);
                    medium.answer(problem.status, page, &())
                }
            });
        }
    };
    let registered = register(&deps.context, &buyer, &profile, now).await.map_err(Refusal::of)?;
    deps.metrics.emit(now, &[(REGISTRATIONS_COMPLETED, 1)]);
    Ok(match medium {
        Medium::Json => {
            let answer = CompletionAnswer::of(&registered, &deps.context.listing.catalog, now);
            axum::Json(answer).into_response()
        }
        // Reading the confirmation again must not send the form again.
        Medium::Page => see_other(&completion_page(&buyer, false)),
    })
}

async fn try_show<S, A>(
    deps: &Deps<S, A>,
    medium: Medium,
    headers: &HeaderMap,
    which: Result<Query<Which>, Problem>,
) -> Result<Response, Refusal>
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    let now = deps.clock.now();
    let Query(which) = which.map_err(Refusal::unreadable)?;
    let buyer = session::buyer(&deps.secrets, headers, &which.registration, now)
        .map_err(Refusal::no_session)?;
    let landing = standing(&deps.context, &buyer).await.map_err(Refusal::of)?;
    let answer = LandingAnswer::of(&landing, which.trial, &deps.context.listing.catalog, now);
    let page = || {
        if answer.registered {
            page::confirmation(&deps.brand, &answer)
        } else {
            page::registration(&deps.brand, &answer, &ProfileForm::of(&buyer), &[])
        }
    };
    Ok(medium.answer(StatusCode::OK, page, &answer))
}

/// Where a buyer's form and confirmation are.
pub(crate) fn completion_page(buyer: &ResolvedBuyer, trial: bool) -> String {
    let trial = if trial { "&trial=true" } else { "" };
    format!("{COMPLETE_AT}?registration={}{trial}", session::tag(buyer))
}

pub(crate) fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}
