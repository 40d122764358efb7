//! The template beside the code, where it is not about one function: that each function is in it, that API Gateway has the
//! routers' routes, and that alarms and widgets name metrics that the code emits. What a function may do and is told is
//! tested beside each function, in `functions/*/tests/template.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use lambda_shell::metrics::{self, By};
use local::{System, SystemOptions};
use template::{
    MetricRef, Template, expect_none, hop_problems, limit_problems, name_problems,
    patience_problems, watch_problems,
};
use tower::ServiceExt;

fn functions() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_function_is_in_the_template_and_is_held_to_it() {
    let functions = functions();
    assert_eq!(Template::read().unwrap().functions(), functions);
    for function in functions {
        let test =
            format!("{}/../functions/{function}/tests/template.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(
            Path::new(&test).exists(),
            "copy functions/webhook/tests/template.rs to functions/{function}/tests"
        );
    }
}

/// Method, path, and whether API Gateway verifies the caller.
type Route = (String, String, bool);

#[tokio::test]
async fn api_gateway_has_exactly_the_routes_of_the_routers() {
    let system =
        System::start(SystemOptions { settled_on_drop: false, ..SystemOptions::default() });
    let (public, verified) = system.await.unwrap().routers();
    let mut served = routes(public, false).await;
    served.extend(routes(verified, true).await);
    // Anyone may ask how the API is, and how to speak to it.
    let open = ["/marketplace/health", "/marketplace/openapi.json"];
    let served: BTreeSet<Route> = served
        .into_iter()
        .map(|(method, path, verified)| {
            let verified = verified && !open.contains(&path.as_str()) && !is_page(&path);
            (method, path, verified)
        })
        .collect();
    assert!(served.len() > 20, "the routers' routes were found: {served:?}");

    let template = Template::read().unwrap().routes().into_iter();
    let deployed: BTreeSet<Route> =
        template.map(|route| (route.method, route.path, route.authorized)).collect();
    let said = |(method, path, verified): &Route| {
        let how = if *verified { "with the JWT authorizer" } else { "without an authorizer" };
        format!("{method} {path} {how}")
    };
    let missing = served.difference(&deployed).map(|route| {
        format!("{} is served: add an AWS::ApiGatewayV2::Route to template.yaml", said(route))
    });
    let surplus = deployed.difference(&served).map(|route| {
        format!("{} is in template.yaml, and no router serves it so: remove it", said(route))
    });
    expect_none(&missing.chain(surplus).collect::<Vec<_>>());
}

/// Pages for people: a browser has no token; a sealed session is the proof.
fn is_page(path: &str) -> bool {
    ["/marketplace/account/", "/marketplace/desk", "/marketplace/page-sessions/"]
        .iter()
        .any(|pages| path.starts_with(pages))
}

/// A router's routes: its paths as it tells them, and of each the methods that it does not refuse.
async fn routes(router: Router, verified: bool) -> Vec<Route> {
    let printed = format!("{router:?}");
    let paths: BTreeSet<&str> =
        printed.split('"').filter(|word| word.starts_with("/marketplace")).collect();
    let mut found = Vec::new();
    for path in paths.into_iter().filter(|path| !path.contains("{*")) {
        let path = path.trim_end_matches('/');
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = Request::builder().method(method).uri(path.replace(['{', '}'], ""));
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            // An asset that does not exist is not found although its route is there.
            let asset = path.contains("/assets/") && method == "GET";
            let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_FOUND];
            if asset || !refused.contains(&answer.status()) {
                found.push((method.to_owned(), path.to_owned(), verified));
            }
        }
    }
    found
}

/// What AWS's own services measure and the template uses, with its unit and dimension.
const OF_AWS: &[(&str, &str, &str, &str)] = &[
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Count", "QueueName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Seconds", "QueueName"),
    ("AWS/Lambda", "Errors", "Count", "FunctionName"),
    ("AWS/Lambda", "Throttles", "Count", "FunctionName"),
    ("AWS/Lambda", "Duration", "Milliseconds", "FunctionName"),
    ("AWS/Lambda", "IteratorAge", "Milliseconds", "FunctionName"),
    ("AWS/ApiGateway", "5xx", "Count", "ApiId"),
];

/// Why nobody emits a metric like this; `None` when somebody does.
fn wrong(metric: &MetricRef) -> Option<String> {
    let MetricRef { namespace, name, unit, dimensions } = metric;
    let dimensions: Vec<&str> = dimensions.keys().map(String::as_str).collect();
    if namespace.starts_with("AWS/") {
        let known = OF_AWS.iter().find(|(of, known, ..)| of == namespace && known == name);
        let Some((_, _, of_unit, dimension)) = known else {
            return Some(format!("{namespace} has no metric {name} that this test knows"));
        };
        let other = unit.as_deref().is_some_and(|unit| unit != *of_unit);
        return (other || dimensions != [*dimension])
            .then(|| format!("{name} comes in {of_unit} by {dimension}"));
    }
    if !namespace.starts_with("Marketplace/") {
        return Some(format!("{namespace} is not the stack's namespace"));
    }
    let Some(known) = metrics::ALL.iter().find(|known| known.name == name) else {
        return Some(format!("the code emits no metric {name}"));
    };
    if unit.as_deref().is_some_and(|unit| unit != known.unit) {
        return Some(format!("{name} comes in {}", known.unit));
    }
    match (known.by, dimensions.as_slice()) {
        (_, []) => None,
        (By::Reason, [dimension]) if *dimension == metrics::REASON => None,
        _ => Some(format!("{name} has no dimensions {dimensions:?}")),
    }
}

#[test]
fn every_alarm_names_a_metric_that_the_code_emits_in_its_unit_and_dimensions() {
    let alarms = Template::read().unwrap().alarms();
    assert!(alarms.len() > 20, "the alarms were found");
    let mut problems = Vec::new();
    for alarm in alarms {
        if alarm.metrics.is_empty() {
            problems.push(format!("{} watches nothing", alarm.name));
        }
        for metric in &alarm.metrics {
            if metric.unit.is_none() {
                problems.push(format!("{} must name the unit of {}", alarm.name, metric.name));
            }
            problems.extend(wrong(metric).map(|why| format!("{}: {why}", alarm.name)));
        }
    }
    expect_none(&problems);
}

#[test]
fn every_widget_names_a_metric_that_the_code_emits() {
    let widgets = Template::read().unwrap().widgets().unwrap();
    assert!(widgets.len() > 20, "the widgets were found");
    expect_none(&widgets.iter().filter_map(wrong).collect::<Vec<_>>());
}

#[test]
fn every_alarm_is_explained_where_operators_look() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operate.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for alarm in Template::read().unwrap().alarms() {
        let mut name = String::new();
        for letter in alarm.name.trim_end_matches("Alarm").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        assert!(guide.contains(&format!("`{name}`")), "docs/operate.md does not explain {name}");
    }
}

#[test]
fn every_function_has_an_alarm_for_its_throttles_and_one_for_its_errors() {
    expect_none(&watch_problems(&Template::read().unwrap()));
}

#[test]
fn nothing_that_fails_on_an_asynchronous_hop_is_lost() {
    expect_none(&hop_problems(&Template::read().unwrap()));
}

#[test]
fn no_queue_gives_out_a_message_again_while_its_function_may_be_at_work() {
    expect_none(&patience_problems(&Template::read().unwrap()));
}

#[test]
fn two_stacks_of_one_account_do_not_collide() {
    expect_none(&name_problems(&Template::read().unwrap()));
}

#[test]
fn every_route_that_anyone_can_reach_has_a_limit_of_its_own() {
    expect_none(&limit_problems(&Template::read().unwrap()));
}
