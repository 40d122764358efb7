//! The control API under `/_sim/`: what the library offers, for any language.
//!
//! Bodies are JSON. A refusal is a 400, 404 or 409 with `{"error": "…"}`.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::buyer::{BuyError, ChangeError, Purchase, quantities};
use crate::simulator::Simulator;

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/_sim/health", get(|| async { Json(json!({ "ok": true })) }))
        .route("/_sim/clock", get(read_clock).post(move_clock))
        .route("/_sim/switches", get(read_switches).post(change_switches))
        .route("/_sim/faults", get(read_faults).post(change_faults))
        .route("/_sim/purchases", post(buy))
        .route("/_sim/agreements", get(agreements))
        .route("/_sim/agreements/{id}/{act}", post(act))
        .route("/_sim/notifications", get(notifications))
        .route("/_sim/notifications/{id}/acknowledge", post(acknowledge))
        .route("/_sim/invoice", get(invoice))
        .route("/_sim/calls", get(calls))
        .with_state(simulator)
}

/// A refused control call.
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(error: impl Into<Box<dyn std::error::Error>>) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into().to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<BuyError> for Refusal {
    fn from(error: BuyError) -> Self {
        let status = match error {
            BuyError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        let status = match error {
            ChangeError::Unknown(_) => StatusCode::NOT_FOUND,
            ChangeError::NotActive(_) | ChangeError::AlreadyActive => StatusCode::CONFLICT,
            ChangeError::NotAContract => StatusCode::BAD_REQUEST,
            ChangeError::Refused(refusal) => return refusal.into(),
            ChangeError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

type Reply = Result<Json<Value>, Refusal>;

/// Bodies are parsed here, so that a bad one is answered like every other refusal.
fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, Refusal> {
    let body = if body.trim().is_empty() { "{}" } else { body };
    serde_json::from_str(body).map_err(Refusal::bad)
}

fn reply(value: impl Serialize) -> Reply {
    serde_json::to_value(value).map(Json).map_err(Refusal::bad)
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Move {
    Advance(SignedDuration),
    Set(Timestamp),
}

async fn read_clock(State(simulator): State<Simulator>) -> Reply {
    let clock = simulator.clock();
    reply(json!({ "now": clock.now(), "manual": clock.is_manual() }))
}

async fn move_clock(State(simulator): State<Simulator>, body: String) -> Reply {
    match parse(&body)? {
        Move::Advance(by) => simulator.clock().advance(by),
        Move::Set(to) => simulator.clock().set(to),
    }
    read_clock(State(simulator)).await
}

async fn read_switches(State(simulator): State<Simulator>) -> Reply {
    reply(simulator.switches(|switches| switches.clone()))
}

async fn change_switches(State(simulator): State<Simulator>, body: String) -> Reply {
    let patch = parse::<Map<String, Value>>(&body)?;
    simulator.switches(|switches| switches.merge(patch)).map_err(Refusal::bad)?;
    read_switches(State(simulator)).await
}

async fn read_faults(State(simulator): State<Simulator>) -> Reply {
    reply(simulator.faults(|faults| faults.clone()))
}

/// Replaces the faults that the body names.
async fn change_faults(State(simulator): State<Simulator>, body: String) -> Reply {
    let patch = parse::<Map<String, Value>>(&body)?;
    let changed = simulator.faults(|faults| {
        let mut all = serde_json::to_value(&*faults)?;
        if let Value::Object(all) = &mut all {
            all.extend(patch);
        }
        *faults = serde_json::from_value(all)?;
        Ok::<(), serde_json::Error>(())
    });
    changed.map_err(Refusal::bad)?;
    read_faults(State(simulator)).await
}

async fn buy(State(simulator): State<Simulator>, body: String) -> Reply {
    reply(simulator.buy(parse::<Purchase>(&body)?)?)
}

async fn agreements(State(simulator): State<Simulator>) -> Reply {
    reply(simulator.agreements())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Terms {
    #[serde(deserialize_with = "quantities")]
    entitlements: BTreeMap<String, Decimal>,
    on: bool,
}

async fn act(
    State(simulator): State<Simulator>,
    Path((id, act)): Path<(String, String)>,
    body: String,
) -> Reply {
    let terms = parse::<Terms>(&body)?;
    match act.as_str() {
        "fulfilment-form" => {
            let form: BTreeMap<_, _> = simulator.fulfilment_form(&id)?.into_iter().collect();
            return reply(form);
        }
        "amend" => return reply(simulator.amend(&id, terms.entitlements)?),
        "renew" => return reply(simulator.renew(&id)?),
        "replace" => return reply(simulator.replace(&id, terms.entitlements)?),
        "auto-renew" => simulator.set_auto_renew(&id, terms.on)?,
        "cancel" => simulator.cancel(&id)?,
        "expire" => simulator.expire(&id)?,
        "terminate" => simulator.terminate(&id)?,
        "fail-subscription" => simulator.fail_subscription(&id)?,
        "issue-advisory" => simulator.issue_advisory(&id)?,
        "resolve-advisory" => simulator.resolve_advisory(&id)?,
        "approve-cancellation" => simulator.approve_cancellation(&id)?,
        "reject-cancellation" => simulator.reject_cancellation(&id)?,
        _ => return Err(Refusal(StatusCode::NOT_FOUND, format!("there is no act {act}"))),
    }
    reply(json!({ "ok": true }))
}

#[derive(Deserialize)]
struct Which {
    /// Also those that are not due yet.
    #[serde(default)]
    all: bool,
}

async fn notifications(State(simulator): State<Simulator>, Query(which): Query<Which>) -> Reply {
    reply(if which.all { simulator.notifications() } else { simulator.due_notifications() })
}

async fn acknowledge(State(simulator): State<Simulator>, Path(id): Path<u64>) -> Reply {
    if simulator.acknowledge(id) {
        reply(json!({ "ok": true }))
    } else {
        Err(Refusal(StatusCode::NOT_FOUND, format!("no notification has the id {id}")))
    }
}

async fn invoice(State(simulator): State<Simulator>) -> Reply {
    reply(simulator.invoice())
}

async fn calls(State(simulator): State<Simulator>) -> Reply {
    reply(simulator.calls())
}
