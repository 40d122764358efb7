//! Stand-ins for SQS and SNS that take whatever they are sent, and count what was published.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// Both, on one loopback address.
#[derive(Debug)]
pub(crate) struct Neighbours {
    address: SocketAddr,
    published: Arc<AtomicUsize>,
}

impl Neighbours {
    pub(crate) async fn start() -> Self {
        let published = Arc::new(AtomicUsize::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(take).with_state(published.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, published }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Messages published to topics.
    pub(crate) fn published(&self) -> usize {
        self.published.load(Ordering::SeqCst)
    }
}

/// SQS speaks JSON with the call in a header, SNS forms with the call in the body; SNS answers XML.
async fn take(
    State(published): State<Arc<AtomicUsize>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if headers.get("x-amz-target").is_some_and(|target| target == "AmazonSQS.SendMessage") {
        let json = [("content-type", "application/x-amz-json-1.0")];
        return (json, r#"{"MessageId":"00000000-0000-4000-8000-000000000000"}"#).into_response();
    }
    assert!(body.contains("Action=Publish"), "neither SendMessage nor Publish: {body}");
    published.fetch_add(1, Ordering::SeqCst);
    let xml = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
               <MessageId>00000000-0000-4000-8000-000000000000</MessageId></PublishResult>\
               </PublishResponse>";
    ([("content-type", "text/xml")], xml).into_response()
}
