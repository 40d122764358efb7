//! Pages for people, JSON for programs.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::ACCEPT;
use http::request::Parts;
use lambda_shell::contract::{Input, Operation};
use maud::Markup;
use serde::Serialize;

/// What the caller wants to read. A page, unless `Accept` names JSON and not HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Page,
    Json,
}

impl<S: Sync> FromRequestParts<S> for Medium {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accepts = |kind: &str| {
            parts.headers.get_all(ACCEPT).iter().any(|value| {
                value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains(kind))
            })
        };
        let json = accepts("application/json") || accepts("application/problem+json");
        Ok(if json && !accepts("text/html") { Self::Json } else { Self::Page })
    }
}

impl Input for Medium {
    fn describe(operation: &mut Operation<'_>) {
        operation.header::<String>(
            "Accept",
            "A page, unless it names application/json and not text/html.",
            false,
        );
    }
}

impl Medium {
    /// One of two ways to say the same.
    pub(crate) fn answer(
        self,
        status: StatusCode,
        page: impl FnOnce() -> Markup,
        json: &impl Serialize,
    ) -> Response {
        match self {
            Self::Page => (status, Html(page().into_string())).into_response(),
            Self::Json => (status, axum::Json(json)).into_response(),
        }
    }
}
