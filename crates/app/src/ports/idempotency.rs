//! Answers of POST requests, kept for a day, so that a repeated request gets the same answer.

use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Which request: the caller's key within its scope (who, and what is called).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Caller and route, so that keys of two tenants never meet.
    pub scope: String,
    /// The `Idempotency-Key` header.
    pub key: String,
    /// A hash of what was asked; the same key with another request is refused.
    pub fingerprint: String,
}

/// An answer worth repeating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The content type of the body.
    pub content_type: String,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Begun {
    /// The request is ours to do.
    Started,
    /// Another is doing it.
    InProgress {
        /// From when it may be tried again.
        until: Timestamp,
    },
    /// It was done.
    Finished(SavedResponse),
    /// The key belongs to another request.
    OtherRequest,
}

/// The store of answers.
pub trait Idempotency {
    /// Claims a request until `until`, in one conditional write. A claim whose time has passed is taken over.
    fn begin(
        &self,
        request: &RequestKey,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Begun, Error>> + Send;

    /// Keeps the answer for 24 hours.
    fn finish(
        &self,
        request: &RequestKey,
        response: &SavedResponse,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives a claim back, so that the request may be repeated at once.
    fn abandon(&self, request: &RequestKey) -> impl Future<Output = Result<(), Error>> + Send;
}
