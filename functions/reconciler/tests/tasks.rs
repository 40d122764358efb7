//! The reconciler's triggers, with the events of `events/` and fakes of the ports. What its tasks do is told by the
//! journeys.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use app::settlement::Budget;
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use reconciler::{Deps, Task, handle};
use serde_json::{Value, json};

fn event(task: &str) -> Value {
    let path = format!("{}/../../events/reconciler.{task}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn deps() -> (Deps<FakeStore, FakeAws>, Arc<Mutex<Vec<Value>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let metrics =
        Metrics::to(move |line| sink.lock().unwrap().push(serde_json::from_str(line).unwrap()));
    (Deps { context: context(), clock: clock("2026-11-24T08:40:00Z"), metrics }, lines)
}

#[tokio::test]
async fn every_task_has_its_event_and_says_that_it_ran() {
    let ran = ["ConservationChecks", "ReconcileRuns", "RiskChecks", "ReservationsExpired"];
    for (task, metric) in Task::ALL.into_iter().zip(ran) {
        let (deps, lines) = deps();
        handle(&deps, event(task.as_str()), &Budget::endless()).await.unwrap();
        let lines = lines.lock().unwrap();
        assert!(lines.iter().any(|line| line[metric].is_u64()), "{}: {lines:?}", task.as_str());
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_fails_the_task_and_is_measured() {
    for (task, metric) in [("conservation", "ConservationFailed"), ("notices", "ReconcileFailed")] {
        let (deps, lines) = deps();
        deps.context.store.set_down(true);
        let failed = handle(&deps, event(task), &Budget::endless()).await.unwrap_err();
        assert_eq!(failed.error_type(), "Unavailable");
        assert_eq!(lines.lock().unwrap()[0][metric], 1);
    }
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let (deps, _) = deps();
    for event in [json!({}), json!({"task": "dance"}), json!({"detail": {"task": 7}})] {
        let failed = handle(&deps, event, &Budget::endless()).await.unwrap_err();
        assert_eq!(failed.error_type(), "UnknownEvent");
    }
}
