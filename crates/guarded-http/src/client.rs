//! The client.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::address::is_public;
use crate::resolve::{CheckedResolver, Networks, NotPublic};

/// What one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From resolving the name to the last byte of the answer.
    pub time: Duration,
    /// The bytes of the answer's body that are kept.
    pub body: usize,
}

/// An answer, whatever its status; a redirect is an answer like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The address is not one that may be asked; asking again will not help.
    #[error("the address is refused: {0}")]
    Refused(&'static str),
    /// The answer is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("there was no whole answer within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The line.
    #[error("the address cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

type Inner = legacy::Client<HttpsConnector<HttpConnector<CheckedResolver>>, Full<Bytes>>;

/// A client under the rules of this crate. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    inner: Inner,
    networks: Networks,
    limits: Limits,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("networks", &self.networks).finish_non_exhaustive()
    }
}

/// The operating system's trusted roots cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up")]
pub struct NoTls(#[source] Box<dyn Error + Send + Sync>);

impl Client {
    /// A client that trusts the operating system's roots.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(networks: Networks, limits: Limits) -> Result<Self, NoTls> {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver { networks });
        http.enforce_http(false);
        http.set_connect_timeout(Some(limits.time));
        let builder = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| NoTls(error.into()))?;
        let builder =
            if networks.plain_too() { builder.https_or_http() } else { builder.https_only() };
        let connector = builder.enable_http1().wrap_connector(http);
        let inner = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { inner, networks, limits })
    }

    /// Asks for what is at an address.
    ///
    /// # Errors
    /// Whatever keeps an answer from coming.
    pub async fn get(&self, url: &str) -> Result<Answer, RequestError> {
        self.send(Method::GET, url, HeaderMap::new(), Bytes::new()).await
    }

    /// Posts a body to an address.
    ///
    /// # Errors
    /// Whatever keeps an answer from coming.
    pub async fn post(
        &self,
        url: &str,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)> + Send,
        body: Bytes,
    ) -> Result<Answer, RequestError> {
        self.send(Method::POST, url, headers.into_iter().collect(), body).await
    }

    /// Whether an address may be asked as far as its text tells; the name's addresses are checked when it is resolved.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &str) -> Result<Uri, RequestError> {
        allowed(url, self.networks)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, RequestError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.check(url)?;
        *request.headers_mut() = headers;
        tokio::time::timeout(self.limits.time, self.answer(request))
            .await
            .map_err(|_| RequestError::TooSlow(self.limits.time))?
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, RequestError> {
        let response = self.inner.request(request).await.map_err(unreachable)?;
        let (parts, mut stream) = response.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = stream.frame().await {
            let frame = frame.map_err(|error| RequestError::Unreachable(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            if body.len().saturating_add(data.len()) > self.limits.body {
                return Err(RequestError::TooLarge(self.limits.body));
            }
            body.extend_from_slice(&data);
        }
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.freeze() })
    }
}

fn unreachable(error: legacy::Error) -> RequestError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(reason) = cause {
        let io = reason.downcast_ref::<std::io::Error>();
        if io
            .and_then(std::io::Error::get_ref)
            .is_some_and(<dyn Error + Send + Sync>::is::<NotPublic>)
        {
            return RequestError::Refused("it is not of the public internet");
        }
        cause = reason.source();
    }
    RequestError::Unreachable(error.into())
}

fn allowed(url: &str, networks: Networks) -> Result<Uri, RequestError> {
    let uri: Uri = url.parse().map_err(|_| RequestError::Refused("it is no URL"))?;
    let tls = uri.scheme() == Some(&Scheme::HTTPS);
    let plain = uri.scheme() == Some(&Scheme::HTTP) && networks.plain_too();
    if !tls && !plain {
        return Err(RequestError::Refused("it does not begin with https://"));
    }
    let authority = uri.authority().ok_or(RequestError::Refused("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(RequestError::Refused("it carries a user name"));
    }
    // An address in numbers is connected to without the resolver.
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) if networks.public_only() && !is_public(address) => {
            Err(RequestError::Refused("it is not of the public internet"))
        }
        Err(_) if host.is_empty() => Err(RequestError::Refused("it names no host")),
        Ok(_) | Err(_) => Ok(uri),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_scheme_user_and_numbers() {
        let refused = |url: &str| allowed(url, Networks::Public).is_err();
        for fine in ["https://example.com/x", "https://8.8.8.8/", "https://example.com:8443/a?b=c"]
        {
            assert!(!refused(fine), "{fine}");
        }
        for bad in [
            "",
            "example.com",
            "/path",
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://sns.us-east-1.amazonaws.com@evil.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/latest",
            "https://169.254.169.254/latest/meta-data/",
            "https:///x",
        ] {
            assert!(refused(bad), "{bad}");
        }
        assert!(allowed("http://127.0.0.1:8080/", Networks::Any).is_ok());
    }
}
