//! What the API said of a batch, and what that means for each event.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

/// Why a round ended before everything was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No answer, or one that broke off.
    #[error("the API did not answer: {0}")]
    NoAnswer(String),
    /// The API is not available, or asks to wait.
    #[error("the API answered {status} {code}")]
    Later {
        /// The status.
        status: u16,
        /// The stable code, or nothing.
        code: String,
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// The token is refused: a human may have to look.
    #[error("the API refuses the token: {status} {code}")]
    Token {
        /// The status.
        status: u16,
        /// The stable code, or nothing.
        code: String,
    },
}

/// What became of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    Duplicate,
    Refused {
        code: String,
        detail: String,
    },
    /// It is sent again.
    Again,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Each event has its fate, in order; perhaps with trouble for those that are sent again.
    Each(Vec<Fate>, Option<Trouble>),
    /// The request as a whole is refused for good: one of its events is at fault, or all are.
    Whole { code: String, detail: String },
    /// Nothing is known to be counted: send the same again.
    Later(Trouble),
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    results: Option<Vec<OneResult>>,
}

#[derive(Deserialize)]
struct OneResult {
    key: String,
    status: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// Reads an answer to the events of these keys.
pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], keys: &[&str]) -> Verdict {
    let body: Body = serde_json::from_slice(body).unwrap_or_else(|_| Body {
        code: String::new(),
        detail: String::new(),
        results: None,
    });
    let trouble = trouble(status, headers, &body.code);
    if let Some(fates) = body.results.and_then(|results| fates(results, keys)) {
        return Verdict::Each(fates, trouble);
    }
    match trouble {
        Some(trouble) => Verdict::Later(trouble),
        None if status.is_client_error() => {
            let code = if body.code.is_empty() { status.as_u16().to_string() } else { body.code };
            Verdict::Whole { code, detail: body.detail }
        }
        // Neither results nor a refusal: somebody else answered, e.g. a proxy.
        None => Verdict::Later(Trouble::NoAnswer(format!("a {status} without results"))),
    }
}

fn trouble(status: StatusCode, headers: &HeaderMap, code: &str) -> Option<Trouble> {
    let code = code.to_owned();
    let number = status.as_u16();
    match number {
        401 | 403 => Some(Trouble::Token { status: number, code }),
        408 | 425 | 429 | 500..=599 => {
            let after =
                headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
            Some(Trouble::Later { status: number, code, after: after.map(Duration::from_secs) })
        }
        _ => None,
    }
}

/// The fates in the order of the keys; `None` when the results are not about these events.
fn fates(results: Vec<OneResult>, keys: &[&str]) -> Option<Vec<Fate>> {
    if results.len() != keys.len() {
        return None;
    }
    let each = results.into_iter().zip(keys).map(|(result, key)| {
        if result.key != *key {
            return None;
        }
        Some(match result.status.as_str() {
            "accepted" => Fate::Accepted,
            "duplicate" => Fate::Duplicate,
            "refused" => Fate::Refused {
                code: result.code.unwrap_or_default(),
                detail: result.detail.unwrap_or_default(),
            },
            // `failed`, and words that come one day.
            _ => Fate::Again,
        })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(status: u16, body: &str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        read(status, &HeaderMap::new(), body.as_bytes(), &["a", "b"])
    }

    #[test]
    fn each_event_has_its_own_fate() {
        let body = r#"{"accepted":1,"results":[{"key":"a","status":"accepted","month":"2026-11"},
            {"key":"b","status":"refused","code":"too_late","detail":"old"}]}"#;
        let refused = Fate::Refused { code: "too_late".to_owned(), detail: "old".to_owned() };
        assert_eq!(read_text(207, body), Verdict::Each(vec![Fate::Accepted, refused], None));
    }

    #[test]
    fn a_503_with_results_keeps_what_was_counted() {
        let body = r#"{"code":"unavailable","results":[{"key":"a","status":"duplicate"},{"key":"b","status":"failed"}]}"#;
        let Verdict::Each(fates, Some(_)) = read_text(503, body) else { panic!("trouble") };
        assert_eq!(fates, [Fate::Duplicate, Fate::Again]);
    }

    #[test]
    fn results_of_other_events_are_no_answer() {
        let body =
            r#"{"results":[{"key":"x","status":"accepted"},{"key":"b","status":"accepted"}]}"#;
        assert!(matches!(read_text(200, body), Verdict::Later(Trouble::NoAnswer(_))));
        assert!(matches!(read_text(200, "<html>"), Verdict::Later(Trouble::NoAnswer(_))));
    }

    #[test]
    fn statuses_say_whether_to_come_again() {
        for status in [408, 429, 500, 502, 503] {
            assert!(
                matches!(read_text(status, ""), Verdict::Later(Trouble::Later { .. })),
                "{status}"
            );
        }
        for status in [401, 403] {
            assert!(
                matches!(read_text(status, "{}"), Verdict::Later(Trouble::Token { .. })),
                "{status}"
            );
        }
        for status in [400, 404, 413, 422] {
            assert!(matches!(read_text(status, "{}"), Verdict::Whole { .. }), "{status}");
        }
    }
}
