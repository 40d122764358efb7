//! Going out: signed, once, to the endpoint that the configuration names.

use std::time::Duration;

use app::ports::{Posted, Postman};
use bytes::Bytes;
use domain::delivery::Delivery;
use guarded_http::{Client, Limits, Networks, NoTls, RequestError};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use lambda_shell::config::{OutgoingWebhook, OutgoingWebhooks};
use lambda_shell::logs::Chain;
use lambda_shell::signature::standard::sign;

/// What one try may take. Less than a claim, so that a slow endpoint is not asked twice at once.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), body: 16 * 1024 };

/// The way to the configured endpoints.
#[derive(Debug, Clone)]
pub struct HttpPostman {
    endpoints: OutgoingWebhooks,
    client: Client,
}

impl HttpPostman {
    /// A postman who goes as far as `networks`; deployed, that is the public internet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(endpoints: OutgoingWebhooks, networks: Networks) -> Result<Self, NoTls> {
        Ok(Self { endpoints, client: Client::new(networks, LIMITS)? })
    }
}

impl Postman for HttpPostman {
    async fn post(&self, delivery: &Delivery, now: Timestamp) -> Posted {
        let endpoint = self.endpoints.0.iter().find(|known| known.name == delivery.endpoint);
        let Some(endpoint) = endpoint else {
            return not_taken("the endpoint is not configured any more");
        };
        let Some(headers) = headers(endpoint, delivery, now) else {
            return not_taken("the headers cannot be written");
        };
        let body = Bytes::from(delivery.body.clone());
        match self.client.post(&endpoint.url, headers_of(headers), body).await {
            Ok(answer) if answer.status.is_success() => {
                Posted::Taken { told: answer.status.as_u16().to_string() }
            }
            Ok(answer) => Posted::NotTaken {
                told: answer.status.as_u16().to_string(),
                gone: answer.status == StatusCode::GONE,
            },
            Err(error @ RequestError::TooLarge(_)) => {
                // It has answered, at length; what it said is lost.
                not_taken(&error.to_string())
            }
            Err(error) => not_taken(&Chain(&error).to_string()),
        }
    }
}

fn not_taken(told: &str) -> Posted {
    Posted::NotTaken { told: told.chars().take(200).collect(), gone: false }
}

fn headers(endpoint: &OutgoingWebhook, delivery: &Delivery, now: Timestamp) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static("webhook-sender"));
    for (name, value) in sign(&endpoint.keys, &delivery.id, delivery.body.as_bytes(), now) {
        headers.insert(HeaderName::from_static(name), value.parse().ok()?);
    }
    Some(headers)
}

fn headers_of(headers: HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> + Send {
    headers.into_iter().filter_map(|(name, value)| Some((name?, value)))
}
