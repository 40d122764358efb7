//! The client against servers of its own, and names that lead home.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use bytes::Bytes;
use guarded_http::{Client, Limits, Networks, RequestError};

const LIMITS: Limits = Limits { time: Duration::from_secs(5), body: 1_000 };

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

fn anywhere() -> Client {
    Client::new(Networks::Any, LIMITS).unwrap()
}

#[tokio::test]
async fn names_and_numbers_that_lead_home_are_refused_before_anything_is_sent() {
    let client = Client::new(Networks::PublicOrPlain, LIMITS).unwrap();
    for url in [
        "https://localhost/",
        "http://localhost/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.0.0.1/",
        "http://[::1]/",
    ] {
        let error = client.get(url).await.unwrap_err();
        assert!(matches!(error, RequestError::Refused(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let home = serve(
        Router::new()
            .route("/", get(async || Redirect::temporary("/secret")))
            .route("/secret", get(async || "followed")),
    )
    .await;
    let answer = anywhere().get(&home).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(answer.headers["location"], "/secret");
}

#[tokio::test]
async fn an_answer_beyond_its_limit_is_dropped() {
    let at = serve(
        Router::new()
            .route("/fits", get(async || "x".repeat(1_000)))
            .route("/large", get(async || "x".repeat(1_001))),
    )
    .await;
    assert_eq!(anywhere().get(&format!("{at}/fits")).await.unwrap().body.len(), 1_000);
    let error = anywhere().get(&format!("{at}/large")).await.unwrap_err();
    assert!(matches!(error, RequestError::TooLarge(1_000)), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_waited_for_no_longer_than_agreed() {
    let silent = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let hasty = Limits { time: Duration::from_millis(50), ..LIMITS };
    let error = Client::new(Networks::Any, hasty).unwrap().get(&silent).await.unwrap_err();
    assert!(matches!(error, RequestError::TooSlow(_)), "{error:?}");
}

#[tokio::test]
async fn headers_and_body_arrive_as_they_were_given() {
    let echo = async |headers: http::HeaderMap, body: String| {
        format!("{}:{body}", headers["webhook-id"].to_str().unwrap())
    };
    let at = serve(Router::new().route("/", post(echo))).await;
    let id = ("webhook-id".parse().unwrap(), "msg_1".parse().unwrap());
    let answer = anywhere().post(&at, [id], Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"msg_1:{}".as_slice()));
}
