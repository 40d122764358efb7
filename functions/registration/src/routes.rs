//! The routes, and what the contract says of them.

use std::sync::Arc;

use app::ports::{RegistrationService, Store};
use lambda_shell::contract::{Operation, Routes};

use crate::wire::{COMPLETE_AT, CompletionAnswer, LandingAnswer};
use crate::{Deps, completion, landing};

/// Every route of this function.
pub(crate) fn all<S, A>() -> Routes<Arc<Deps<S, A>>>
where
    S: Store,
    A: RegistrationService + Send + Sync + 'static,
{
    Routes::new()
        .get("/marketplace/register", landing::explain::<S, A>, |it| {
            it.named("explainRegistration", "registration", "Tells how to come back with a token")
                .shows(200, "A page");
        })
        .post("/marketplace/register", landing::land::<S, A>, |it| {
            it.named("land", "registration", "Takes a buyer whom AWS Marketplace sends")
                .answers::<LandingAnswer>(200, "The registration form, and a session")
                .with_header(200, "Set-Cookie", "The registration session, for 30 minutes.")
                .shows(303, "On to the registration form, with the session")
                .refuses(400, &["missing_registration_token", "invalid_registration_token"])
                .refuses(400, &["expired_registration_token"]);
            refusals(it);
        })
        .post(COMPLETE_AT, completion::complete::<S, A>, |it| {
            it.named("completeRegistration", "registration", "Takes the registration form")
                .explained("Needs the session cookie of the landing. May be repeated while the session lasts.")
                .answers::<CompletionAnswer>(200, "What comes next")
                .shows(303, "On to the confirmation")
                .refuses(400, &["no_registration_session", "registration_session_expired"]);
            refusals(it);
        })
        .get(COMPLETE_AT, completion::confirmed::<S, A>, |it| {
            it.named("showRegistration", "registration", "Shows the form, or where the buyer stands")
                .explained("Needs the session cookie of the landing.")
                .answers::<LandingAnswer>(200, "Where the buyer stands")
                .shows(200, "")
                .refuses(400, &["no_registration_session", "registration_session_expired"]);
            refusals(it);
        })
}

/// What all may be refused for, as a problem or as a page.
fn refusals(it: &mut Operation<'_>) {
    it.refuses(403, &["foreign_product"])
        .refuses(500, &["internal_error"])
        .refuses(503, &["marketplace_unavailable", "license_unknown_yet", "unavailable"]);
    for status in [400, 403, 413, 415, 422, 500, 503] {
        it.shows(status, "");
    }
}
