//! Parsers behind routes: a request with the broken body, and an answer that is never a 500.

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use lambda_shell::config::{Configuration, Secrets, Vars, WebhookEndpoint};
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use lambda_shell::signature;
use sns_https::{Hosts, Roots, Rules, Verifier};
use subscription_api::{Caller, Role};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::corpus::{bodies, events, examples};
use crate::run::fuzz;

const NOW: &str = "2026-11-24T07:01:05Z";
const SECRET: &str = "an-example-secret-that-is-never-used";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whether the request succeeds. A 500 would blame us for what the caller sent.
fn ask(runtime: &Runtime, router: &Router, request: Request<Body>) -> bool {
    let status = runtime.block_on(router.clone().oneshot(request)).unwrap().status();
    assert!(status.as_u16() != 500, "the answer was {status}");
    status.is_success()
}

fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Body> {
    let request = Request::post(path);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_vec())).unwrap()
}

fn api() -> Router {
    let deps = subscription_api::Deps::<FakeStore, FakeAws> {
        context: context(),
        clock: clock(NOW),
        version: "fuzz".to_owned(),
        secrets: Secrets::parse(SECRET).unwrap(),
        brand: pages::Brand::default(),
        metrics: Metrics::discard(),
    };
    let caller = Caller { subject: "fuzz".to_owned(), role: Role::Admin };
    subscription_api::router(deps).layer(axum::Extension(caller))
}

fn webhook(sns: Option<Verifier>) -> (Router, Secrets) {
    let secrets = Secrets::parse(SECRET).unwrap();
    let deps = webhook::Deps::<FakeStore, FakeAws> {
        context: context(),
        clock: clock(NOW),
        secrets: secrets.clone(),
        sns,
        endpoint: WebhookEndpoint::default(),
        metrics: Metrics::discard(),
    };
    (webhook::router(deps), secrets)
}

#[test]
fn bodies_of_the_webhook_that_were_rightly_signed() {
    let (runtime, (router, secrets)) = (runtime(), webhook(None));
    fuzz("signed webhook bodies", &examples("webhook", bodies("webhook")), |input| {
        let signed = signature::sign(&secrets, input, NOW.parse().unwrap());
        let headers = signed.each_ref().map(|(name, value)| (*name, value.as_str()));
        ask(&runtime, &router, post("/marketplace/webhook", &headers, input))
    });
}

#[test]
fn messages_of_sns_before_anything_is_fetched() {
    let rules = Rules {
        topics: vec![
            "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-abcd".to_owned(),
        ],
        hosts: Hosts::Aws,
        roots: Roots::system().unwrap(),
    };
    let limits = guarded_http::Limits { time: std::time::Duration::from_millis(1), body: 1 };
    let client = guarded_http::Client::new(guarded_http::Networks::Public, limits).unwrap();
    let verifier = Verifier::new(rules, client);
    let runtime = runtime();
    // Nothing of these can be believed; what counts is that none falls over, and that the way to each refusal is taken.
    let mut codes = std::collections::BTreeSet::new();
    fuzz("SNS messages", &examples("sns", []), |input| {
        let judged = runtime.block_on(verifier.verify(input, NOW.parse().unwrap()));
        codes.insert(judged.unwrap_err().code());
        true
    });
    assert!(codes.len() >= 4, "{codes:?}");
}

#[test]
fn forms_of_the_registration_page() {
    let vars = Vars::of([("PRODUCT_NAME", "Fuzz")]);
    let deps = registration::Deps::<FakeStore, FakeAws> {
        context: context(),
        clock: clock(NOW),
        secrets: Secrets::parse(SECRET).unwrap(),
        brand: pages::Brand::from_vars(&vars).unwrap(),
        metrics: Metrics::discard(),
    };
    let (runtime, router) = (runtime(), registration::router(deps));
    let form = ("content-type", "application/x-www-form-urlencoded");
    fuzz("registration forms", &examples("form", bodies("registration")), |input| {
        let landed = ask(&runtime, &router, post("/marketplace/register", &[form], input));
        let completed =
            ask(&runtime, &router, post("/marketplace/register/complete", &[form], input));
        // Without a buyer at hand, to be refused politely is all there is.
        landed || completed || !input.is_empty()
    });
}

#[test]
fn bodies_of_the_api() {
    let (runtime, router) = (runtime(), api());
    let subscription = "/marketplace/subscriptions/sub_00000000000000000000000000000001";
    let json = ("content-type", "application/json");
    fuzz("API bodies", &examples("api", bodies("subscription-api")), |input| {
        let mut taken = ask(&runtime, &router, post("/marketplace/subscriptions", &[json], input));
        for path in ["meter", "entitlements/check", "entitlements/consume", "entitlements/release"]
        {
            taken |=
                ask(&runtime, &router, post(&format!("{subscription}/{path}"), &[json], input));
        }
        taken
    });
}

#[test]
fn cursors_and_other_queries_of_the_api() {
    let (runtime, router) = (runtime(), api());
    fuzz("cursors", &examples("cursors", []), |input| {
        let query: String = input
            .iter()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'=' | b'&' | b'-' | b'_' | b'%' => {
                    char::from(*byte).to_string()
                }
                other => format!("%{other:02x}"),
            })
            .collect();
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("/marketplace/subscriptions?{query}"));
        request.body(Body::empty()).is_ok_and(|request| ask(&runtime, &router, request))
    });
}

#[test]
fn the_simulators_wire_in_json_and_cbor() {
    let simulator = simulator::Simulator::open(simulator::Options::default()).unwrap();
    let (runtime, router) = (runtime(), simulator.router());
    // It believes any signature; whose key it is decides who calls.
    let credential = "AWS4-HMAC-SHA256 Credential=AKIDSELLER/20261110/us-east-1/aws-marketplace/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=0000";
    let signed = ("authorization", credential);
    let cbor = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor"), signed];
    let target =
        |name| [("x-amz-target", name), ("content-type", "application/x-amz-json-1.1"), signed];
    fuzz("simulator wire", &examples("wire", []), |input| {
        let entitled = "/service/AWSMPEntitlementService/operation/GetEntitlements";
        let searched = "/service/AWSMPCommerceService_v20200301/operation/SearchAgreements";
        let mut taken = ask(&runtime, &router, post(entitled, &cbor, input));
        taken |= ask(&runtime, &router, post(searched, &cbor, input));
        for name in
            ["AWSMPMeteringService.BatchMeterUsage", "AWSMPEntitlementService.GetEntitlements"]
        {
            taken |= ask(&runtime, &router, post("/", &target(name), input));
        }
        taken
    });
}

#[test]
fn events_of_the_triggers() {
    let runtime = runtime();
    let notifier = tenant_notifier::Deps::<FakeStore, FakeAws> {
        context: context(),
        clock: clock(NOW),
        metrics: Metrics::discard(),
    };
    let scheduler = metering_scheduler::Deps::<FakeStore, FakeAws> {
        context: context(),
        clock: clock(NOW),
        metrics: Metrics::discard(),
    };
    let all = ["tenant-notifier", "metering-scheduler", "webhook-sender", "entitlement-listener"];
    let all = all.iter().flat_map(|function| events(function));
    let all = all.map(|event| event.to_string().into_bytes());
    fuzz("trigger events", &examples("events", all), |input| {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(input) else { return false };
        let budget = metering_scheduler::budget(std::time::SystemTime::now());
        let settled =
            runtime.block_on(metering_scheduler::handle(&scheduler, event.clone(), &budget));
        let told = runtime.block_on(tenant_notifier::handle(&notifier, event));
        settled.is_ok() || told.is_ok()
    });
}
