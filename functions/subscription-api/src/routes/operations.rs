//! For those who run the service: health, audit trail, settlement.

use std::sync::Arc;

use app::ports::{SettlementRequest, Store};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use http::StatusCode;
use lambda_shell::extract::Query;
use lambda_shell::problem::Problem;
use serde::Serialize;

use super::{Id, PageQuery, visible};
use crate::caller::{May, ToReadAll, ToSettle};
use crate::paging::{Asked, ListName, Listed};
use crate::wire::AuditEntryBody;
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

/// An id that no license has: to read it asks whether the store answers.
const NOBODY: &str = "sub_00000000000000000000000000000000";

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'a str,
}

/// 200 when the store answers, 503 when not. Public.
pub(crate) async fn health<S: Store, A: Aws>(
    State(deps): Shared<S, A>,
) -> Result<Response, Problem> {
    let nobody: SubscriptionId = NOBODY.parse().map_err(|_| Problem::internal())?;
    deps.context.store.subscription(&nobody).await?;
    Ok(axum::Json(Health { status: "ok", version: &deps.version }).into_response())
}

/// 200 with a page of audit entries, oldest first; 400 `invalid_cursor`, `invalid_limit`, 404 `unknown_subscription`.
pub(crate) async fn audit<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let list = ListName::of(&["audit", id.as_str()]);
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    visible(&deps, &by.caller, &id).await?;
    let page = deps.context.store.audit(&id, asked.after.as_ref(), asked.limit).await?;
    Ok(axum::Json(Listed::of(&list, page, AuditEntryBody::from)).into_response())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SettlementAsked {
    subscription_id: SubscriptionId,
    status: &'static str,
}

/// 202: the scheduler settles what is due now; 404 `unknown_subscription`.
pub(crate) async fn settle<S: Store, A: Aws>(
    by: May<ToSettle>,
    State(deps): Shared<S, A>,
    Id(id): Id,
) -> Result<Response, Problem> {
    visible(&deps, &by.caller, &id).await?;
    let request = SettlementRequest::Flush { subscription: id.clone() };
    deps.context.aws.send(&request, 0).await?;
    let body = SettlementAsked { subscription_id: id, status: "requested" };
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}
