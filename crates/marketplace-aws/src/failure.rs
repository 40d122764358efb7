//! What an SDK error means: its code, its HTTP status, and whether the same request may succeed later.

use app::{BoxError, Error};
use aws_sdk_marketplacemetering::config::http::HttpResponse;
use aws_sdk_marketplacemetering::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// By remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Try again.
    Retry,
    /// Credentials, policy or configuration: a human.
    Mend,
    /// Something about the request; which, the operation knows by the code.
    Request,
}

/// A failed call.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) status: Option<u16>,
    pub(crate) remedy: Remedy,
    pub(crate) source: BoxError,
}

impl Failure {
    pub(crate) fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error
            .as_service_error()
            .and_then(ProvideErrorMetadata::code)
            .unwrap_or_default()
            .to_owned();
        let remedy = match &error {
            SdkError::ServiceError(_) => remedy(&code, status),
            // The request could not be built or signed: credentials, mostly.
            SdkError::ConstructionFailure(_) => Remedy::Mend,
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_)
            | _ => Remedy::Retry,
        };
        Self { code, status, remedy, source: Box::new(Told(error.to_string(), error.into())) }
    }

    /// As an error of a dependency, where the code does not matter.
    pub(crate) fn into_error(self, dependency: &'static str) -> Error {
        match self.remedy {
            Remedy::Retry => Error::Unavailable { dependency, source: self.source },
            Remedy::Mend | Remedy::Request => Error::Refused { dependency, source: self.source },
        }
    }
}

/// The SDK's error behind a text of its own, so that a request is never printed with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String, #[source] BoxError);

fn remedy(code: &str, status: Option<u16>) -> Remedy {
    match (code, status) {
        (
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "ServiceUnavailable"
            | "ServiceUnavailableException",
            _,
        )
        | (_, Some(429 | 500..)) => Remedy::Retry,
        (
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "OptInRequired"
            | "NotAuthorized"
            | "RequestExpired"
            | "DisabledApiException"
            | "InvalidProductCodeException"
            | "UnknownOperationException",
            _,
        )
        | ("ExpiredTokenException" | "ExpiredToken", Some(403))
        | (_, Some(401 | 403)) => Remedy::Mend,
        (_, _) => Remedy::Request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_means_the_buyers_token_or_our_credentials_by_its_status() {
        assert_eq!(remedy("ExpiredTokenException", Some(400)), Remedy::Request);
        assert_eq!(remedy("ExpiredTokenException", Some(403)), Remedy::Mend);
    }

    #[test]
    fn throttling_is_for_later_whatever_its_status() {
        assert_eq!(remedy("ThrottlingException", Some(400)), Remedy::Retry);
        assert_eq!(remedy("ThrottlingException", Some(429)), Remedy::Retry);
        assert_eq!(remedy("InternalServiceErrorException", Some(500)), Remedy::Retry);
    }

    #[test]
    fn what_the_request_says_is_the_requests_fault() {
        for code in
            ["TimestampOutOfBoundsException", "InvalidLicenseException", "ValidationException"]
        {
            assert_eq!(remedy(code, Some(400)), Remedy::Request, "{code}");
        }
    }
}
