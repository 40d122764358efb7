//! Going out: signed, once, to the endpoint that the configuration names.

use std::time::Duration;

use app::ports::{Posted, Postman};
use bytes::Bytes;
use domain::delivery::Delivery;
use guarded_http::{Client, Limits, Networks, NoTls, RequestError};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, StatusCode};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
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
                patience: patience(answer.status, &answer.headers, now),
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
    Posted::NotTaken { told: told.chars().take(200).collect(), gone: false, patience: None }
}

/// How long an endpoint that is asked too much, or is down for a while, wants to be left alone: seconds or a date
/// (RFC 9110, 10.2.3). What cannot be read is nothing.
fn patience(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    if status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than can be counted are as long as can be asked for.
        return Some(SignedDuration::from_secs(text.parse().unwrap_or(i64::MAX)));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now).max(SignedDuration::ZERO))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, text: &str) -> Option<i64> {
        let now = "1994-11-06T08:48:37Z".parse().unwrap();
        let headers = [(RETRY_AFTER, HeaderValue::from_str(text).unwrap())].into_iter().collect();
        let wait = patience(StatusCode::from_u16(status).unwrap(), &headers, now);
        wait.map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date_where_it_means_a_wait() {
        assert_eq!(asked(429, "120"), Some(120));
        assert_eq!(asked(503, " 0 "), Some(0));
        assert_eq!(asked(503, "Sun, 06 Nov 1994 08:49:37 GMT"), Some(60));
        assert_eq!(asked(503, "Sun, 06 Nov 1994 08:47:37 GMT"), Some(0), "it is over");
        assert_eq!(asked(503, &"9".repeat(40)), Some(i64::MAX));
        for noise in ["", "-5", "1.5", "soon", "1e9", "Sun, 31 Feb 1994 08:49:37 GMT"] {
            assert_eq!(asked(503, noise), None, "{noise:?}");
        }
        for elsewhere in [301, 400, 500, 410] {
            assert_eq!(asked(elsewhere, "120"), None);
        }
    }
}
