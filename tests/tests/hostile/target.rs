//! What is attacked: a system with one subscription, and everything that must not change.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use local::{System, SystemOptions};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::Purchase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Target {
    pub(crate) system: System,
    pub(crate) http: reqwest::Client,
    pub(crate) id: String,
    pub(crate) rows: Vec<(&'static str, String, String)>,
    pub(crate) before: Value,
}

impl Target {
    /// A system with one subscription that has used something.
    pub(crate) async fn start() -> Self {
        let options = SystemOptions { settled_on_drop: false, ..SystemOptions::default() };
        let system = System::start(options).await.unwrap();
        let http = reqwest::Client::new();
        let entitlements = [("standard".to_owned(), rust_decimal::Decimal::ONE)].into();
        let account = "111122223333".to_owned();
        let purchase = Purchase { account, entitlements, ..Purchase::default() };
        let bought = system.simulator().buy(purchase).unwrap();
        let form = system.simulator().fulfilment_form(&bought.agreement_id).unwrap();
        let url = system.url();
        let landed = http.post(format!("{url}/marketplace/register"));
        let landed = landed.header("accept", "application/json").form(&form).send().await.unwrap();
        let cookie = landed.headers()["set-cookie"].to_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let details = [("company", "Acme"), ("contact", "Jo"), ("email", "jo@example.com")];
        let request = http.post(format!("{url}/marketplace/register/complete"));
        request.header("cookie", cookie).form(&details).send().await.unwrap();
        system.advance(SignedDuration::from_mins(2)).await.unwrap();
        let mut target =
            Self { system, http, id: String::new(), rows: Vec::new(), before: Value::Null };
        let list = target.read("/marketplace/subscriptions").await;
        let id = list.pointer("/items/0/id").or(list.pointer("/subscriptions/0/id"));
        let id = id.or(list.pointer("/items/0/subscriptionId"));
        target.id = id.and_then(Value::as_str).unwrap_or_else(|| panic!("{list}")).to_owned();
        let event =
            json!({"key": "honest", "dimension": "scans", "quantity": "3", "at": target.now()});
        let report = target.api(Method::POST, "/meter").json(&json!({ "events": [event] }));
        assert!(report.send().await.unwrap().status().is_success());
        target.before = target.everything().await;
        target
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.system.now()
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.system.url()));
        let answer = request.bearer_auth(&self.system.secrets().api_key).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// All that an outsider could have changed.
    pub(crate) async fn everything(&self) -> Value {
        let id = &self.id;
        let state = self.read("/_local/state").await;
        json!({
            "queues": state.get("queues"),
            "subscriptions": self.read("/marketplace/subscriptions").await,
            "usage": self.read(&format!("/marketplace/subscriptions/{id}/usage")).await,
            "audit": self.read(&format!("/marketplace/subscriptions/{id}/audit")).await,
            "bill": self.read(&format!("/marketplace/subscriptions/{id}/billing")).await,
            "invoice": self.read("/_sim/invoice").await,
            "notices": self.read("/_local/tenant-notices").await,
        })
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.system.url()))
    }

    /// A call as admin about the subscription.
    pub(crate) fn api(&self, method: Method, path: &str) -> RequestBuilder {
        let path = format!("/marketplace/subscriptions/{}{path}", self.id);
        self.call(method, &path).bearer_auth(&self.system.secrets().api_key)
    }

    pub(crate) fn webhook(&self) -> RequestBuilder {
        self.call(Method::POST, "/marketplace/webhook")
    }

    pub(crate) fn hmac(secret: &str, at: Timestamp, body: &[u8]) -> (String, String) {
        let time = at.as_second().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        (time, format!("v1={}", hex::encode(mac.finalize().into_bytes())))
    }

    /// A webhook request that the platform itself has signed.
    pub(crate) fn signed(&self, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let body = body.into();
        let (time, signature) = Self::hmac(&self.system.secrets().marketplace, self.now(), &body);
        self.webhook()
            .header("x-marketplace-timestamp", time)
            .header("x-marketplace-signature", signature)
            .body(body)
    }

    pub(crate) fn usage(&self, events: &Value) -> String {
        json!({"id": "u", "type": "usage.reported", "subscriptionId": self.id, "events": events})
            .to_string()
    }

    pub(crate) async fn try_it(&mut self, what: &'static str, request: RequestBuilder) {
        let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap_or_default();
        let event = body.pointer("/events/0/code").or(body.pointer("/results/0/code"));
        let code = event.or(body.get("code")).or(body.get("outcome")).and_then(Value::as_str);
        let told = format!("{status} {}", code.unwrap_or("a page"));
        self.note(what, told).await;
    }

    /// Bytes as no HTTP client would send them, and then nothing more.
    pub(crate) async fn bytes(&mut self, what: &'static str, bytes: &[u8]) {
        let answer = self.answer(bytes, true).await;
        self.note(what, told(&answer)).await;
    }

    /// A whole request, whose sender waits for one answer.
    pub(crate) async fn whole(&mut self, what: &'static str, request: &str) {
        let answer = self.answer(request.as_bytes(), false).await;
        assert!(answer.matches("HTTP/1.").count() <= 1, "{what} was answered twice: {answer}");
        self.note(what, told(&answer)).await;
    }

    async fn answer(&self, bytes: &[u8], and_no_more: bool) -> String {
        let address = self.system.url().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have hung up already.
        let _ = stream.write_all(bytes).await;
        if and_no_more {
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) async fn note(&mut self, what: &'static str, told: String) {
        assert!(!told.starts_with('5'), "{what}: {told}");
        let after = self.everything().await;
        assert_eq!(after, self.before, "{what} has changed something");
        self.rows.push((what, told, "everything".to_owned()));
    }
}

fn told(answer: &str) -> String {
    let status = answer.split(' ').nth(1).filter(|_| answer.starts_with("HTTP/1."));
    status.map_or("hung up".to_owned(), |status| format!("{status} and hung up"))
}
