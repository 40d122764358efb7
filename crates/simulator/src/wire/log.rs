//! The log of calls. It never holds the `Authorization` header.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// `application/x-amz-json-1.0`.
    Json10,
    /// `application/x-amz-json-1.1`.
    Json11,
    /// `application/cbor`.
    RpcV2Cbor,
}

/// One call of an AWS API and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The simulated time.
    pub at: Timestamp,
    /// Such as `BatchMeterUsage`.
    pub operation: String,
    /// How it was made.
    pub protocol: Protocol,
    /// The Region of its signature, if it was signed.
    pub region: Option<String>,
    /// The account that signed it.
    pub account: Option<String>,
    /// The request, also of a CBOR call.
    pub request: Value,
    /// The answer, also one that was lost on its way.
    pub answer: Value,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Whether the answer was lost on its way.
    pub lost: bool,
}
