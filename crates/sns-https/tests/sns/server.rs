//! A stand-in for SNS's addresses, which counts who comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guarded_http::{Client, Limits, Networks};
use jiff::Timestamp;
use serde_json::{Value, json};
use sns_https::{Delivery, Hosts, Roots, Rules, SnsError, Verifier};

use crate::authority::{Authority, Leaf, NAME, NOW, sign};

pub(crate) const TOPIC: &str =
    "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-abcd";

/// What is at a path: a body, a status, or another place.
#[derive(Clone)]
pub(crate) enum Found {
    Body(Vec<u8>),
    Status(u16),
    Elsewhere,
}

type Shelf = Arc<Mutex<(HashMap<String, Found>, Vec<String>)>>;

/// The stand-in, and a verifier that believes it.
pub(crate) struct Sns {
    pub(crate) base: String,
    pub(crate) verifier: Verifier,
    shelf: Shelf,
}

async fn serve(State(shelf): State<Shelf>, Path(name): Path<String>) -> Response {
    let mut shelf = shelf.lock().unwrap();
    shelf.1.push(name.clone());
    match shelf.0.get(&name) {
        Some(Found::Body(body)) => body.clone().into_response(),
        Some(Found::Status(status)) => StatusCode::from_u16(*status).unwrap().into_response(),
        Some(Found::Elsewhere) => Redirect::temporary("leaf.pem").into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Sns {
    /// A stand-in whose verifier trusts `root`.
    pub(crate) async fn trusting(root: &Authority) -> Self {
        let shelf = Shelf::default();
        let router = Router::new().route("/sns/{name}", get(serve)).with_state(shelf.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/sns/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let rules = Rules {
            topics: vec![TOPIC.to_owned()],
            hosts: Hosts::StandIn { base: base.clone(), name: NAME.to_owned() },
            roots: Roots::from_pem(root.pem.as_bytes()).unwrap(),
        };
        let limits = Limits { time: Duration::from_secs(5), body: 64 * 1024 };
        let client = Client::new(Networks::Any, limits).unwrap();
        Self { base, verifier: Verifier::new(rules, client), shelf }
    }

    /// A stand-in with a sound certificate.
    pub(crate) async fn sound() -> Self {
        let root = Authority::root("root");
        let sns = Self::trusting(&root).await;
        sns.put("leaf.pem", Found::Body(root.leaf(&Leaf::default()).into_bytes()));
        sns
    }

    pub(crate) fn put(&self, name: &str, found: Found) {
        self.shelf.lock().unwrap().0.insert(name.to_owned(), found);
    }

    /// Who came, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shelf.lock().unwrap().1.clone()
    }

    pub(crate) fn notification(&self, version: &str) -> Message {
        let body = json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "My First Message",
            "Message": "{\"action\":\"subscribe-success\"}\nwith a second line",
            "Timestamp": NOW,
            "SignatureVersion": version,
            "SigningCertURL": format!("{}leaf.pem", self.base),
            "UnsubscribeURL": format!("{}?Action=Unsubscribe", self.base),
            "MessageAttributes": {"n": {"Type": "String", "Value": "v"}},
        });
        Message(body)
    }

    pub(crate) fn confirmation(&self, kind: &str) -> Message {
        let url =
            format!("{}confirm?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336", self.base);
        let body = json!({
            "Type": kind,
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336",
            "TopicArn": TOPIC,
            "Message": "You have chosen to subscribe.\nTo confirm, visit the SubscribeURL.",
            "SubscribeURL": url,
            "Timestamp": NOW,
            "SignatureVersion": "2",
            "SigningCertURL": format!("{}leaf.pem", self.base),
        });
        Message(body)
    }

    pub(crate) async fn judge(&self, message: &Message) -> Result<Delivery, SnsError> {
        self.judge_at(message, NOW).await
    }

    pub(crate) async fn judge_at(
        &self,
        message: &Message,
        now: &str,
    ) -> Result<Delivery, SnsError> {
        let now: Timestamp = now.parse().unwrap();
        self.verifier.verify(message.0.to_string().as_bytes(), now).await
    }
}

/// A message on its way.
#[derive(Clone)]
pub(crate) struct Message(pub(crate) Value);

impl Message {
    /// What SNS signs of it, written down here once more, apart from what is tested.
    pub(crate) fn string_to_sign(&self) -> String {
        let order: &[&str] = if self.0["Type"] == "Notification" {
            &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        } else {
            &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        };
        let line = |name: &&str| self.0[*name].as_str().map(|value| format!("{name}\n{value}\n"));
        order.iter().filter_map(line).collect()
    }

    pub(crate) fn signed(self) -> Self {
        self.signed_with(0)
    }

    pub(crate) fn signed_with(self, key: usize) -> Self {
        let text = self.string_to_sign();
        self.signed_over(key, &text)
    }

    pub(crate) fn signed_over(mut self, key: usize, text: &str) -> Self {
        let version = self.0["SignatureVersion"].as_str().unwrap();
        let signature = STANDARD.encode(sign(key, version, text));
        self.0["Signature"] = json!(signature);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0[name] = json!(value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(name);
        self
    }
}
