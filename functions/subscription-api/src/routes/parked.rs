//! What AWS does not bill: seen, sent once more, or closed by a human.

use std::sync::Arc;

use app::parked::{self as use_case, Closed, Retried};
use app::ports::Store;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use domain::metering::Retry;
use http::StatusCode;
use http::request::Parts;
use lambda_shell::extract::{Json, Path, Query};
use lambda_shell::problem::Problem;

use super::PageQuery;
use crate::caller::{May, ToReadAll, ToSettle};
use crate::paging::{Asked, ListName, Listed};
use crate::refusal::{retry_refused, unknown_item};
use crate::wire::{CloseBody, ItemId, ParkedAnswer, ParkedBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

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

/// 200 with a page of parked items of all subscriptions, oldest first; 400 `invalid_cursor`, `invalid_limit`.
pub(crate) async fn list<S: Store, A: Aws>(
    _: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let list = ListName::of(&["parked"]);
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
