//! The registration form comes back.

use std::sync::Arc;

use app::ports::{RegistrationService, Store};
use app::registration::{Profile, complete as register};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use lambda_shell::extract::Form;
use lambda_shell::metrics::{REGISTRATIONS_COMPLETED, REGISTRATIONS_FAILED};
use lambda_shell::problem::Problem;

use crate::Deps;
use crate::medium::Medium;
use crate::page;
use crate::refusal::Refusal;
use crate::session;
use crate::wire::{CompletionAnswer, ProfileForm};

/// `POST /marketplace/register/complete`: 200 with what comes next, 422 with the fields to mend, or why not. May be
/// repeated while the session lasts.
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
    match try_complete(&deps, medium, &headers, form).await {
        Ok(response) => response,
        Err(refusal) => {
            if refusal.ours {
                let code = refusal.problem.code;
                deps.metrics.emit_by(deps.clock.now(), REGISTRATIONS_FAILED, code, 1);
            }
            refusal.answer(medium, &deps.seller)
        }
    }
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
    let buyer = session::buyer(&deps.secrets, headers, now).map_err(Refusal::no_session)?;
    let Form(form) = form.map_err(Refusal::unreadable)?;
    let profile = match Profile::new(&form.company, &form.contact, &form.email) {
        Ok(profile) => profile,
        Err(problems) => {
            let mut problem =
                Problem::unprocessable("invalid_form", "Some fields need another entry.");
            for wrong in &problems {
                problem = problem.field(wrong.field(), wrong.to_string());
            }
            return Ok(match medium {
                Medium::Json => problem.into_response(),
                Medium::Page => {
                    let page = || page::correction(&deps.seller, &form, &problem.errors);
                    medium.answer(problem.status, page, &())
                }
            });
        }
    };
    let registered = register(&deps.context, &buyer, &profile, now).await.map_err(Refusal::of)?;
    deps.metrics.emit(now, &[(REGISTRATIONS_COMPLETED, 1)]);
    let answer = CompletionAnswer::of(&registered, &deps.context.listing.catalog, now);
    let page = || page::confirmation(&deps.seller, &answer);
    Ok(medium.answer(StatusCode::OK, page, &answer))
}
