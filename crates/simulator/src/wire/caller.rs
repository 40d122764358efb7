//! Who calls, from the `SigV4` credential scope. The signature itself is not checked.

use axum::http::{HeaderMap, StatusCode};

use super::error::{ApiError, Service};

const SIGNING_NAME: &str = "aws-marketplace";

/// Where `BatchMeterUsage` and `ResolveCustomer` exist (F§3.7).
const METERING_REGIONS: [&str; 29] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "af-south-1",
    "me-south-1",
    "me-central-1",
    "il-central-1",
    "ap-east-1",
    "ap-south-1",
    "ap-south-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-northwest-1",
];

/// The caller of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
}

/// The credential of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) access_key: String,
    pub(super) region: String,
}

/// Reads `Credential=<key>/<date>/<region>/<service>/aws4_request`.
pub(super) fn credential(headers: &HeaderMap) -> Result<Credential, ApiError> {
    let header = headers.get("authorization").and_then(|it| it.to_str().ok());
    let Some(header) = header.filter(|it| it.starts_with("AWS4-HMAC-SHA256")) else {
        return Err(ApiError::common(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ));
    };
    let scope = header.split_once("Credential=").map(|(_, rest)| rest);
    let scope = scope.and_then(|rest| rest.split([',', ' ']).next()).unwrap_or_default();
    let mut parts = scope.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(key), Some(_date), Some(region), Some(SIGNING_NAME), Some("aws4_request"), None)
            if !key.is_empty() =>
        {
            Ok(Credential { access_key: key.to_owned(), region: region.to_owned() })
        }
        (_, _, _, Some(service), ..) if service != SIGNING_NAME => Err(scope_error(&format!(
            "Credential should be scoped to correct service: '{SIGNING_NAME}'."
        ))),
        _ => Err(ApiError::common(
            StatusCode::FORBIDDEN,
            "IncompleteSignatureException",
            "The Authorization header has no complete Credential.",
        )),
    }
}

/// Entitlement and Agreement exist in us-east-1 only (F§4, 5): elsewhere AWS has no endpoint.
/// Here, where all Regions share one address, a call scoped to another Region is refused as AWS
/// refuses a scope that does not fit the endpoint.
pub(super) fn check_region(service: Service, region: &str) -> Result<(), ApiError> {
    let served = match service {
        Service::Metering => METERING_REGIONS.contains(&region),
        Service::Entitlement | Service::Agreement => region == "us-east-1",
    };
    if served {
        return Ok(());
    }
    Err(scope_error(&format!("Credential should be scoped to a valid region, not '{region}'.")))
}

fn scope_error(message: &str) -> ApiError {
    ApiError::common(StatusCode::FORBIDDEN, "InvalidSignatureException", message)
}
