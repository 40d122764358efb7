//! What every log line carries. Alone in its process: tracing remembers for all threads which spans nobody listens to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use domain::ids::LicenseRef;
use lambda_shell::logs::span;
use serde_json::json;
use tracing_flat_json::FlatJsonLayer;
use tracing_subscriber::layer::SubscriberExt;

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
