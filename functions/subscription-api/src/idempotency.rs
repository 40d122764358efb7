//! `Idempotency-Key` on POST: the same request again gets the same answer, and does nothing again.
//!
//! Only what was carried out is kept. A refusal changed nothing, so the request is decided anew when it comes again;
//! so is one that failed.

use std::sync::Arc;

use app::ports::{Begun, RequestKey, SavedResponse, Store};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::ids::IdempotencyKey;
use domain::time::after;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use lambda_shell::extract::Raw;
use lambda_shell::logs::Chain;
use lambda_shell::problem::Problem;
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::{Aws, Deps};

/// How long a request may take before another may take it over; longer than the function's timeout.
const CLAIM: SignedDuration = SignedDuration::from_secs(30);

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Answers a repeated POST from memory, and remembers the answer to a new one.
pub(crate) async fn replay<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    request: Request,
    next: Next,
) -> Response {
    match try_replay(&deps, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_replay<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>();
    let mut keys = request.headers().get_all(KEY).iter();
    let (Some(caller), Some(key)) = (caller, keys.next()) else {
        return Ok(next.run(request).await);
    };
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let only = keys.next().is_none().then_some(key);
    let key = only.and_then(|key| key.to_str().ok()?.parse::<IdempotencyKey>().ok());
    let key = key.ok_or_else(|| {
        let detail = "An Idempotency-Key is 1 to 128 visible characters without #.";
        Problem::bad_request("invalid_idempotency_key", detail)
    })?;
    // The role too: an answer is not for somebody who may not ask any more, or asks for another tenant. The subject, which
    // alone may hold spaces, comes last.
    let Caller { subject, role } = caller;
    let scope = format!("{role} {} {} {subject}", request.method(), request.uri().path());
    let (parts, body) = request.into_parts();
    let mut head = Request::new(body);
    *head.extensions_mut() = parts.extensions.clone();
    let Raw(body) = Raw::from_request(head, &()).await?;
    let fingerprint = hex::encode(Sha256::digest(&body));
    let claim = RequestKey { scope, key: key.to_string(), fingerprint };

    let store = &deps.context.store;
    let now = deps.clock.now();
    match store.begin(&claim, now, after(now, CLAIM)).await? {
        Begun::Started => {}
        Begun::InProgress { until } => {
            let seconds = until.duration_since(now).as_secs().clamp(1, CLAIM.as_secs());
            let detail = "The same request is being carried out. Try again.";
            return Err(Problem::conflict("request_in_progress", detail)
                .retry_after(u16::try_from(seconds).unwrap_or(1)));
        }
        Begun::Finished(saved) => return Ok(repeated(saved)),
        Begun::OtherRequest => {
            let detail = "The Idempotency-Key was used for another request.";
            return Err(Problem::unprocessable("idempotency_key_reused", detail));
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    remember(deps, &claim, response).await
}

async fn remember<S: Store, A>(
    deps: &Deps<S, A>,
    claim: &RequestKey,
    response: Response,
) -> Result<Response, Problem> {
    let store = &deps.context.store;
    let kept = response.status().is_success();
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // Our own bodies are whole in memory; one that breaks off is a fault of ours.
        Err(_) => return Err(Problem::internal()),
    };
    let kept = if kept {
        match saved(parts.status, parts.headers.get(CONTENT_TYPE), &body) {
            Some(saved) => store.finish(claim, &saved, deps.clock.now()).await,
            None => store.abandon(claim).await,
        }
    } else {
        store.abandon(claim).await
    };
    if let Err(error) = kept {
        // The answer stands; a repeat within the claim waits for it to lapse, and then the use case itself is asked.
        tracing::error!(error = %Chain(&error), "the answer to a request could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn saved(status: StatusCode, kind: Option<&HeaderValue>, body: &Bytes) -> Option<SavedResponse> {
    Some(SavedResponse {
        status: status.as_u16(),
        body: std::str::from_utf8(body).ok()?.to_owned(),
        content_type: kind?.to_str().ok()?.to_owned(),
    })
}

fn repeated(saved: SavedResponse) -> Response {
    let status = StatusCode::from_u16(saved.status).unwrap_or(StatusCode::OK);
    let mut response = (status, saved.body).into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&saved.content_type) {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
