//! Outgoing webhooks on a laptop: an endpoint of its own, which checks signatures as a receiver would, remembers what
//! came, and can be told to refuse.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::Error;
use app::ports::WakeUp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::signature::standard;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulator::Clock;

use crate::bus::{Bus, Queue, later};
use crate::secrets::Secrets;

/// The name of the endpoint.
const ENDPOINT: &str = "laptop";

/// Messages that are remembered.
const MOST: usize = 1_000;

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What was answered.
    pub answered: u16,
    /// What it says.
    pub body: Value,
}

/// The endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    held: Arc<Mutex<Held>>,
    key: String,
}

#[derive(Debug)]
struct Held {
    answer: StatusCode,
    received: Vec<Received>,
}

impl Inbox {
    /// An endpoint that takes what is signed with the key of this system.
    pub(crate) fn new(secrets: &Secrets) -> Self {
        let digest =
            Sha256::new().chain_update("webhook key of ").chain_update(&secrets.marketplace);
        let held = Held { answer: StatusCode::OK, received: Vec::new() };
        let key = format!("whsec_{}", STANDARD.encode(digest.finalize()));
        Self { held: Arc::new(Mutex::new(held)), key }
    }

    /// `OUTGOING_WEBHOOKS` for an endpoint at `url`.
    pub(crate) fn configuration(&self, url: &str) -> String {
        json!([{ "name": ENDPOINT, "url": url, "keys": [self.key] }]).to_string()
    }

    /// From now on it answers this to what it believes.
    pub(crate) fn answer_with(&self, status: StatusCode) {
        self.held().answer = status;
    }

    /// What came, oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.held().received.clone()
    }

    /// Takes a message, or does not: what a receiver does.
    pub(crate) fn take(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> StatusCode {
        let Some(secrets) = lambda_shell::config::Secrets::parse(&self.key) else {
            return StatusCode::INTERNAL_SERVER_ERROR;
        };
        if let Err(error) = standard::verify(&secrets, headers, body, now) {
            tracing::warn!(%error, "the local webhook endpoint did not believe a message");
            return StatusCode::UNAUTHORIZED;
        }
        let id = headers.get(standard::ID_HEADER).and_then(|id| id.to_str().ok());
        let mut held = self.held();
        let answer = held.answer;
        let received = Received {
            id: id.unwrap_or_default().to_owned(),
            at: now,
            answered: answer.as_u16(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        };
        if held.received.len() >= MOST {
            held.received.remove(0);
        }
        held.received.push(received);
        answer
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender's own queue: on the bus a delay may be as long as it likes, so no schedule is needed.
#[derive(Debug, Clone)]
pub(crate) struct LocalWakeUp {
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
}

impl WakeUp for LocalWakeUp {
    async fn wake_in(&self, delay: SignedDuration) -> Result<(), Error> {
        let now = self.clock.now();
        let sent = self.bus.send(Queue::Webhooks, None, r#"{"wake":true}"#, now, later(now, delay));
        sent.map(|_| ()).map_err(|error| Error::Unavailable {
            dependency: "the local bus",
            source: Box::new(error),
        })
    }
}
