//! An API that counts each key once, and does before or after what it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Weather {
    /// This status, and nothing is counted.
    Status(u16),
    /// Everything is counted, and then the answer is this status.
    LostAnswer(u16),
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) counted: BTreeMap<String, Value>,
    pub(crate) requests: u32,
    pub(crate) largest: usize,
    pub(crate) weather: VecDeque<Weather>,
    /// The whole request is refused while it holds this key.
    pub(crate) poison: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let router = Router::new()
            .route("/marketplace/subscriptions/{id}/meter", post(meter))
            .with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen }
    }

    pub(crate) fn then(&self, weather: impl IntoIterator<Item = Weather>) {
        self.seen.lock().unwrap().weather.extend(weather);
    }

    pub(crate) fn counted(&self) -> Vec<String> {
        self.seen.lock().unwrap().counted.keys().cloned().collect()
    }
}

async fn meter(
    State(seen): State<Arc<Mutex<Seen>>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    let weather = seen.weather.pop_front();
    if let Some(Weather::Status(status)) = weather {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    if headers["authorization"] != "Bearer token" {
        return (StatusCode::UNAUTHORIZED, json!({"code": "unauthenticated"}).to_string())
            .into_response();
    }
    if id != "sub_1" {
        let body = json!({"code": "unknown_subscription", "detail": "none"}).to_string();
        return (StatusCode::NOT_FOUND, body).into_response();
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let events = body["events"].as_array().unwrap();
    seen.largest = seen.largest.max(events.len());
    if events.iter().any(|event| seen.poison.as_deref() == event["key"].as_str()) {
        let body = json!({"code": "invalid_body", "detail": "a field"}).to_string();
        return (StatusCode::UNPROCESSABLE_ENTITY, body).into_response();
    }
    let mut results = Vec::new();
    for event in events {
        let key = event["key"].as_str().unwrap().to_owned();
        results.push(if event["metric"] == "nonsense" {
            json!({"key": key, "status": "refused", "code": "unknown_dimension", "detail": "no such"})
        } else if seen.counted.contains_key(&key) {
            json!({"key": key, "status": "duplicate"})
        } else {
            seen.counted.insert(key.clone(), event.clone());
            json!({"key": key, "status": "accepted", "month": "2026-11", "carriedOver": false})
        });
    }
    if let Some(Weather::LostAnswer(status)) = weather {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    json!({"results": results}).to_string().into_response()
}
