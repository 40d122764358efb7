//! The HTTP side of both protocols.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use super::caller::{self, Caller};
use super::cbor;
use super::dispatch::{self, Answer};
use super::error::{ApiError, Service};
use super::log::{Call, Protocol};
use super::shape::Shape;
use crate::simulator::Simulator;

/// A request must be smaller than this (F§3.1).
const REQUEST_LIMIT: usize = 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/", post(json))
        .route("/service/{service}/operation/{operation}", post(rpc_v2_cbor))
        .with_state(simulator)
}

async fn json(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let protocol = match content_type {
        Some(it) if it.starts_with("application/x-amz-json-1.0") => Protocol::Json10,
        Some(_) | None => Protocol::Json11,
    };
    let target = parts.headers.get(TARGET).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or((target, ""));
    let wire = Wire { protocol, service: service.to_owned(), operation: operation.to_owned() };
    wire.answer(&simulator, &parts.headers, body).await
}

async fn rpc_v2_cbor(
    State(simulator): State<Simulator>,
    Path((service, operation)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let wire = Wire { protocol: Protocol::RpcV2Cbor, service, operation };
    wire.answer(&simulator, &parts.headers, body).await
}

struct Wire {
    protocol: Protocol,
    service: String,
    operation: String,
}

impl Wire {
    async fn answer(self, simulator: &Simulator, headers: &HeaderMap, body: Body) -> Response {
        let body = to_bytes(body, REQUEST_LIMIT - 1).await;
        let mut call = Call {
            at: simulator.clock().now(),
            operation: self.operation.clone(),
            protocol: self.protocol,
            region: None,
            account: None,
            request: Value::Null,
            answer: Value::Null,
            status: 0,
            lost: false,
        };
        let answer = match body {
            Ok(body) => self.run(simulator, headers, &body, &mut call),
            Err(_) => refused(ApiError::common(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                "The request must be smaller than 1 MB",
            )),
        };
        let namespace = simulator.switches(|switches| switches.error_namespace.clone());
        let request_id = simulator.request_id();
        let (status, shape) = match &answer.result {
            Ok(shape) => (StatusCode::OK, shape.clone()),
            Err(error) => (error.status, error.body(&namespace, &request_id)),
        };
        call.answer = shape.to_json();
        call.status = status.as_u16();
        call.lost = answer.lost;
        simulator.log(call);
        self.respond(status, &shape, answer.lost, &request_id)
    }

    fn run(
        &self,
        simulator: &Simulator,
        headers: &HeaderMap,
        body: &Bytes,
        call: &mut Call,
    ) -> Answer {
        let request = match self.protocol {
            Protocol::RpcV2Cbor => cbor::read(body),
            Protocol::Json10 | Protocol::Json11 => serde_json::from_slice(body).ok(),
        };
        call.request = request.clone().unwrap_or_default();
        let Some(service) = Service::named(&self.service) else {
            let message = format!("The service {} is unknown", self.service);
            let status = StatusCode::NOT_FOUND;
            return refused(ApiError::common(status, "UnknownOperationException", message));
        };
        let credential = match caller::credential(headers) {
            Ok(credential) => credential,
            Err(error) => return refused(error),
        };
        let account = simulator.account_of(&credential.access_key);
        call.region = Some(credential.region.clone());
        call.account = Some(account.clone());
        if let Err(error) = caller::check_region(service, &credential.region) {
            return refused(error);
        }
        let Some(request) = request.filter(Value::is_object) else {
            return refused(ApiError::serialization("The request is not an object"));
        };
        let caller = Caller { account, region: credential.region };
        dispatch::call(simulator, service, &self.operation, &caller, &request)
    }

    fn respond(&self, status: StatusCode, shape: &Shape, lost: bool, request_id: &str) -> Response {
        let (body, content_type) = match self.protocol {
            Protocol::RpcV2Cbor => (cbor::write(shape), "application/cbor"),
            Protocol::Json10 => (shape.to_json().to_string().into(), "application/x-amz-json-1.0"),
            Protocol::Json11 => (shape.to_json().to_string().into(), "application/x-amz-json-1.1"),
        };
        let length = HeaderValue::from(body.len());
        // A body that breaks before its end makes the server cut the connection.
        let body = if lost { broken() } else { Body::from(body) };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CONTENT_LENGTH, length);
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if self.protocol == Protocol::RpcV2Cbor {
            headers.insert(SMITHY_PROTOCOL, HeaderValue::from_static("rpc-v2-cbor"));
        }
        response
    }
}

fn refused(error: ApiError) -> Answer {
    Answer { result: Err(error), lost: false }
}

/// A response body that breaks at once.
fn broken() -> Body {
    let error = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "response lost");
    Body::from_stream(futures::stream::iter([Err::<Bytes, _>(error)]))
}
