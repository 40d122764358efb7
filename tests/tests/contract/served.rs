//! The document beside the running system.

use local::{System, SystemOptions, client::Client};
use reqwest::Method;

use crate::document::{contract, routes};

#[tokio::test]
async fn every_documented_route_is_served_and_the_document_with_them() {
    let system = System::start(SystemOptions::default()).await.unwrap();
    let client = Client::new(system.url(), Some(system.secrets().api_key.clone()));
    for route in routes() {
        let path = route.path.replace("{id}", "sub_00000000000000000000000000000001");
        let method: Method = route.method.as_str().parse().unwrap();
        let answer = Client::send(client.request(method, &path)).await.unwrap();
        let unknown = answer.status == 405 || answer.code() == Some("not_found");
        assert!(!unknown, "{} {} is not served: {answer}", route.method, route.path);
    }
    let served = client.get("/marketplace/openapi.json").await.unwrap().ok().unwrap();
    assert!(served == contract(), "the served document is not what the code says");
}

#[tokio::test]
async fn what_is_not_documented_is_a_problem_too() {
    let system = System::start(SystemOptions::default()).await.unwrap();
    let client = Client::new(system.url(), Some(system.secrets().api_key.clone()));
    let asked = |method: Method, path: &'static str| client.request(method, path);
    let sub = "/marketplace/subscriptions/sub_00000000000000000000000000000001/meter";
    let text = asked(Method::POST, sub).header("content-type", "text/plain").body("{}");
    for (request, status, code) in [
        (asked(Method::GET, "/marketplace/nothing"), 404, "not_found"),
        (asked(Method::PATCH, "/marketplace/subscriptions"), 405, "method_not_allowed"),
        (asked(Method::GET, "/marketplace/webhook"), 405, "method_not_allowed"),
        (asked(Method::DELETE, "/marketplace/register"), 405, "method_not_allowed"),
        (text, 415, "unsupported_media_type"),
    ] {
        let answer = Client::send(request).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.code()), (status, Some(code)), "{answer}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        if status == 405 {
            assert!(answer.headers.contains_key("allow"), "a 405 names what is allowed: {answer}");
        }
    }
}

#[test]
fn routes_are_added_to_the_table_only() {
    for function in ["registration", "subscription-api", "webhook"] {
        for (path, text) in crate::codes::sources(&format!("functions/{function}/src")) {
            // Pages for people are looked at, not programmed against.
            let pages = path.ends_with("src/people/mod.rs");
            assert!(
                pages || !text.contains(".route("),
                "{path} has a route that the contract does not know"
            );
        }
    }
}
