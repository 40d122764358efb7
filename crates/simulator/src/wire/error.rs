//! Errors as AWS words them: a type with a namespace, and a lower-case `message` (F§11).

use axum::http::StatusCode;

use super::shape::Shape;
use crate::storage::StorageError;

/// The three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Metering,
    Entitlement,
    Agreement,
}

impl Service {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "AWSMPMeteringService" => Some(Self::Metering),
            "AWSMPEntitlementService" => Some(Self::Entitlement),
            "AWSMPCommerceService_v20200301" => Some(Self::Agreement),
            _ => None,
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Metering => "com.amazonaws.marketplacemeteringservice",
            Self::Entitlement => "com.amazonaws.marketplaceentitlementservice",
            Self::Agreement => "com.amazonaws.marketplaceagreement",
        }
    }

    pub(super) fn throttling(self) -> ApiError {
        let status = match self {
            Self::Metering | Self::Entitlement => StatusCode::BAD_REQUEST,
            Self::Agreement => StatusCode::TOO_MANY_REQUESTS,
        };
        ApiError::new(self, status, "ThrottlingException", "Rate exceeded")
    }

    pub(super) fn internal(self) -> ApiError {
        let code = match self {
            Self::Metering | Self::Entitlement => "InternalServiceErrorException",
            Self::Agreement => "InternalServerException",
        };
        let message = "An internal error has occurred. Retry your request.";
        ApiError::new(self, StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }
}

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    namespace: &'static str,
    pub(crate) code: &'static str,
    message: String,
    extra: Vec<(&'static str, String)>,
}

impl ApiError {
    pub(crate) fn new(
        service: Service,
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let namespace = service.namespace();
        Self { status, namespace, code, message: message.into(), extra: Vec::new() }
    }

    /// An error of the layer that all services share.
    pub(crate) fn common(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let namespace = "com.amazon.coral.service";
        Self { status, namespace, code, message: message.into(), extra: Vec::new() }
    }

    /// A 400 of the metering service.
    pub(crate) fn metering(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Service::Metering, StatusCode::BAD_REQUEST, code, message)
    }

    /// A request that is not of the documented types.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::common(StatusCode::BAD_REQUEST, "SerializationException", message)
    }

    /// Adds a member to the error's body.
    pub(crate) fn with(mut self, member: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((member, value.into()));
        self
    }

    pub(super) fn body(&self, namespace: &str, request_id: &str) -> Shape {
        let agreement = self.namespace == Service::Agreement.namespace();
        let namespace = if namespace.is_empty() { self.namespace } else { namespace };
        let mut members = vec![
            ("__type".to_owned(), Shape::from(format!("{namespace}#{}", self.code))),
            ("message".to_owned(), Shape::from(&self.message)),
        ];
        if agreement {
            members.push(("requestId".to_owned(), request_id.into()));
        }
        members.extend(self.extra.iter().map(|(name, it)| ((*name).to_owned(), it.into())));
        Shape::Map(members)
    }
}

/// Why a call fails: AWS would refuse it, or the simulator cannot keep what it did.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(ApiError),
    Unstored(StorageError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Unstored(error)
    }
}

impl Failure {
    pub(super) fn of(self, service: Service) -> ApiError {
        match self {
            Self::Refused(error) => error,
            Self::Unstored(error) => {
                tracing::error!(%error, "the state could not be stored");
                service.internal()
            }
        }
    }
}
