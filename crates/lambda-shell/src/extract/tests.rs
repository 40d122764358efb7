use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::header::RETRY_AFTER;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::number::NumberText;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    key: String,
    quantity: NumberText,
}

#[derive(Deserialize)]
struct Page {
    limit: u8,
}

async fn report(Json(report): Json<Report>) -> String {
    let told: Vec<_> =
        report.events.iter().map(|event| format!("{}={}", event.key, event.quantity)).collect();
    told.join(";")
}

async fn failing(Path(cause): Path<String>) -> Result<(), Problem> {
    let source = "a secret detail".into();
    Err(match cause.as_str() {
        "unavailable" => app::Error::Unavailable { dependency: "DynamoDB", source },
        "contended" => app::Error::Contended { what: "a meter" },
        "refused" => app::Error::Refused { dependency: "DynamoDB", source },
        _ => app::Error::Corrupt { what: "a meter", source },
    })?
}

fn router() -> Router {
    let routes = Router::new()
        .route("/report", post(report))
        .route("/form", post(async |Form(page): Form<Page>| page.limit.to_string()))
        .route("/page", get(async |Query(page): Query<Page>| page.limit.to_string()))
        .route("/number/{n}", get(async |Path(n): Path<u8>| n.to_string()))
        .route("/failing/{cause}", get(failing))
        .layer(axum::extract::DefaultBodyLimit::max(200));
    with_problems(routes)
}

async fn answer(method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, kind)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn problem(method: &str, path: &str, kind: &str, body: &str) -> (u16, Value) {
    let (status, body) = answer(method, path, kind, body).await;
    (status, serde_json::from_str(&body).unwrap())
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_body_is_read_with_exact_numbers() {
    let body = r#"{"events":[{"key":"a","quantity":0.10},{"key":"b","quantity":"1.5"}]}"#;
    for kind in [JSON, "Application/JSON; charset=utf-8", "application/cloudevents+json"] {
        assert_eq!(answer("POST", "/report", kind, body).await, (200, "a=0.10;b=1.5".to_owned()));
    }
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let body = r#"{"events":[{"key":"a","quantity":1},{"key":7,"quantity":1}]}"#;
    let (status, told) = problem("POST", "/report", JSON, body).await;
    assert_eq!(
        (status, told),
        (
            422,
            json!({
                "title": "Unprocessable Entity",
                "status": 422,
                "code": "invalid_body",
                "detail": "A part of the body is not what it must be.",
                "errors": [{"field": "events[1].key", "detail": "invalid type: integer `7`, expected a string"}],
            })
        )
    );
    let (_, told) =
        problem("POST", "/report", JSON, r#"{"events":[{"key":"a","quantity":true}]}"#).await;
    assert_eq!(told["errors"][0]["field"], "events[0].quantity");
    let (_, told) = problem("POST", "/report", JSON, "[]").await;
    assert_eq!(told["code"], "invalid_body");
}

#[tokio::test]
async fn what_is_not_json_is_told_where() {
    for body in ["", "{", "{\"events\":[]} x"] {
        let (status, told) = problem("POST", "/report", JSON, body).await;
        assert_eq!((status, &told["code"]), (400, &json!("malformed_json")), "{body:?}");
    }
    let (_, told) = problem("POST", "/report", JSON, "{\n  nope").await;
    assert_eq!(told["detail"], "The body is not JSON: line 2, column 3.");
}

#[tokio::test]
async fn another_media_type_and_a_large_body_are_refused_by_name() {
    let (status, told) = problem("POST", "/report", "text/plain", "{}").await;
    assert_eq!((status, &told["code"]), (415, &json!("unsupported_media_type")));
    let (status, told) = problem("POST", "/form", JSON, "{}").await;
    assert_eq!((status, &told["code"]), (415, &json!("unsupported_media_type")));
    for (path, kind) in [("/report", JSON), ("/form", FORM)] {
        let (status, told) = problem("POST", path, kind, &"x".repeat(201)).await;
        assert_eq!((status, &told["code"]), (413, &json!("body_too_large")));
    }
}

#[tokio::test]
async fn forms_queries_and_paths_are_refused_by_name() {
    assert_eq!(answer("POST", "/form", FORM, "limit=7").await.0, 200);
    assert_eq!(problem("POST", "/form", FORM, "limit=many").await.1["code"], "invalid_form");
    let (status, told) = problem("GET", "/page?limit=300", "", "").await;
    assert_eq!((status, &told["code"]), (400, &json!("invalid_query")));
    assert_eq!(problem("GET", "/number/x", "", "").await.1["code"], "not_found");
    assert_eq!(problem("GET", "/nothing", "", "").await.1["code"], "not_found");
    let (status, told) = problem("DELETE", "/report", "", "").await;
    assert_eq!((status, &told["code"]), (405, &json!("method_not_allowed")));
}

#[tokio::test]
async fn our_failures_tell_nothing_but_whether_to_try_again() {
    for (cause, status, code) in [
        ("unavailable", 503, "unavailable"),
        ("contended", 503, "unavailable"),
        ("refused", 500, "internal_error"),
        ("corrupt", 500, "internal_error"),
    ] {
        let (got, body) = answer("GET", &format!("/failing/{cause}"), "", "").await;
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((got, &told["code"]), (status, &json!(code)), "{cause}");
        assert!(!body.contains("secret") && !body.contains("DynamoDB"), "{body}");
    }
    let response = Problem::unavailable().into_response();
    assert_eq!(response.headers()[RETRY_AFTER], "5");
    assert_eq!(response.headers()[CONTENT_TYPE], crate::problem::MEDIA_TYPE);
}
