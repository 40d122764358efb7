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
    use std::sync::{Arc, Mutex};

    use domain::ids::LicenseRef;
    use serde_json::json;

    use super::*;

    /// Where a test's lines go.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(log: impl FnOnce()) -> Vec<serde_json::Value> {
        let lines = Lines::default();
        let sink = lines.clone();
        let layer = FlatJsonLayer::new(move || sink.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_within_a_request_carries_what_it_is_about() {
        let license = LicenseRef::License {
            arn: "arn:aws:license-manager::294406891311:license:l-77".parse().unwrap(),
        };
        let id = license.subscription_id();
        let lines = written(|| {
            // As the runtime opens it.
            let invocation = tracing::info_span!("Lambda runtime invoke", requestId = "req-1");
            invocation.in_scope(|| {
                span("notice").in_scope(|| {
                    tracing::info!("before it is known");
                    app::about(&id, Some(&license));
                    tracing::warn!(calls = 3, "a line");
                });
                tracing::info!("another message of the batch");
            });
        });
        assert_eq!(lines[0]["requestId"], "req-1");
        assert_eq!(lines[0].get("license"), None);
        let line = &lines[1];
        assert_eq!((&line["message"], &line["calls"]), (&json!("a line"), &json!(3)), "{line}");
        assert_eq!((&line["requestId"], &line["license"]), (&json!("req-1"), &json!("l-77")));
        assert_eq!(line["subscription.id"], id.as_str());
        assert_eq!(line["level"], "WARN");
        assert_eq!(lines[2].get("subscription.id"), None, "messages do not mix");
    }

    #[test]
    fn a_chain_tells_every_cause_once() {
        let error = app::Error::Unavailable { dependency: "DynamoDB", source: "timed out".into() };
        assert_eq!(Chain(&error).to_string(), "DynamoDB is not available: timed out");
    }
}
