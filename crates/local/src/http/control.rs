//! The control API under `/_local/`: what goes on between the functions, and the clock.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::extract::Raw;
use lambda_shell::logs::Chain;
use lambda_shell::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bus::{Depth, Queue};
use crate::system::Handle;

/// How far one request may move the clock: a bit more than a year.
const LONGEST_ADVANCE: SignedDuration = SignedDuration::from_hours(400 * 24);

type Reply = Result<Json<Value>, Problem>;

pub(super) fn router(system: &Handle) -> Router {
    Router::new()
        .route("/_local/state", get(state))
        .route("/_local/dead-letters", get(dead_letters))
        .route("/_local/dead-letters/redrive", post(redrive))
        .route("/_local/tenant-notices", get(tenant_notices))
        .route("/_local/reconciliation", get(reconciliation))
        .route("/_local/clock", get(clock).post(advance))
        .route("/_local/schedule", post(run_schedule))
        .route("/_local/deliver", post(deliver))
        .route("/_local/webhooks", get(webhooks))
        .route("/_local/webhooks/inbox", post(inbox))
        .route("/_local/webhooks/answer", post(answer_webhooks))
        .route("/_local/webhooks/command", post(webhook_command))
        .with_state(system.clone())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WholeState {
    now: Timestamp,
    pricing: domain::catalog::PricingModel,
    marketplace: String,
    database: String,
    queues: BTreeMap<&'static str, Depth>,
    notifications_under_way: usize,
    next_notification_at: Option<Timestamp>,
    dynamodb_requests: BTreeMap<String, u64>,
}

async fn state(State(system): State<Handle>) -> Reply {
    let now = system.now();
    let mut queues = BTreeMap::new();
    for queue in Queue::ALL {
        queues.insert(queue.as_str(), system.bus().depth(queue, now).map_err(failed)?);
    }
    reply(&WholeState {
        now,
        pricing: system.pricing(),
        marketplace: system.marketplace_url(),
        database: system.database_url(),
        queues,
        notifications_under_way: system.simulator().notifications_pending(),
        next_notification_at: system.simulator().next_notification_at(),
        dynamodb_requests: system.round_trips().by_operation(),
    })
}

async fn dead_letters(State(system): State<Handle>) -> Reply {
    reply(&json!({ "deadLetters": system.bus().dead_letters().map_err(failed)? }))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Redrive {
    queue: Option<Queue>,
}

async fn redrive(State(system): State<Handle>, body: Raw) -> Reply {
    let Redrive { queue } = parse(&body)?;
    let redriven = system.bus().redrive(queue, system.now()).map_err(failed)?;
    system.deliver().await.map_err(failed)?;
    reply(&json!({ "redriven": redriven }))
}

async fn tenant_notices(State(system): State<Handle>) -> Reply {
    reply(&json!({ "notices": system.tenant_notices().map_err(failed)? }))
}

async fn reconciliation(State(system): State<Handle>) -> Reply {
    let rows = system.reconciliation().await?;
    reply(&json!({ "agrees": rows.iter().all(|row| row.agrees), "rows": rows }))
}

async fn clock(State(system): State<Handle>) -> Reply {
    let manual = system.simulator().clock().is_manual();
    reply(&json!({ "now": system.now(), "manual": manual }))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Advance {
    #[serde(rename = "advanceMinutes")]
    minutes: u32,
    #[serde(rename = "advanceHours")]
    hours: u32,
    #[serde(rename = "advanceDays")]
    days: u32,
    #[serde(rename = "advanceTo")]
    to: Option<Timestamp>,
}

impl Advance {
    fn by(&self, now: Timestamp) -> SignedDuration {
        let minutes = SignedDuration::from_mins(self.minutes.into());
        let hours = SignedDuration::from_hours(self.hours.into());
        let days = SignedDuration::from_hours(i64::from(self.days).saturating_mul(24));
        let until = self.to.map_or(SignedDuration::ZERO, |to| to.duration_since(now));
        minutes.saturating_add(hours).saturating_add(days).saturating_add(until)
    }
}

async fn advance(State(system): State<Handle>, body: Raw) -> Reply {
    let by = parse::<Advance>(&body)?.by(system.now());
    if by < SignedDuration::ZERO || by > LONGEST_ADVANCE {
        let detail = "The clock goes forward only, at most 400 days at once.";
        return Err(Problem::unprocessable("invalid_advance", detail));
    }
    // A task of its own: whoever asked may hang up, and the clock must not stop between two steps.
    let moving = system.clone();
    let moved = tokio::spawn(async move { moving.advance(by).await });
    moved.await.map_err(failed)?.map_err(failed)?;
    clock(State(system)).await
}

async fn run_schedule(State(system): State<Handle>) -> Reply {
    system.run_schedule().await.map_err(failed)?;
    reconciliation(State(system)).await
}

async fn deliver(State(system): State<Handle>) -> Reply {
    system.deliver().await.map_err(failed)?;
    state(State(system)).await
}

async fn webhooks(State(system): State<Handle>) -> Reply {
    reply(&json!({ "received": system.webhooks_received() }))
}

/// The endpoint that the local system tells by webhooks.
async fn inbox(State(system): State<Handle>, headers: HeaderMap, Raw(body): Raw) -> StatusCode {
    system.inbox().take(&headers, &body, system.now())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerWith {
    status: u16,
}

/// What the endpoint answers from now on.
async fn answer_webhooks(State(system): State<Handle>, body: Raw) -> Reply {
    let AnswerWith { status } = parse(&body)?;
    let status = StatusCode::from_u16(status)
        .map_err(|_| Problem::unprocessable("invalid_status", "A status is 100 to 999."))?;
    system.inbox().answer_with(status);
    reply(&json!({ "status": status.as_u16() }))
}

/// In the place of an operator's `aws lambda invoke` of the webhook sender.
async fn webhook_command(State(system): State<Handle>, body: Raw) -> Reply {
    let report = system.functions().webhook_command(parse(&body)?).await;
    let report = report.map_err(|failure| Problem::unprocessable("invalid_command", failure))?;
    system.deliver().await.map_err(failed)?;
    reply(&report)
}

/// Reads a body whatever its media type says, so that a plain `curl -d` works; an empty one is an empty object.
fn parse<T: serde::de::DeserializeOwned>(Raw(body): &Raw) -> Result<T, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body.as_ref() };
    lambda_shell::extract::json(body)
}

fn reply(value: &impl Serialize) -> Reply {
    serde_json::to_value(value).map(Json).map_err(failed)
}

/// This machine's own trouble may be told in full.
fn failed(error: impl std::error::Error) -> Problem {
    let detail = Chain(&error).to_string();
    Problem { detail, ..Problem::internal() }
}
