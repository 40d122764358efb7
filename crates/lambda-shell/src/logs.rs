//! Logs: one JSON object a line. A message reads alone, fields are for queries, a failure is logged once and where it
//! is handled. Never a body, a token, a secret or personal data.

use std::error::Error;
use std::fmt;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins logging to standard output. A second call changes nothing.
pub fn init(targets: Targets) {
    // The runtime would log every failed invocation a second time, by `Debug` and without its causes.
    let targets = targets.with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    // Fails only when logging has begun already, e.g. in the local system, and then there is nothing to do.
    let _begun = tracing_subscriber::registry().with(targets).with(lines).try_init();
}

/// An error and all its causes in one line: `DynamoDB is not available: timed out: …`.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_tells_every_cause_once() {
        let error = app::Error::Unavailable { dependency: "DynamoDB", source: "timed out".into() };
        assert_eq!(Chain(&error).to_string(), "DynamoDB is not available: timed out");
    }
}
