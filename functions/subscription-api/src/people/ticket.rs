//! Links that open a page once, within a minute: made for the platform's backend, opened by a browser.

use std::sync::Arc;

use app::ports::{Begun, RequestKey, Store};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use domain::time::after;
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::contract::{Routes, shapes};
use lambda_shell::extract::Json;
use lambda_shell::problem::Problem;
use lambda_shell::session::{open as unseal, seal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::see_other;
use super::trouble::Trouble;
use super::visitor::{Destination, Sealed, visible};
use crate::caller::{May, Right, ToRead};
use crate::refusal::unknown_subscription;
use crate::{Aws, Deps};

/// How long a link may wait to be opened.
const LIFE: SignedDuration = SignedDuration::from_mins(1);
/// How long it is remembered that a link was opened: longer than it could be opened again.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);
const PURPOSE: &str = "page-ticket";

#[derive(Serialize, Deserialize)]
struct Ticket {
    id: String,
    visitor: Sealed,
}

/// `{"page": "account", "subscriptionId": "…"}` or `{"page": "desk"}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "page",
    deny_unknown_fields
)]
pub(crate) enum Wanted {
    /// The buyer's account page.
    Account {
        /// Whose.
        #[schemars(with = "shapes::SubscriptionId")]
        subscription_id: SubscriptionId,
    },
    /// The operator's desk.
    Desk {},
}

/// A link that works once.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Issued {
    /// Where to send the browser, on this host.
    url: String,
    /// Until when it can be opened.
    #[schemars(with = "shapes::Instant")]
    expires_at: Timestamp,
}

/// The route that the platform's backend calls.
pub(crate) fn routes<S: Store, A: Aws>() -> Routes<Arc<Deps<S, A>>> {
    Routes::new().post("/marketplace/page-sessions", issue::<S, A>, |it| {
        it.named("openPage", "pages", "Gives a link that opens a page for people once")
            .explained("The link lives for a minute. Opening it gives the browser a session for that page.")
            .answers::<Issued>(201, "Where to send the browser")
            .refuses(404, &["unknown_subscription"]);
    })
}

/// 201 with a link to send the browser to; 403 `forbidden`, 404 `unknown_subscription`.
pub(crate) async fn issue<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): State<Arc<Deps<S, A>>>,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let page = match wanted {
        Wanted::Desk {} if by.caller.role.may(Right::ReadAll) => Destination::Desk,
        Wanted::Desk {} => {
            return Err(Problem::forbidden("forbidden", "Your role does not allow this."));
        }
        Wanted::Account { subscription_id } => {
            let known = deps.context.store.subscription(&subscription_id).await?;
            known.filter(|known| by.caller.sees(known)).ok_or_else(unknown_subscription)?;
            Destination::Account(subscription_id)
        }
    };
    let id = uuid::Uuid::new_v4().simple().to_string();
    let ticket = Ticket { id, visitor: Sealed::new(&by.caller, page) };
    let expires_at = after(now, LIFE);
    let sealed =
        seal(&deps.secrets, PURPOSE, &ticket, expires_at).map_err(|_| Problem::internal())?;
    let url = format!("/marketplace/page-sessions/{sealed}");
    Ok((StatusCode::CREATED, axum::Json(Issued { url, expires_at })).into_response())
}

/// 303 to the page, with its session; or a page that says why not.
pub(crate) async fn open<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(ticket): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let done = try_open(&deps, &ticket, &method, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_open<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    ticket: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    // Whoever only looks ahead must not use the link up.
    if method != Method::GET || headers.contains_key("sec-purpose") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let now = deps.clock.now();
    let ticket: Ticket =
        unseal(&deps.secrets, PURPOSE, ticket, now).map_err(|_| Trouble::DeadLink)?;
    let used = RequestKey {
        scope: "page-session".to_owned(),
        key: ticket.id.clone(),
        fingerprint: ticket.id,
    };
    match deps.context.store.begin(&used, now, after(now, REMEMBERED)).await? {
        Begun::Started => {}
        Begun::InProgress { .. } | Begun::Finished(_) | Begun::OtherRequest => {
            return Err(Trouble::DeadLink);
        }
    }
    enter(deps, &ticket.visitor, now)
}

/// Sends a browser to a page, with the session for it.
pub(super) fn enter<S, A>(
    deps: &Deps<S, A>,
    visitor: &Sealed,
    now: Timestamp,
) -> Result<Response, Trouble> {
    let cookie = visitor.cookie(&deps.secrets, now).ok_or(Trouble::Unavailable)?;
    let mut response = see_other(&visitor.page().path());
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Opens a buyer's account page for someone at the desk.
pub(super) async fn enter_account<S: Store, A>(
    deps: &Deps<S, A>,
    caller: &crate::caller::Caller,
    id: &SubscriptionId,
    now: Timestamp,
) -> Result<Response, Trouble> {
    visible(deps, caller, id).await?;
    enter(deps, &Sealed::new(caller, Destination::Account(id.clone())), now)
}
