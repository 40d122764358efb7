//! A client of a running system: what a platform, an operator and a buyer's browser send. For journeys and tests.

use std::fmt;

use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: JSON, or a string where it is none.
    pub body: Value,
}

impl Answer {
    /// The body of a successful answer.
    ///
    /// # Errors
    /// With any other answer, as it came.
    pub fn ok(self) -> Result<Value, CallError> {
        if self.status.is_success() {
            Ok(self.body)
        } else {
            Err(CallError::Refused(Box::new(self)))
        }
    }

    /// The stable code of a problem.
    pub fn code(&self) -> Option<&str> {
        self.body.get("code").and_then(Value::as_str)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It could not be made.
    #[error("the system did not answer")]
    Http(#[from] reqwest::Error),
    /// It was refused.
    #[error("the system answered {0}")]
    Refused(Box<Answer>),
}

/// A client with a role.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
    act_as: Option<String>,
}

impl Client {
    /// A client of the system at `url`, with the development key or as nobody.
    pub fn new(url: String, key: Option<String>) -> Self {
        Self { http: reqwest::Client::new(), url, key, act_as: None }
    }

    /// The same in another role: `admin`, `operator`, `meter` or `tenant:<id>`.
    #[must_use]
    pub fn acting_as(&self, role: &str) -> Self {
        Self { act_as: Some(role.to_owned()), ..self.clone() }
    }

    /// Starts a request to a path; send it with [`Client::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request.header(ACCEPT, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        if let Some(role) = &self.act_as {
            request = request.header("x-act-as", role);
        }
        request
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(request: RequestBuilder) -> Result<Answer, CallError> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, headers, body })
    }

    /// GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer, CallError> {
        Self::send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, CallError> {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT with a JSON body, if the row still has the revision of `etag`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(
        &self,
        path: &str,
        etag: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Answer, CallError> {
        let mut request = self.request(Method::PUT, path).json(body);
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        Self::send(request).await
    }

    /// Arrives at the registration page with a token, as the buyer's browser does, and answers the session's cookie.
    ///
    /// # Errors
    /// When there is no answer, or not a page with a session.
    pub async fn land(&self, fields: &[(String, String)]) -> Result<(Answer, String), CallError> {
        let request = self.request(Method::POST, "/marketplace/register").form(fields);
        let answer = Self::send(request).await?;
        let cookie = answer.headers.get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        match cookie.and_then(|cookie| cookie.split(';').next()).map(ToOwned::to_owned) {
            Some(cookie) if answer.status.is_success() => Ok((answer, cookie)),
            Some(_) | None => Err(CallError::Refused(Box::new(answer))),
        }
    }

    /// Sends the registration form.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn complete(
        &self,
        cookie: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let request = self.request(Method::POST, "/marketplace/register/complete");
        Self::send(request.header(COOKIE, cookie).form(fields)).await
    }
}
