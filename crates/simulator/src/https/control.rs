//! SNS's addresses, and subscribing.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::{CERTIFICATE, Wish};
use crate::simulator::Simulator;

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/_sim/sns/", get(confirm))
        .route("/_sim/sns/{file}", get(certificate))
        .route("/_sim/sns-subscriptions", get(subscriptions).post(subscribe))
        .with_state(simulator)
}

async fn subscriptions(State(simulator): State<Simulator>) -> Response {
    Json(simulator.https_subscriptions()).into_response()
}

async fn subscribe(State(simulator): State<Simulator>, body: String) -> Response {
    match serde_json::from_str::<Wish>(&body) {
        Ok(wish) => Json(simulator.subscribe(wish).await).into_response(),
        Err(error) => {
            let refusal = json!({ "error": error.to_string() });
            (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Confirm {
    action: String,
    topic_arn: String,
    token: String,
}

async fn confirm(State(simulator): State<Simulator>, Query(asked): Query<Confirm>) -> Response {
    let known = asked.action == "ConfirmSubscription" && simulator.https().confirm(&asked.token);
    if !known {
        return (StatusCode::BAD_REQUEST, "<ErrorResponse/>").into_response();
    }
    let arn = format!("{}:{}", asked.topic_arn, asked.token);
    let body = format!(
        "<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>{arn}</SubscriptionArn>\
         </ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
    );
    ([("content-type", "text/xml")], body).into_response()
}

async fn certificate(State(simulator): State<Simulator>, Path(file): Path<String>) -> Response {
    let keys = simulator.https().keys();
    match file.as_str() {
        "root.pem" => keys.root.clone().into_response(),
        CERTIFICATE => keys.certificate().into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
