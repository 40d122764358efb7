//! `ETag` and `If-Match`: a subscription's revision in quotes.

use axum::extract::FromRequestParts;
use http::header::{ETAG, IF_MATCH, InvalidHeaderValue};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use lambda_shell::contract::{Input, Operation};
use lambda_shell::problem::Problem;

/// The header that tells a revision.
pub(crate) fn etag(revision: u64) -> [(HeaderName, HeaderValue); 1] {
    let value: Result<HeaderValue, InvalidHeaderValue> = format!("\"{revision}\"").parse();
    [(ETAG, value.unwrap_or(HeaderValue::from_static("\"\"")))]
}

/// What a change is based on: a revision, or any with `If-Match: *`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IF_MATCH).iter();
        match (values.next(), values.next()) {
            (None, _) => Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
                "Send the ETag that the change is based on as If-Match.",
            )),
            (Some(value), None) => value.to_str().ok().and_then(parse).ok_or_else(invalid),
            (Some(_), Some(_)) => Err(invalid()),
        }
    }
}

impl Input for IfMatch {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .header::<String>("If-Match", "The ETag that the change is based on, or *.", true)
            .refuses(400, &["invalid_if_match"])
            .refuses(412, &["precondition_failed"])
            .refuses(428, &["precondition_required"]);
    }
}

fn parse(text: &str) -> Option<IfMatch> {
    let text = text.trim();
    if text == "*" {
        return Some(IfMatch(None));
    }
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    plain.then(|| digits.parse().ok().map(|revision| IfMatch(Some(revision))))?
}

fn invalid() -> Problem {
    Problem::bad_request("invalid_if_match", "If-Match takes one ETag as it was given, or *.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_etag_or_a_star_is_a_precondition() {
        assert_eq!(parse("\"7\""), Some(IfMatch(Some(7))));
        assert_eq!(parse(" * "), Some(IfMatch(None)));
        for text in ["7", "\"\"", "W/\"7\"", "\"7\", \"8\"", "\"+7\"", "\"x\""] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
