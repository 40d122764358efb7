//! For those who run the service: health, audit trail, settlement.

use std::sync::Arc;

use app::ports::Store;
use app::subscriptions::request_settlement;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use lambda_shell::contract::{Routes, shapes};
use lambda_shell::extract::Query;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Id, Of, PageQuery, visible};
use crate::caller::{May, ToReadAll, ToSettle};
use crate::paging::{Asked, ListName, Listed};
use crate::refusal::unknown_subscription;
use crate::wire::AuditEntryBody;
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

/// The contract, as the test of it keeps it.
const CONTRACT: &str = include_str!("../../../../docs/openapi.json");

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get("/marketplace/health", health::<S, A>, |it| {
            it.named("health", "operations", "Tells whether the service answers")
                .answers::<Health<'_>>(200, "The store answers")
                .refuses(500, &["internal_error"])
                .refuses(503, &["unavailable"]);
        })
        .get("/marketplace/openapi.json", contract, |it| {
            it.named("contract", "operations", "This document")
                .answers::<shapes::Anything>(200, "OpenAPI 3.1");
        })
        .get("/marketplace/subscriptions/{id}/audit", audit::<S, A>, |it| {
            it.named("listAudit", "operations", "Lists who changed what, oldest first")
                .answers::<Listed<AuditEntryBody>>(200, "A page of audit entries")
                .refuses(400, &["invalid_cursor", "invalid_limit"]);
        })
        .post("/marketplace/subscriptions/{id}/settle", settle::<S, A>, |it| {
            it.named("settle", "operations", "Asks for a settlement now")
                .explained("Who asked is kept in the audit trail.")
                .answers::<SettlementAsked>(202, "The scheduler settles what is due");
        })
}

/// An id that no license has: to read it asks whether the store answers.
const NOBODY: &str = "sub_00000000000000000000000000000000";

lambda_shell::words! {
    Healthy ["ok"]
    Requested ["requested"]
}

#[derive(Serialize, JsonSchema)]
struct Health<'a> {
    #[schemars(with = "Healthy")]
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

/// The OpenAPI document. Public.
async fn contract() -> Response {
    ([(CONTENT_TYPE, "application/json")], CONTRACT).into_response()
}

/// 200 with a page of audit entries, oldest first; 400 `invalid_cursor`, `invalid_limit`, 404 `unknown_subscription`.
pub(crate) async fn audit<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let list = ListName::of(&deps.secrets, &by.caller, &["audit", id.as_str()]);
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    visible(&deps, &by.caller, &id).await?;
    let page = deps.context.store.audit(&id, asked.after.as_ref(), asked.limit).await?;
    Ok(axum::Json(Listed::of(&list, page, AuditEntryBody::from)).into_response())
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SettlementAsked {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "Requested")]
    status: &'static str,
}

/// 202: the scheduler settles what is due now; 404 `unknown_subscription`.
pub(crate) async fn settle<S: Store, A: Aws>(
    by: May<ToSettle>,
    State(deps): Shared<S, A>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    if !request_settlement(&deps.context, &id, by.caller.actor(), now).await? {
        return Err(unknown_subscription());
    }
    let body = SettlementAsked { subscription_id: id, status: "requested" };
    Ok((StatusCode::ACCEPTED, axum::Json(body)).into_response())
}
