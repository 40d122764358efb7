//! Every function's binary, started as Lambda starts it and fed its example events: `events/<function>.*.json`. Around
//! it stand the embedded DynamoDB and the simulated marketplace, over their wire protocols, and stand-ins for SQS and SNS.
//!
//! The binaries are those of this build; `FUNCTION_BINARIES` names another directory, such as `target/release`, or
//! `target/lambda` as cargo-lambda lays it out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and tells what it measured"
)]

mod example;
mod neighbours;
mod world;

use serde_json::{Value, json};

use world::World;

/// One test, because the events tell one story: what the webhook activates, the API meters, and the listener ends.
#[tokio::test]
async fn every_function_starts_and_answers_its_example_events() {
    let mut world = World::start().await;

    let webhook = world.run("webhook").await;
    for name in ["event", "usage"] {
        assert_eq!(status(webhook.answer(name)), 200, "{}", webhook.answer(name));
    }

    let api = world.run("subscription-api").await;
    let shown: Value = serde_json::from_str(&body(api.answer("subscription"))).unwrap();
    assert_eq!(status(api.answer("subscription")), 404, "a tenant that is not its own: {shown}");
    assert_eq!(shown["code"], "unknown_subscription");
    let metered: Value = serde_json::from_str(&body(api.answer("meter"))).unwrap();
    assert_eq!(status(api.answer("meter")), 200, "{metered}");
    assert_eq!(metered["accepted"], 2, "{metered}");
    let checked: Value = serde_json::from_str(&body(api.answer("check"))).unwrap();
    assert_eq!(status(api.answer("check")), 200, "{checked}");
    assert!(checked["allowed"].is_boolean(), "{checked}");

    let scheduler = world.run("metering-scheduler").await;
    assert_eq!(scheduler.answer("settlement-sqs"), &json!({"batchItemFailures": []}));
    assert!(scheduler.answer("schedule")["calls"].is_u64(), "{}", scheduler.answer("schedule"));

    let reconciler = world.run("reconciler").await;
    for task in ["notices", "conservation"] {
        let answer = reconciler.answer(task);
        assert_eq!(answer["finished"], true, "{task}: {answer}");
    }
    assert_eq!(reconciler.answer("risk")["complete"], true);
    assert_eq!(reconciler.answer("reservations")["failed"], 0);

    let registration = world.run("registration").await;
    let (landed, completed) = (registration.answer("land"), registration.answer("complete"));
    assert_eq!((status(landed), status(completed)), (303, 303), "{landed} {completed}");
    let location = landed["headers"]["location"].as_str().unwrap();
    assert!(location.starts_with("/marketplace/register/complete?"), "to the form: {location}");

    let notifier = world.run("tenant-notifier").await;
    assert_eq!(notifier.answer("outbox-stream"), &json!({"batchItemFailures": []}));
    assert_eq!(world.neighbours.published(), 3, "three new outbox items are in the example");

    let sender = world.run("webhook-sender").await;
    for event in ["notice-sqs", "schedule"] {
        assert_eq!(sender.answer(event), &json!({"batchItemFailures": []}), "{event}");
    }

    let listener = world.run("entitlement-listener").await;
    for event in ["eventbridge", "eventbridge-sqs", "sns", "sns-sqs"] {
        assert_eq!(listener.answer(event), &json!({"batchItemFailures": []}), "{event}");
    }

    world.every_event_was_tried();
}

/// What is missing is told at the start, by name, and nothing is served.
#[tokio::test]
async fn a_function_without_its_variables_names_each_of_them_and_does_not_start() {
    for function in world::functions() {
        let told = world::start_without_variables(&function).await;
        assert!(told.contains("SUBSCRIPTION_TABLE"), "{function}: {told}");
        let own = if function == "webhook-sender" {
            "WEBHOOK_QUEUE_URL"
        } else {
            "MARKETPLACE_PRODUCT_CODE"
        };
        assert!(told.contains(own), "{function}: {told}");
    }
}

/// `sam local invoke --env-vars docs/sam-local.json` starts them with these.
#[tokio::test]
async fn every_function_starts_with_the_documented_variables_of_sam_local() {
    for function in world::functions() {
        world::start_with_variables_of_sam_local(&function).await;
    }
}

fn status(answer: &Value) -> u64 {
    answer["statusCode"].as_u64().unwrap_or_else(|| panic!("no status in {answer}"))
}

fn body(answer: &Value) -> String {
    example::body_of(answer)
}
