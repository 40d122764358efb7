//! One request: proof, body, use case, answer.

use std::time::Instant;

use app::notices::NoticeOutcome;
use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use lambda_shell::extract::Raw;
use lambda_shell::problem::Problem;
use lambda_shell::{metrics, notices};
use schemars::JsonSchema;
use serde::Serialize;

use crate::body::Body;
use crate::proof::{Proved, from_sns, prove};
use crate::{Deps, usage};

lambda_shell::words! {
    NoticeOutcomeWord [
        "applied", "already_seen", "parked", "stored", "other_listing", "ignored", "confirmed", "unsubscribed",
    ]
}

/// What became of a notification.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NoticeTaken")]
pub(crate) struct Taken {
    #[schemars(with = "NoticeOutcomeWord")]
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shapes::SubscriptionId>")]
    subscription_id: Option<SubscriptionId>,
}

/// Answers a request and measures how.
pub(crate) async fn receive<S, A>(
    State(deps): State<Deps<S, A>>,
    headers: HeaderMap,
    raw: Result<Raw, Problem>,
) -> Response
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    let began = Instant::now();
    let now = deps.clock.now();
    let answer = match raw {
        Ok(Raw(raw)) => take(&deps, &headers, &raw, now).await,
        Err(problem) => Err(problem),
    };
    let response = answer.into_response();
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let failed = u64::from(response.status().is_server_error());
    deps.metrics
        .emit(now, &[(metrics::WEBHOOK_FAILED, failed), (metrics::WEBHOOK_LATENCY, milliseconds)]);
    deps.metrics.emit_by(now, metrics::WEBHOOK_REQUESTS, outcome(response.status()), 1);
    response
}

/// How a request was answered, in one word.
fn outcome(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "rejected",
        status if status.is_server_error() => "failed",
        status if status.is_client_error() => "refused",
        _ => "taken",
    }
}

async fn take<S, A>(
    deps: &Deps<S, A>,
    headers: &HeaderMap,
    raw: &[u8],
    now: Timestamp,
) -> Result<Response, Problem>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    let body = match prove(deps, headers, raw, now).await? {
        Proved::Shared => Body::read(raw, now),
        Proved::Sns(delivery) => from_sns(deps, raw, &delivery).await,
    };
    let body = body.inspect_err(|problem| {
        tracing::warn!(reason = problem.code, "a believed webhook request cannot be read");
        deps.metrics.emit_by(now, metrics::NOTICES_UNREADABLE, problem.code, 1);
    })?;
    match body {
        Body::Notice(notice) => {
            let outcome = notices::take(&deps.context, &deps.metrics, &notice, now).await?;
            let word = notices::word(&outcome);
            let subscription_id = match outcome {
                NoticeOutcome::Applied { subscription, .. } => Some(subscription),
                NoticeOutcome::AlreadySeen
                | NoticeOutcome::Parked
                | NoticeOutcome::Stored
                | NoticeOutcome::OtherListing => None,
            };
            Ok(axum::Json(Taken { outcome: word, subscription_id }).into_response())
        }
        Body::Usage(reported) => usage::take(deps, reported, now).await,
        Body::Handshake(word) => {
            Ok(axum::Json(Taken { outcome: word, subscription_id: None }).into_response())
        }
    }
}
