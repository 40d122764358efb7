//! What a caller is told when a request is not carried out: RFC 9457 `application/problem+json`.
//!
//! ```json
//! {"title": "Unprocessable Entity", "status": 422, "code": "invalid_body", "detail": "…",
//!  "errors": [{"field": "events[0].at", "detail": "…"}]}
//! ```
//!
//! `code` is a stable contract; `detail` is for people and may change. There is no `type`, so the title is the
//! status's own. A failure of ours tells the caller nothing but that it happened; the log has the chain.

use app::Error;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::logs::Chain;

/// The media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a caller may try again when nothing better is known.
const RETRY_SECONDS: u16 = 5;

/// A request that was not carried out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What went wrong, in stable `snake_case`.
    pub code: &'static str,
    /// What went wrong, for people.
    pub detail: String,
    /// Which parts of the request are wrong; may be empty.
    pub errors: Vec<FieldProblem>,
    /// After how many seconds the same request may succeed.
    pub retry_after: Option<u16>,
}

/// One part of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldProblem {
    /// Where, e.g. `events[0].at`.
    pub field: String,
    /// What it must be, for people.
    pub detail: String,
}

/// A request was not carried out.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody<'a> {
    /// The status's own name.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong: a stable contract.
    code: &'a str,
    /// What went wrong, for people; may change.
    detail: &'a str,
    /// Which parts of the request are wrong.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldProblem],
}

impl Problem {
    /// A problem with nothing more to say.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 400.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// 403.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404 with the code `not_found`.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 400: a cursor that its list has not given to this caller.
    pub fn foreign_cursor() -> Self {
        Self::bad_request("invalid_cursor", "The cursor is not one that this list has given.")
    }

    /// 503: the same request may succeed soon.
    pub fn unavailable() -> Self {
        let detail = "Something this request needs is not available. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(RETRY_SECONDS)
    }

    /// 500: a human must look. The same for every cause.
    pub fn internal() -> Self {
        let detail = "The request could not be carried out because of a fault on our side.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// Names a part of the request that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldProblem { field: field.into(), detail: detail.into() });
        self
    }

    /// Says after how many seconds the same request may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: u16) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// Logs the whole chain of what is not the caller's fault, once, and keeps it from the caller.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if matches!(error, Error::ForeignCursor) {
            return Self::foreign_cursor();
        }
        tracing::error!(error = %Chain(&error), transient = error.is_transient(), "a request failed");
        match error {
            Error::Unavailable { .. } | Error::Contended { .. } => Self::unavailable(),
            Error::Refused { .. } | Error::Corrupt { .. } | Error::ForeignCursor => {
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            errors: &self.errors,
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, json).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
