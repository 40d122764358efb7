//! A line to AWS on which the answers are prepared and the requests are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use ciborium::Value as Cbor;
use serde_json::Value;

pub(crate) const PRODUCT: &str = "abcd1234efgh5678ijkl9012m";
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const LICENSE: &str =
    "arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef";
pub(crate) const AGREEMENT: &str = "agmt-abcd1234efgh5678ijkl9012m";

/// The line. The SDK's own replaying client would turn on `serde_json/preserve_order` for every test of the workspace.
pub(crate) struct Line {
    kept: Kept,
    pub(crate) config: SdkConfig,
}

impl Line {
    /// Answers the first call with the first answer, and so on; a call without one fails.
    pub(crate) fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self::carrying(answers.into_iter().map(|(status, body)| (status, body.to_string().into())))
    }

    /// As [`Self::answering`], in the binary protocol of entitlements and agreements (fact sheet §11).
    pub(crate) fn answering_in_cbor(answers: impl IntoIterator<Item = (u16, Cbor)>) -> Self {
        Self::carrying(answers.into_iter().map(|(status, body)| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&body, &mut bytes).unwrap();
            (status, bytes)
        }))
    }

    /// As [`Self::answering`], whatever the protocol.
    pub(crate) fn carrying(answers: impl IntoIterator<Item = (u16, Vec<u8>)>) -> Self {
        let kept = Kept::default();
        kept.lock().answers.extend(answers);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .http_client(kept.clone())
            .build();
        Self { kept, config }
    }

    /// Answers every call alike, however often it is tried.
    pub(crate) fn always(status: u16, body: &Value) -> Self {
        Self::answering((0..9).map(|_| (status, body.clone())))
    }

    pub(crate) fn calls(&self) -> usize {
        self.kept.lock().requests.len()
    }

    /// Where the first call went.
    pub(crate) fn host(&self) -> String {
        let uri = self.first(|request| request.uri().to_owned());
        uri.trim_start_matches("https://").split('/').next().unwrap().to_owned()
    }

    /// A header of the first call.
    pub(crate) fn header(&self, name: &str) -> String {
        self.first(|request| request.headers().get(name).unwrap_or_default().to_owned())
    }

    /// The path of the first call.
    pub(crate) fn path(&self) -> String {
        let uri = self.first(|request| request.uri().to_owned());
        uri.trim_start_matches("https://").split_once('/').unwrap().1.to_owned()
    }

    /// The body of the first call.
    pub(crate) fn body(&self) -> String {
        self.first(|request| String::from_utf8(bytes(request)).unwrap())
    }

    /// The bodies of all calls in the binary protocol.
    pub(crate) fn cbor_bodies(&self) -> Vec<Value> {
        let read = |request| {
            let body: Cbor = ciborium::from_reader(bytes(request).as_slice()).unwrap();
            body.deserialized().unwrap()
        };
        self.kept.lock().requests.iter().map(read).collect()
    }

    fn first<T>(&self, of: impl FnOnce(&HttpRequest) -> T) -> T {
        of(self.kept.lock().requests.first().unwrap())
    }
}

/// What is said on a line; clones share it.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    answers: VecDeque<(u16, Vec<u8>)>,
    requests: Vec<HttpRequest>,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap()
    }
}

impl HttpClient for Kept {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Kept {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut said = self.lock();
        let Some((status, body)) = said.answers.pop_front() else {
            let broken = ConnectorError::io("the line is broken".into());
            return HttpConnectorFuture::ready(Err(broken));
        };
        said.requests.push(request);
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        answer.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// A line on which no answer ever comes.
#[derive(Debug, Clone)]
pub(crate) struct Silence;

impl HttpClient for Silence {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Silence {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

fn bytes(request: &HttpRequest) -> Vec<u8> {
    request.body().bytes().unwrap().to_vec()
}

/// A value in the binary protocol.
pub(crate) fn cbor(value: &Value) -> Cbor {
    match value {
        Value::Object(members) => {
            Cbor::Map(members.iter().map(|(name, it)| (name.as_str().into(), cbor(it))).collect())
        }
        Value::Array(items) => Cbor::Array(items.iter().map(cbor).collect()),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => {
            let instant: jiff::Timestamp = text.parse().unwrap();
            Cbor::Tag(1, Box::new(Cbor::Integer(instant.as_second().into())))
        }
        scalar => Cbor::serialized(scalar).unwrap(),
    }
}

/// An error as the JSON services send it.
pub(crate) fn refusal(code: &str, message: &str) -> Value {
    serde_json::json!({
        "__type": format!("com.amazonaws.marketplacemeteringservice#{code}"),
        "message": message,
    })
}

/// An error and everything that can be printed of it.
pub(crate) fn printed(error: &(dyn std::error::Error + 'static)) -> String {
    format!("{error} {error:?} {}", app::Chain(error))
}
