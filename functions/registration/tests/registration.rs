//! Requests to the registration, as API Gateway sends them, over fakes of the ports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use app::ports::ResolvedBuyer;
use axum::body::Body;
use domain::ids::LicenseArn;
use http::{Request, Response};
use http_body_util::BodyExt;
use lambda_http::request::LambdaRequest;
use lambda_shell::config::Secrets;
use lambda_shell::fakes::{FakeAws, FakeStore, PRODUCT, clock, context};
use lambda_shell::metrics::Metrics;
use pages::Brand;
use registration::{Deps, router};
use tower::ServiceExt;

/// The token of the example event, as the buyer's browser would have it.
const TOKEN: &str = "example+token/with=padding==";
const LICENSE: &str =
    "arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef";

fn deps() -> Deps<FakeStore, FakeAws> {
    Deps {
        context: context(),
        clock: clock("2026-11-24T07:31:05Z"),
        secrets: Secrets::parse("an-example-secret-that-is-never-used").unwrap(),
        brand: Brand::default(),
        metrics: Metrics::discard(),
    }
}

fn knows_token(deps: &Deps<FakeStore, FakeAws>, product: &str) {
    let license: LicenseArn = LICENSE.parse().unwrap();
    let buyer = ResolvedBuyer {
        product: product.parse().unwrap(),
        account: Some("111122223333".parse().unwrap()),
        license: Some(license),
        agreement: Some("agmt-abcd1234efgh5678ijkl9012m".parse().unwrap()),
        customer: None,
    };
    deps.context.aws.buyers.lock().unwrap().insert(TOKEN.to_owned(), buyer);
}

/// What the Lambda runtime makes of an API Gateway event.
fn through_api_gateway(name: &str) -> Request<Body> {
    let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
    let event: LambdaRequest =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let request: lambda_http::Request = event.into();
    request.map(|body| Body::from(body.to_vec()))
}

async fn send(deps: &Deps<FakeStore, FakeAws>, request: Request<Body>) -> Response<String> {
    let response = router(deps.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

/// The page that an answer leads to.
async fn follow(
    deps: &Deps<FakeStore, FakeAws>,
    answer: &Response<String>,
    cookie: &str,
) -> Response<String> {
    assert_eq!(answer.status(), 303, "a page that can be read again: {}", answer.body());
    let address = answer.headers()["location"].to_str().unwrap();
    let request = Request::get(address).header("cookie", cookie).body(Body::empty()).unwrap();
    send(deps, request).await
}

fn cookie(response: &Response<String>) -> &str {
    response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap()
}

#[tokio::test]
async fn a_buyer_lands_completes_the_form_and_is_registered() {
    let deps = deps();
    knows_token(&deps, PRODUCT);
    let landed = send(&deps, through_api_gateway("registration.land.json")).await;
    let page = follow(&deps, &landed, cookie(&landed)).await;
    assert!(page.body().contains("Complete your registration"), "{}", page.body());

    let mut form = through_api_gateway("registration.complete.json");
    form.headers_mut().insert("cookie", cookie(&landed).parse().unwrap());
    let completed = send(&deps, form).await;
    let page = follow(&deps, &completed, cookie(&landed)).await;
    assert_eq!(page.status(), 200);
    assert!(page.body().contains("Thank you. Your details are saved."), "{}", page.body());
    let states = deps.context.store.states();
    assert!(states[0].registered.is_some(), "{states:?}");
}

#[tokio::test]
async fn the_token_is_in_no_header_and_on_no_page() {
    let deps = deps();
    knows_token(&deps, PRODUCT);
    let landed = send(&deps, through_api_gateway("registration.land.json")).await;
    let page = follow(&deps, &landed, cookie(&landed)).await;
    let all =
        format!("{:?} {} {:?} {}", landed.headers(), landed.body(), page.headers(), page.body());
    assert!(!all.contains("example+token") && !all.contains("example%2Btoken"), "{all}");
}

#[tokio::test]
async fn a_token_that_is_not_known_or_is_of_another_listing_changes_nothing() {
    let deps = deps();
    let unknown = send(&deps, through_api_gateway("registration.land.json")).await;
    assert_eq!(unknown.status(), 400);
    knows_token(&deps, "zyxw9876vuts5432rqpo1098n");
    let foreign = send(&deps, through_api_gateway("registration.land.json")).await;
    assert_eq!(foreign.status(), 403);
    assert!(deps.context.store.states().is_empty());
    assert!(!foreign.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn a_form_without_a_session_of_ours_registers_nobody() {
    let deps = deps();
    let form = || through_api_gateway("registration.complete.json");
    assert_eq!(send(&deps, form()).await.status(), 400, "the example's own cookie is no session");
    let mut none = form();
    none.headers_mut().remove("cookie");
    assert_eq!(send(&deps, none).await.status(), 400);
    assert!(deps.context.store.states().is_empty());
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_run_nothing_inline() {
    let deps = deps();
    knows_token(&deps, PRODUCT);
    let landed = send(&deps, through_api_gateway("registration.land.json")).await;
    let landed = follow(&deps, &landed, cookie(&landed)).await;
    let policy = landed.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let body = landed.body();
    assert!(!body.contains("<style") && !body.contains("style=\"") && !body.contains("onclick"));
    for address in
        body.split("src=\"").skip(1).chain(body.split("rel=\"stylesheet\" href=\"").skip(1))
    {
        let address = address.split('"').next().unwrap();
        let asset = Request::get(address).body(Body::empty()).unwrap();
        assert_eq!(send(&deps, asset).await.status(), 200, "{address}");
    }
}

#[tokio::test]
async fn a_form_with_a_wrong_entry_comes_back_with_what_was_typed() {
    let deps = deps();
    knows_token(&deps, PRODUCT);
    let landed = send(&deps, through_api_gateway("registration.land.json")).await;
    let form = Request::post("/marketplace/register/complete")
        .header("cookie", cookie(&landed))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("company=Acme+%26+Sons&email=nobody"))
        .unwrap();
    let corrected = send(&deps, form).await;
    assert_eq!(corrected.status(), 422);
    let body = corrected.body();
    assert!(body.contains("value=\"Acme &amp; Sons\"") && body.contains("aria-invalid=\"true\""));
    assert!(body.contains("enter an e-mail address like name@example.com"), "{body}");
    assert!(deps.context.store.states()[0].registered.is_none());
}
