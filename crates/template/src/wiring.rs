//! What must hold of the template's resources together: nothing that fails is lost, nothing is delivered twice because a
//! function works longer than its queue waits, no two stacks collide, no public route is without a limit, and the alarms
//! about functions are about all of them.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

use crate::read::{Template, plain, texts};

/// How many times a function's timeout its queue must wait, as AWS recommends: an invocation may be throttled and retried
/// inside Lambda before its time begins to run.
const QUEUE_PATIENCE: u64 = 6;

/// Queues that wait shorter, and say why beside it.
const SHORT_OF_PATIENCE: &[&str] = &["SettlementQueue"];

/// Properties that name a resource for the whole account and Region.
const NAMES: &[&str] = &[
    "TableName",
    "QueueName",
    "TopicName",
    "FunctionName",
    "LogGroupName",
    "AlarmName",
    "DashboardName",
];

/// Every asynchronous hop that gives up without keeping what it carried, a sentence each.
pub fn hop_problems(template: &Template) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        let dead = name.ends_with("Dead");
        if !dead && queue.get("RedrivePolicy").is_none() {
            problems
                .push(format!("{name} has no RedrivePolicy: a message that fails always is lost"));
        }
    }
    for (name, subscription) in template.of_type("AWS::SNS::Subscription") {
        let to_people = text(subscription, "Protocol") == "email";
        if !to_people && subscription.get("RedrivePolicy").is_none() {
            problems.push(format!("{name} has no RedrivePolicy: what SNS cannot deliver is lost"));
        }
    }
    for (name, rule) in template.of_type("AWS::Events::Rule") {
        for target in items(rule, "Targets") {
            if target.get("DeadLetterConfig").is_none() {
                problems.push(format!("a target of {name} has no DeadLetterConfig"));
            }
        }
    }
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        for (event, kind, properties) in events(function) {
            let kept = match kind.as_str() {
                "Schedule" => {
                    properties.get("DeadLetterConfig").is_some()
                        && function.get("DeadLetterQueue").is_some()
                }
                "DynamoDB" => properties.get("DestinationConfig").is_some(),
                "SQS" => true,
                _ => false,
            };
            if !kept {
                problems.push(format!("{name} loses what {event} ({kind}) cannot deliver"));
            }
            let batches = ["SQS", "DynamoDB"].contains(&kind.as_str());
            let partial = texts(properties.get("FunctionResponseTypes"));
            if batches && partial != ["ReportBatchItemFailures"] {
                problems.push(format!("{name} must report the failed items of {event}"));
            }
        }
    }
    problems
}

/// Every queue that gives a message out again while its function may still be at work.
pub fn patience_problems(template: &Template) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        let timeout = number(function, "Timeout").or(template.timeout_of_all()).unwrap_or_default();
        for (event, kind, properties) in events(function) {
            if kind != "SQS" {
                continue;
            }
            let queue = text(properties, "Queue");
            let waits = template.properties(&queue).and_then(|it| number(it, "VisibilityTimeout"));
            let times =
                if SHORT_OF_PATIENCE.contains(&queue.as_str()) { 1 } else { QUEUE_PATIENCE };
            if timeout == 0 || waits.unwrap_or_default() < times * timeout {
                problems.push(format!(
                    "{queue} waits {waits:?} s for {name} ({event}), which takes up to {timeout} s: make it {times} times \
                     that"
                ));
            }
        }
    }
    problems
}

/// Every name that two stacks of one account would fight over.
pub fn name_problems(template: &Template) -> Vec<String> {
    let mut problems = Vec::new();
    for (resource, properties) in template.all() {
        for name in NAMES {
            let Some(value) = properties.get(name) else { continue };
            let own = matches!(value, Value::Tagged(tagged)
                if (tagged.tag == "Sub" || tagged.tag == "Ref")
                    && tagged.value.as_str().is_some_and(|text| text.contains("AWS::StackName")));
            // A permission names a function of this stack.
            let refers = template.properties(&plain(value)).is_some();
            if !own && !refers {
                problems.push(format!("{name} of {resource} does not carry the stack's name"));
            }
        }
    }
    problems
}

/// Every route that anyone can reach without a limit of its own, and every limit that cannot be deployed.
pub fn limit_problems(template: &Template) -> Vec<String> {
    let mut problems = Vec::new();
    for (stage, properties) in template.of_type("AWS::ApiGatewayV2::Stage") {
        let settings = properties.get("RouteSettings").and_then(Value::as_mapping);
        let limited: BTreeSet<String> =
            settings.into_iter().flatten().map(|(route, _)| plain(route)).collect();
        let waits_for: BTreeSet<String> = template.waits_for(stage).into_iter().collect();
        for (name, route) in template.of_type("AWS::ApiGatewayV2::Route") {
            let key = text(route, "RouteKey");
            if text(route, "AuthorizationType") != "JWT" && !limited.contains(&key) {
                problems.push(format!("anyone can call {key}: give it RouteSettings in {stage}"));
            }
            if limited.contains(&key) && !waits_for.contains(name) {
                problems.push(format!("{stage} limits {key}: it must depend on {name}"));
            }
        }
        let keys: BTreeSet<String> = template
            .of_type("AWS::ApiGatewayV2::Route")
            .map(|(_, route)| text(route, "RouteKey"))
            .collect();
        let unknown = limited.difference(&keys);
        problems
            .extend(unknown.map(|key| format!("{stage} limits {key}, and there is no such route")));
    }
    problems
}

/// Every function whose throttles or errors no alarm watches.
pub fn watch_problems(template: &Template) -> Vec<String> {
    let alarms = template.alarms();
    let mut problems = Vec::new();
    for metric in ["Throttles", "Errors"] {
        for (function, _) in template.of_type("AWS::Serverless::Function") {
            let watched = alarms.iter().flat_map(|alarm| &alarm.metrics).any(|of| {
                of.namespace == "AWS/Lambda"
                    && of.name == metric
                    && of.dimensions.get("FunctionName").is_some_and(|name| name == function)
            });
            if !watched {
                problems.push(format!("no alarm of template.yaml watches {metric} of {function}"));
            }
        }
    }
    problems
}

/// A function's events: name, kind, properties.
fn events(function: &Value) -> impl Iterator<Item = (String, String, &Value)> {
    let events = function.get("Events").and_then(Value::as_mapping).into_iter().flatten();
    events.filter_map(|(name, event)| {
        Some((plain(name), event.get("Type").map(plain)?, event.get("Properties")?))
    })
}

fn items<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_sequence).into_iter().flatten()
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).map(plain).unwrap_or_default()
}

fn number(of: &Value, name: &str) -> Option<u64> {
    of.get(name).and_then(Value::as_u64)
}
