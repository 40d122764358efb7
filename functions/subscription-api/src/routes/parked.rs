//! What AWS does not bill: seen, sent once more, or closed by a human.

use std::sync::Arc;

use app::parked::{self as use_case, Closed, Retried};
use app::ports::Store;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use domain::metering::Retry;
use http::StatusCode;
use http::request::Parts;
use lambda_shell::contract::{Input, Operation, Routes};
use lambda_shell::extract::{Json, Path, Query};
use lambda_shell::problem::Problem;

use super::{Of, PageQuery};
use crate::caller::{May, ToReadAll, ToSettle};
use crate::paging::{Asked, ListName, Listed};
use crate::refusal::{retry_refused, unknown_item};
use crate::wire::{CloseBody, ItemId, ParkedAnswer, ParkedBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get("/marketplace/parked", list::<S, A>, |it| {
            it.named("listParked", "operations", "Lists what AWS does not bill, oldest first")
                .answers::<Listed<ParkedBody>>(200, "A page of parked items of all subscriptions")
                .refuses(400, &["invalid_cursor", "invalid_limit"]);
        })
        .post("/marketplace/parked/{item}/retry", retry::<S, A>, |it| {
            it.named("retryParked", "operations", "Has a parked item sent once more")
                .answers::<ParkedAnswer>(202, "It is sent again")
                .refuses(409, &["not_parked", "record_under_way", "held_differently"])
                .refuses(409, &["window_closed", "license_over"]);
        })
        .post("/marketplace/parked/{item}/close", close::<S, A>, |it| {
            it.named("closeParked", "operations", "Settles a parked item outside of metering")
                .answers::<ParkedAnswer>(200, "It waits for nobody any more")
                .refuses(409, &["not_parked"]);
        })
}

/// The item in the path, as it is written there and as it is read.
#[derive(Debug)]
pub(crate) struct Item(String, ItemId);

impl<S: Send + Sync> FromRequestParts<S> for Item {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        let id = ItemId::read(&text).ok_or_else(unknown_item)?;
        Ok(Self(text, id))
    }
}

impl Input for Item {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .in_path::<String>("item", "The item's `id`, from the list.")
            .refuses(404, &["unknown_item"]);
    }
}

/// 200 with a page of parked items of all subscriptions, oldest first; 400 `invalid_cursor`, `invalid_limit`.
pub(crate) async fn list<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let list = ListName::of(&deps.secrets, &by.caller, &["parked"]);
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    let page = use_case::list(&deps.context, asked.after.as_ref(), asked.limit).await?;
    let currency = deps.context.listing.catalog.currency();
    let body = Listed::of(&list, page, |item| ParkedBody::of(item, currency));
    Ok(axum::Json(body).into_response())
}

/// 202: the item is sent once more; 404 `unknown_item`, 409 `not_parked`, `record_under_way`, `held_differently`,
/// `window_closed`, `license_over`.
pub(crate) async fn retry<S: Store, A: Aws>(
    by: May<ToSettle>,
    State(deps): Shared<S, A>,
    Item(id, ItemId(key)): Item,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let status = match use_case::retry(&deps.context, &key, by.caller.actor(), now).await? {
        Retried::Done(Retry::SameRecord) => "retrying-same-record",
        Retried::Done(Retry::FreshHour) => "retrying-fresh-hour",
        Retried::NotFound => return Err(unknown_item()),
        Retried::Refused(refusal) => return Err(retry_refused(refusal)),
    };
    let body = ParkedAnswer { id, subscription_id: key.meter.subscription, status };
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}

/// 200: the item waits for nobody any more; 404 `unknown_item`, 409 `not_parked`, 422 `invalid_body`.
pub(crate) async fn close<S: Store, A: Aws>(
    by: May<ToSettle>,
    State(deps): Shared<S, A>,
    Item(id, ItemId(key)): Item,
    Json(body): Json<CloseBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let (how, note) = body.read()?;
    let actor = by.caller.actor();
    match use_case::close(&deps.context, &key, how, &note, actor, now).await? {
        Closed::Done => {}
        Closed::NotFound => return Err(unknown_item()),
        Closed::NotParked => return Err(retry_refused(domain::metering::RetryRefusal::NotParked)),
    }
    let subscription_id = key.meter.subscription;
    Ok(axum::Json(ParkedAnswer { id, subscription_id, status: "closed" }).into_response())
}
