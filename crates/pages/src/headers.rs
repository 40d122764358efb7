//! Headers of every page: nothing is framed, sniffed or told to others, and only what we serve ourselves is loaded.

use axum::response::Response;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// No inline script or style, nothing from elsewhere, forms to ourselves only.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Sets the headers of a page or of its refusal. An answer that says how it is cached, as assets do, keeps that.
pub async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let header = HeaderValue::from_static;
    headers.insert(CONTENT_SECURITY_POLICY, header(POLICY));
    headers.insert(REFERRER_POLICY, header("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, header("nosniff"));
    headers.insert("cross-origin-opener-policy", header("same-origin"));
    headers.insert("permissions-policy", header("camera=(), geolocation=(), microphone=()"));
    headers.entry(CACHE_CONTROL).or_insert(header("no-store"));
    if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/html; charset=utf-8") {
        headers.entry("x-robots-tag").or_insert(header("noindex"));
    }
    response
}
