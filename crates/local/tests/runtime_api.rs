//! The Runtime API stand-in speaks to a function as Lambda does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

use std::path::Path;
use std::time::Duration;

use local::runtime_api::{Function, InvokeError, RuntimeApi, StartFunctionError};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a function's runtime does for one event.
async fn serve_one(api: &RuntimeApi, outcome: &str, answer: Value) -> Value {
    let root = format!("http://{}/2018-06-01/runtime/invocation", api.address());
    let next = reqwest::get(format!("{root}/next")).await.unwrap();
    let header = |name: &str| next.headers()[name].to_str().unwrap().to_owned();
    let id = header("lambda-runtime-aws-request-id");
    assert!(header("lambda-runtime-deadline-ms").parse::<u64>().is_ok());
    let event = next.json().await.unwrap();
    let answered = reqwest::Client::new().post(format!("{root}/{id}/{outcome}")).json(&answer);
    assert_eq!(answered.send().await.unwrap().status(), 202);
    event
}

#[tokio::test]
async fn an_event_goes_in_and_its_answer_comes_out() {
    let api = RuntimeApi::start().await.unwrap();
    let function = async { serve_one(&api, "response", json!({"batchItemFailures": []})).await };
    let event = json!({"Records": []});
    let (answer, seen) = tokio::join!(api.invoke(&event, PATIENCE), function);
    assert_eq!(seen, event);
    assert_eq!(answer.unwrap(), json!({"batchItemFailures": []}));
}

#[tokio::test]
async fn a_failure_is_told_by_its_kind() {
    let api = RuntimeApi::start().await.unwrap();
    let told = json!({"errorType": "Unavailable", "errorMessage": "DynamoDB is not available"});
    let function = async { serve_one(&api, "error", told).await };
    let event = json!({});
    let (answer, _) = tokio::join!(api.invoke(&event, PATIENCE), function);
    match answer.unwrap_err() {
        InvokeError::Failed(failure) => {
            assert_eq!(failure.to_string(), "Unavailable: DynamoDB is not available");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_answer_to_another_invocation_is_refused() {
    let api = RuntimeApi::start().await.unwrap();
    let url = format!("http://{}/2018-06-01/runtime/invocation/none/response", api.address());
    let answered = reqwest::Client::new().post(url).body("{}").send().await.unwrap();
    assert_eq!(answered.status(), 400);
}

#[tokio::test]
async fn a_function_that_fails_to_initialise_fails_whoever_waits_for_it() {
    let api = RuntimeApi::start().await.unwrap();
    let told = json!({"errorType": "InvalidConfig", "errorMessage": "USAGE_TABLE is not set"});
    let url = format!("http://{}/2018-06-01/runtime/init/error", api.address());
    let function = async { reqwest::Client::new().post(url).json(&told).send().await.unwrap() };
    let (ready, _) = tokio::join!(api.ready(PATIENCE), function);
    assert!(
        matches!(ready.unwrap_err(), InvokeError::Init(failure) if failure.error_type == "InvalidConfig")
    );
}

#[tokio::test]
async fn a_binary_that_ends_before_it_asks_for_work_is_told_with_its_last_words() {
    let missing = Function::start(Path::new("/nonexistent/function"), &[]).await.unwrap_err();
    assert!(matches!(missing, StartFunctionError::Spawn { .. }), "{missing}");
    let ended = Function::start(Path::new("/bin/ls"), &[]).await.unwrap_err();
    match ended {
        StartFunctionError::Init { source: InvokeError::Exited(how), .. } => {
            assert!(how.contains("exit status: 0"), "{how}");
            assert!(how.contains("Cargo.toml"), "what it wrote: {how}");
        }
        other => panic!("{other}"),
    }
}
