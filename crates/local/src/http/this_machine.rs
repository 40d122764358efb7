//! Only this machine: the control pages ask for no key, so a browser must not carry anybody else's wishes to them.
//!
//! A name of elsewhere that was made to lead to loopback is refused, and so is what another site has a browser send to
//! `/_local` and `/_sim`. The product's own routes stay open to other sites, as they are deployed: AWS Marketplace's page
//! posts the registration token.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use lambda_shell::problem::Problem;

/// Refuses what does not come from this machine's own pages and programs.
pub(crate) async fn only(request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    if !named_here(uri, headers) {
        let detail = "This system answers to localhost and loopback addresses only.";
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Problem::new(status, "misdirected_request", detail).into_response();
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if changes && uri.path().starts_with("/_") && from_another_site(headers) {
        let detail = "A page of another site sent this. Controls are for this system's own pages.";
        return Problem::forbidden("cross_site", detail).into_response();
    }
    next.run(request).await
}

/// Whether every name in the request is this machine's. Programs that speak HTTP/1.0 may name none; browsers always do.
fn named_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let hosts = headers.get_all(HOST).iter();
    let mut hosts = hosts.map(|host| host.to_str().ok().and_then(|host| host.parse().ok()));
    let one = headers.get_all(HOST).iter().count() <= 1;
    one && hosts.all(|host: Option<Authority>| host.is_some_and(|host| is_loopback(host.host())))
        && uri.host().is_none_or(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let named = host.eq_ignore_ascii_case("localhost");
    named || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Browsers say whose page sends a request; an older one only names its origin.
fn from_another_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => false,
        Some(_) => true,
        None => headers.get(ORIGIN).is_some_and(|origin| {
            let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
            !origin.is_some_and(|origin| origin.host().is_some_and(is_loopback))
        }),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::any;
    use tower::ServiceExt;

    use super::*;

    async fn told(method: &str, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router = Router::new().fallback(any(|| async {})).layer(from_fn(only));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn names_of_elsewhere_are_refused() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.1.2.3"] {
            assert_eq!(told("GET", "/", &[("host", host)]).await, 200, "{host}");
        }
        assert_eq!(told("GET", "/", &[]).await, 200, "HTTP/1.0 names nobody");
        for host in
            ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8080", "localhost.evil", ""]
        {
            assert_eq!(told("GET", "/", &[("host", host)]).await, 421, "{host}");
        }
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(told("GET", "/", &two).await, 421);
        let absolute = "http://evil.example/marketplace/health";
        assert_eq!(told("GET", absolute, &[("host", "localhost")]).await, 421);
    }

    #[tokio::test]
    async fn another_sites_page_moves_no_control() {
        for (headers, status) in [
            (vec![], 200),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], 200),
            (vec![("sec-fetch-site", "cross-site")], 403),
            (vec![("sec-fetch-site", "same-site")], 403),
            (vec![("origin", "http://127.0.0.1:8080")], 200),
            (vec![("origin", "https://evil.example")], 403),
            (vec![("origin", "null")], 403),
        ] {
            assert_eq!(told("POST", "/_local/clock", &headers).await, status, "{headers:?}");
            assert_eq!(told("POST", "/marketplace/register", &headers).await, 200, "{headers:?}");
            assert_eq!(told("GET", "/_local/clock", &headers).await, 200, "{headers:?}");
        }
    }
}
