//! Axum's extractors with our problems in place of its plain-text rejections, and the same for unknown routes.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::problem::Problem;

/// A JSON body. 415 `unsupported_media_type`, 413 `body_too_large`, 400 `malformed_json`, or 422 `invalid_body` that
/// names the field.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// A form body. 415 `unsupported_media_type`, 413 `body_too_large`, or 422 `invalid_form`.
#[derive(Debug, Clone)]
pub struct Form<T>(pub T);

/// The query. 400 `invalid_query`.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

/// Parts of the path. 404 `not_found`: what does not fit its pattern names nothing.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

/// The body as it came, for proofs over it. 413 `body_too_large`, or 400 when it breaks off.
#[derive(Debug, Clone)]
pub struct Raw(pub Bytes);

/// Answers unknown routes and methods with problems. Call it after all routes are there.
pub fn with_problems(router: Router) -> Router {
    router
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not take this method.",
            )
        })
        .layer(axum::middleware::from_fn(within_a_span))
}

/// Every line that a request causes carries what the request is about.
async fn within_a_span(request: Request, next: axum::middleware::Next) -> axum::response::Response {
    next.run(request).instrument(crate::logs::span("http")).await
}

/// Reads a JSON body that is at hand.
///
/// # Errors
/// 400 `malformed_json`, or 422 `invalid_body` that names the field.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            let field = if field == "." { "body".to_owned() } else { field };
            Problem::unprocessable("invalid_body", "A part of the body is not what it must be.")
                .field(field, without_position(&cause))
        } else {
            malformed(&cause)
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
    Problem::bad_request("malformed_json", detail)
}

/// What is wrong, without "at line 1 column 2": the field says where.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned()
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = |kind: &str| kind == "application/json" || kind.ends_with("+json");
        media_type(request.headers(), is_json, "application/json")?;
        let Raw(body) = Raw::from_request(request, state).await?;
        json(&body).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_form = |kind: &str| kind == "application/x-www-form-urlencoded";
        media_type(request.headers(), is_form, "application/x-www-form-urlencoded")?;
        match axum::Form::from_request(request, state).await {
            Ok(axum::Form(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large())
            }
            Err(_) => Err(Problem::unprocessable(
                "invalid_form",
                "The form lacks a field or has one that is not what it must be.",
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::bad_request("invalid_query", rejection.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found("There is nothing at this address.")),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large())
            }
            Err(_) => Err(Problem::bad_request(
                "unreadable_body",
                "The body could not be read to its end.",
            )),
        }
    }
}

fn too_large() -> Problem {
    let detail = "The body is larger than this address takes.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn media_type(
    headers: &HeaderMap,
    fits: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if fits(&kind) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        format!("The body must be sent as {wanted}."),
    ))
}

#[cfg(test)]
mod tests;
