//! The line to AWS: the SDK's requests go to the simulated AWS Marketplace in the same process, byte for byte as they
//! would over the network.

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
use aws_smithy_types::retry::RetryConfig;
use axum::Router;
use axum::body::{Body, to_bytes};
use tower::ServiceExt;

/// Largest answer that is read.
const LARGEST: usize = 4 * 1024 * 1024;

/// A configuration whose calls end in `router`.
pub(crate) fn config(router: Router) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://marketplace.local")
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        // A call is made once: trying again is the product's decision, and each try is a step of the story.
        .retry_config(RetryConfig::disabled())
        .http_client(Line(router))
        .build()
}

#[derive(Debug, Clone)]
struct Line(Router);

impl HttpClient for Line {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let router = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(router, request).await })
    }
}

async fn exchange(router: Router, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::io(error);
    let request = request.try_into_http1x().map_err(|error| broken(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body.bytes().unwrap_or_default().to_vec();
    let request = axum::http::Request::from_parts(parts, Body::from(bytes));
    let response = router.oneshot(request).await.map_err(|never| match never {})?;
    let (parts, body) = response.into_parts();
    // A body that breaks is an answer that got lost.
    let bytes = to_bytes(body, LARGEST).await.map_err(|error| broken(error.into()))?;
    let response = axum::http::Response::from_parts(parts, SdkBody::from(bytes));
    HttpResponse::try_from(response).map_err(|error| broken(error.into()))
}
