//! Serving HTTP to whoever connects, the slow and the hostile included: API Gateway's limits, in small.
//!
//! A connection must send its headers within [`HEAD`] and a body within [`BODY`] and [`LARGEST_BODY`], and go on taking
//! its answer within [`ANSWER`]; there are at most [`CONNECTIONS`] of them, and more wait. What a handler does with a whole request is not limited here: moving the clock
//! by a year takes its time.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body_util::LengthLimitError;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lambda_shell::problem::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::patience::Patience;

/// For the headers of a request, from the connection or the answer before.
const HEAD: Duration = Duration::from_secs(15);

/// For the body of a request.
const BODY: Duration = Duration::from_secs(15);

/// For taking the next part of an answer.
const ANSWER: Duration = Duration::from_secs(15);

/// The largest body: what API Gateway lets through, and more than any route takes.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The largest head.
const LARGEST_HEAD: usize = 64 * 1024;

/// Connections at the same time.
const CONNECTIONS: usize = 512;

/// Serves for ever. Dropped, it hangs up on everybody.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    one(stream, router).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: those who go will make room.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn one(stream: TcpStream, router: Router) {
    // Failing to set it costs milliseconds.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request.map(Body::new)).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Patience::of(stream, ANSWER)), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Lets the router see whole requests only.
async fn answer(router: Router, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Who announces too much need not send it.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|size| size > LARGEST_BODY) {
        return closing(too_large());
    }
    let body = match tokio::time::timeout(BODY, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            return closing(too_large());
        }
        Ok(Err(_)) => {
            let detail = "The body could not be read to its end.";
            return closing(Problem::bad_request("unreadable_body", detail));
        }
        Err(_) => {
            let detail = "The body did not come in time.";
            return closing(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail));
        }
    };
    match router.oneshot(Request::from_parts(parts, Body::from(body))).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn too_large() -> Problem {
    let detail = "The body is larger than this address takes.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// What is left of the request is not read any more.
fn closing(problem: Problem) -> Response {
    ([("connection", "close")], problem).into_response()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn served() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", post(async |body: String| body.len().to_string()))
            .route("/long", get(async || "a".repeat(64 * 1024 * 1024)));
        tokio::spawn(serve(listener, router));
        address
    }

    /// What comes back for these bytes; the clock is paused and runs as soon as everybody waits.
    async fn told(address: SocketAddr, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_whole_request_is_answered() {
        let whole =
            b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
        let answer = told(served().await, whole).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n2"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_finish_the_head_or_the_body_is_hung_up_on() {
        let address = served().await;
        let head = told(address, b"POST / HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
        let body =
            told(address, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await;
        assert!(body.starts_with("HTTP/1.1 408"), "{body}");
        assert!(body.contains("request_timeout"), "{body}");
        let silent = told(address, b"").await;
        assert!(silent.is_empty() || silent.starts_with("HTTP/1.1 408"), "{silent}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_hung_up_on() {
        let mut stream = TcpStream::connect(served().await).await.unwrap();
        stream.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        tokio::time::sleep(ANSWER * 2).await;
        let mut answer = Vec::new();
        // Hung up on in the midst of it, and perhaps reset.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 200") && answer.len() < 64 * 1024 * 1024);
    }

    #[tokio::test]
    async fn a_head_without_end_and_a_body_beyond_measure_are_cut_off() {
        let address = served().await;
        let long =
            format!("POST / HTTP/1.1\r\nhost: x\r\nx-long: {}", "a".repeat(LARGEST_HEAD * 2));
        let answer = told(address, long.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        let head =
            format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", LARGEST_BODY + 1);
        let answer = told(address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
}
