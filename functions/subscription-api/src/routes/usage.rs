//! Usage: reported, and read.

use std::sync::Arc;

use app::billing;
use app::ports::Store;
use app::usage::{self as use_case, Reported};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use lambda_shell::contract::{Routes, shapes};
use lambda_shell::extract::{Json, Query};
use lambda_shell::metrics::{
    Metrics, USAGE_ACCEPTED, USAGE_DUPLICATE, USAGE_FAILED, USAGE_REFUSED,
};
use lambda_shell::problem::{MEDIA_TYPE, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Id, MonthPageQuery, MonthQuery, Of, month as asked_month, only_own, visible};
use crate::caller::{May, ToRead, ToReadAll, ToReport};
use crate::paging::{Asked, ListName, Listed};
use crate::refusal::unknown_subscription;
use crate::wire::{ReportBody, ReportShape, Results, ResultsShape, UsageBody, UsageEventBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

/// Why single reports are refused.
pub(super) const REFUSED: [&str; 9] = [
    "invalid_key",
    "unknown_dimension",
    "invalid_quantity",
    "invalid_time",
    "future_hour",
    "too_late",
    "subscription_ended",
    "invalid_tags",
    "too_many_tag_sets",
];

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .post("/marketplace/subscriptions/{id}/meter", report::<S, A>, |it| {
            it.named("reportUsage", "usage", "Takes one report of usage or a batch of 1 to 100")
                .explained(
                    "Each report is judged and answered by itself, in the order given. The same report again counts \
                     nothing; another report under the same key is refused.",
                )
                .takes::<ReportShape>("application/json")
                .answers::<Results>(200, "All are counted, now or before")
                .answers::<Results>(207, "Some are counted, others are refused for good")
                .refuses(409, &["key_conflict"])
                .refuses(422, &["empty_batch", "batch_too_large", "no_event_taken"])
                .refuses(422, &REFUSED)
                .extended_by::<ResultsShape>(409)
                .extended_by::<ResultsShape>(422)
                .extended_by::<ResultsShape>(503);
        })
        .get("/marketplace/subscriptions/{id}/usage", month::<S, A>, |it| {
            it.named("readUsage", "usage", "Reads a month of every dimension")
                .answers::<UsageBody>(200, "The month")
                .refuses(400, &["invalid_month"]);
        })
        .get("/marketplace/subscriptions/{id}/usage/events", events::<S, A>, |it| {
            it.named("listUsageEvents", "usage", "Lists the reports whose own time is in a month, by key")
                .answers::<Listed<UsageEventBody>>(200, "A page of reports")
                .refuses(400, &["invalid_month", "invalid_cursor", "invalid_limit"]);
        })
}

/// A body whose parts are read one by one.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transparent, inline)]
pub(crate) struct Unread(#[schemars(with = "shapes::Anything")] Box<RawValue>);

/// Takes one report or a batch of 1 to 100, and answers for each.
///
/// - 200: all are counted, now or before.
/// - 207: some are, others are refused for good.
/// - 409 `key_conflict`, 422 with the code that all refusals share or `no_event_taken`: none is.
/// - 503 `unavailable`: the store failed for some. Send the same again: what was counted is then a duplicate.
/// - 404 `unknown_subscription`, 422 `invalid_body`, `empty_batch`, `batch_too_large`.
pub(crate) async fn report<S: Store, A: Aws>(
    _: May<ToReport>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<Unread>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let ReportBody(reports) = body.0.as_ref().try_into()?;
    match use_case::report(&deps.context, &id, &reports, now).await? {
        Reported::NoSuchSubscription => Err(unknown_subscription()),
        Reported::Answers(answers) => {
            let results = Results::of(&reports, answers);
            measure(&deps.metrics, &results, now);
            Ok(answered(results))
        }
    }
}

fn measure(metrics: &Metrics, results: &Results, now: Timestamp) {
    let counts = [
        (USAGE_ACCEPTED, results.accepted),
        (USAGE_DUPLICATE, results.duplicate),
        (USAGE_FAILED, results.failed),
    ];
    metrics.emit(now, &counts.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>());
    for code in results.refusals() {
        metrics.emit_by(now, USAGE_REFUSED, code, 1);
    }
}

fn answered(results: Results) -> Response {
    if results.failed > 0 {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let detail = "Some events could not be stored. Send the same request again.";
        let mut response = problem(results, status, "unavailable", detail);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1_u16));
        return response;
    }
    let taken = results.accepted > 0 || results.duplicate > 0;
    match (taken, results.refused) {
        (_, 0) => (StatusCode::OK, axum::Json(results)).into_response(),
        (true, _) => (StatusCode::MULTI_STATUS, axum::Json(results)).into_response(),
        (false, _) => {
            let code = results.common_code().unwrap_or("no_event_taken");
            let status = match code {
                "key_conflict" => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            problem(results, status, code, "No event was counted.")
        }
    }
}

fn problem(
    results: Results,
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
) -> Response {
    let body = axum::Json(results.into_problem(status, code, detail));
    let kind = HeaderValue::from_static(MEDIA_TYPE);
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

/// 200 with every dimension of a month; 400 `invalid_month`, 404 `unknown_subscription`.
pub(crate) async fn month<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<MonthQuery>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let month = asked_month(query.month.as_deref(), now)?;
    only_own(&deps, &by.caller, &id).await?;
    let bill = billing::bill(&deps.context, &id, month, now).await?;
    let bill = bill.ok_or_else(unknown_subscription)?;
    Ok(axum::Json(UsageBody::of(bill, &deps.context.listing.catalog)).into_response())
}

/// 200 with a page of the events whose own time is in a month; 400 `invalid_month`, `invalid_cursor`,
/// `invalid_limit`, 404 `unknown_subscription`.
pub(crate) async fn events<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<MonthPageQuery>,
) -> Result<Response, Problem> {
    let month = asked_month(query.month.as_deref(), deps.clock.now())?;
    let list =
        ListName::of(&deps.secrets, &by.caller, &["events", id.as_str(), &month.to_string()]);
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    visible(&deps, &by.caller, &id).await?;
    let store = &deps.context.store;
    let page = store.events(&id, month, asked.after.as_ref(), asked.limit).await?;
    Ok(axum::Json(Listed::of(&list, page, UsageEventBody::from)).into_response())
}
