//! What an SDK error means: its code, its HTTP status, and whether the same request may succeed later. Nothing that was
//! sent or answered is kept.

use app::{BoxError, Error};
use aws_credential_types::provider::error::CredentialsError;
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
    /// AWS's error code, or the HTTP status where it names none.
    pub(crate) code: String,
    pub(crate) remedy: Remedy,
    pub(crate) source: BoxError,
}

impl Failure {
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let (named, message) = match error.as_service_error() {
            Some(service) => (service.code().unwrap_or_default(), service.message()),
            None => ("", None),
        };
        let remedy = match &error {
            SdkError::ServiceError(_) => remedy(named, status),
            // The request could not be built: a defect, or a setting.
            SdkError::ConstructionFailure(_) => Remedy::Mend,
            _ if lacks_credentials(error) => Remedy::Mend,
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_)
            | _ => Remedy::Retry,
        };
        let code = match status {
            Some(status) if named.is_empty() => format!("HTTP {status}"),
            Some(_) | None => named.to_owned(),
        };
        let told = match &error {
            SdkError::ServiceError(_) => match message.filter(|_| is_quotable(named)) {
                Some(message) => format!("AWS answers {code}: {}", clipped(message)),
                None => format!("AWS answers {code}"),
            },
            // Its cause may quote the answer.
            SdkError::ResponseError(_) => format!("AWS's answer cannot be read ({code})"),
            _ => app::Chain(error).to_string(),
        };
        Self { code, remedy, source: Box::new(Told(told)) }
    }

    /// As an error of a dependency, where the code does not matter.
    pub(crate) fn into_error(self, dependency: &'static str) -> Error {
        match self.remedy {
            Remedy::Retry => Error::Unavailable { dependency, source: self.source },
            Remedy::Mend | Remedy::Request => Error::Refused { dependency, source: self.source },
        }
    }
}

/// What is kept of an SDK error: the error itself holds the whole answer, and prints it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

/// Whether credentials could not be had; the SDK reports that like a broken connection.
fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error.downcast_ref::<CredentialsError>().is_some_and(|error| {
            matches!(
                error,
                CredentialsError::CredentialsNotLoaded(_)
                    | CredentialsError::InvalidConfiguration(_)
            )
        })
    })
}

/// Whether AWS's words for a code help whoever mends it. Others may quote what was sent: a validation error the
/// registration token, a signature error our session token.
fn is_quotable(code: &str) -> bool {
    matches!(
        code,
        "AccessDeniedException"
            | "ConflictException"
            | "DisabledApiException"
            | "InvalidCustomerIdentifierException"
            | "InvalidLicenseException"
            | "InvalidProductCodeException"
            | "InvalidUsageDimensionException"
            | "ResourceNotFoundException"
            | "ServiceQuotaExceededException"
            | "TimestampOutOfBoundsException"
    )
}

fn clipped(message: &str) -> String {
    const LONGEST: usize = 300;
    message.chars().take(LONGEST).collect()
}

fn remedy(code: &str, status: Option<u16>) -> Remedy {
    match (code, status) {
        (
            "ThrottlingException"
            | "Throttling"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "InternalServiceErrorException"
            | "InternalServerException"
            | "InternalFailure",
            _,
        )
        | (_, Some(408 | 429 | 500..)) => Remedy::Retry,
        (
            "AccessDeniedException"
            | "AccessDenied"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
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
        (_, Some(413)) => Remedy::Request,
        // No error of AWS's has no name: something between us answered.
        ("", _) => Remedy::Retry,
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
    fn an_error_without_a_name_is_not_awss() {
        assert_eq!(remedy("", Some(400)), Remedy::Retry);
        assert_eq!(remedy("", Some(413)), Remedy::Request);
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
