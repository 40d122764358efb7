//! Failures of whole invocations, with a stable type that alarms and retries can go by.

use app::BoxError;
use lambda_runtime::Diagnostic;

use crate::logs::Chain;

/// Why an invocation failed. Nothing in it is secret: it goes to the log and to whoever invoked the function.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The event is none that this function is triggered by.
    #[error("the event is none that this function is triggered by")]
    UnknownEvent(#[source] BoxError),
    /// Some of what the event carries was not dealt with; the log says what and why.
    #[error("a part of the event was not dealt with")]
    NotDone,
    /// The use case failed.
    #[error(transparent)]
    App(#[from] app::Error),
}

impl Failure {
    /// Its stable name.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::UnknownEvent(_) => "UnknownEvent",
            Self::NotDone => "NotDone",
            Self::App(app::Error::Unavailable { .. }) => "Unavailable",
            Self::App(app::Error::Refused { .. }) => "Refused",
            Self::App(app::Error::Corrupt { .. } | app::Error::ForeignCursor) => "Corrupt",
            Self::App(app::Error::Contended { .. }) => "Contended",
        }
    }
}

/// Logs the whole chain, once; the invoker gets type and message. What `NotDone` stands for has been logged part by part.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = failure.error_type();
        match failure {
            Failure::NotDone => {}
            Failure::UnknownEvent(_) | Failure::App(_) => {
                tracing::error!(error = %Chain(&failure), error_type, "an invocation failed");
            }
        }
        Self { error_type: error_type.to_owned(), error_message: failure.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_can_tell_failures_apart_and_the_cause_stays_in_the_log() {
        let source = BoxError::from("credentials of somebody");
        let refused = app::Error::Refused { dependency: "BatchMeterUsage", source };
        let told = Diagnostic::from(Failure::App(refused));
        assert_eq!(told.error_type, "Refused");
        assert_eq!(told.error_message, "BatchMeterUsage refuses us");
        let told = Diagnostic::from(Failure::UnknownEvent("records of aws:s3".into()));
        assert_eq!(told.error_type, "UnknownEvent");
    }
}
