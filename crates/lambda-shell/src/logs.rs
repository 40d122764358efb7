//! Logs: one JSON object a line. A message reads alone, fields are for queries, a failure is logged once and where it
//! is handled. Never a body, a token, a secret or personal data.
//!
//! The fields of all spans around a line stand beside its own: `requestId`, which the Lambda runtime opens each
//! invocation with, and `subscription.id` and `license` within [`span`] or [`app::about`]. Whoever looks into one
//! subscription finds every line of every function about it.

use std::error::Error;
use std::fmt;

use tracing::Span;
use tracing_flat_json::FlatJsonLayer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Begins logging to standard output. A second call changes nothing.
pub fn init(targets: Targets) {
    // The runtime would log every failed invocation a second time, by `Debug` and without its causes.
    let targets = targets.with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = FlatJsonLayer::new(std::io::stdout);
    // Fails only when logging has begun already, e.g. in the local system, and then there is nothing to do.
    let _begun = tracing_subscriber::registry().with(targets).with(lines).try_init();
}

/// The span of one request or message: opened before it is known what it is about, told by [`app::about`] when it is.
pub fn span(kind: &'static str) -> Span {
    tracing::info_span!(
        "request",
        kind,
        subscription.id = tracing::field::Empty,
        license = tracing::field::Empty
    )
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
