//! From the SDK's errors to ours: what may be tried again, and what a human must mend.

use app::Error;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

const DYNAMODB: &str = "DynamoDB";

/// An error of a call that was not refused by a condition.
///
/// Throttling, conflicts, failures and lost answers may be tried again, and may have taken effect: every write is
/// guarded, so a repeat is refused by its own guard.
pub(crate) fn failed<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let for_good = matches!(
        error.code(),
        Some(
            "AccessDeniedException"
                | "UnrecognizedClientException"
                | "InvalidSignatureException"
                | "ExpiredTokenException"
                | "MissingAuthenticationTokenException"
                | "ResourceNotFoundException"
                | "ValidationException"
        )
    );
    let source = error.into();
    if for_good {
        Error::Refused { dependency: DYNAMODB, source }
    } else {
        Error::Unavailable { dependency: DYNAMODB, source }
    }
}

/// A request that could not be built: a bug of ours, never the caller's fault.
pub(crate) fn unbuildable(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::Corrupt { what: "a DynamoDB request", source: error.into() }
}

/// Something kept being refused for a reason that should pass.
pub(crate) fn gave_up(what: &'static str) -> Error {
    Error::Unavailable { dependency: DYNAMODB, source: what.into() }
}
