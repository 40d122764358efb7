//! A running system with two subscriptions of two tenants, and everybody who may ask.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use local::client::{Answer, Client};
use local::{System, SystemOptions};
use reqwest::Method;
use serde_json::{Value, json};

/// Names a subscription that does not exist.
pub(super) const ABSENT: &str = "sub_00000000000000000000000000000001";

/// A subscription and the tenant that owns it.
pub(super) struct Owned {
    pub(super) id: String,
    pub(super) tenant: String,
}

impl Owned {
    /// The role of its tenant.
    pub(super) fn role(&self) -> String {
        format!("tenant:{}", self.tenant)
    }
}

pub(super) struct World {
    pub(super) system: System,
    pub(super) nobody: Client,
    pub(super) developer: Client,
    pub(super) first: Owned,
    pub(super) second: Owned,
}

impl World {
    pub(super) async fn start() -> Self {
        let mut system = System::start(SystemOptions::default()).await.unwrap();
        system.may_stay_unsettled();
        let nobody = Client::new(system.url(), None);
        let developer = Client::new(system.url(), Some(system.secrets().api_key.clone()));
        for account in ["111122223333", "111122224444"] {
            register(&nobody, account).await;
        }
        system.advance(SignedDuration::from_mins(10)).await.unwrap();
        let list = developer.get("/marketplace/subscriptions").await.unwrap().ok().unwrap();
        let of = |place: usize| {
            let text = |pointer: &str| {
                list["items"][place].pointer(pointer).unwrap().as_str().unwrap().to_owned()
            };
            Owned { id: text("/id"), tenant: text("/tenant/id") }
        };
        let (first, second) = (of(0), of(1));
        assert!(first.id != second.id && first.tenant != second.tenant);
        Self { system, nobody, developer, first, second }
    }

    pub(super) fn role(&self, role: &str) -> Client {
        if role == "nobody" { self.nobody.clone() } else { self.developer.acting_as(role) }
    }

    /// Sends a request and counts how often DynamoDB was asked for it.
    pub(super) async fn ask(
        &self,
        role: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> (Answer, u64) {
        let mut request =
            self.role(role).request(Method::from_bytes(method.as_bytes()).unwrap(), path);
        if method == "PUT" || method == "DELETE" {
            request = request.header("if-match", "*");
        }
        if !body.is_null() {
            request = request.json(body);
        }
        self.counted(request).await
    }

    /// Sends a request and counts how often DynamoDB was asked for it.
    pub(super) async fn counted(&self, request: reqwest::RequestBuilder) -> (Answer, u64) {
        self.system.round_trips().reset();
        let answer = Client::send(request).await.unwrap();
        (answer, self.system.round_trips().by_operation().values().sum())
    }
}

/// A buyer buys, and sets up the account.
async fn register(nobody: &Client, account: &str) {
    let purchase = json!({"account": account, "entitlements": {"standard": "1"}});
    let bought = nobody.post("/_sim/purchases", &purchase).await.unwrap().ok().unwrap();
    let agreement = bought["agreement_id"].as_str().unwrap();
    let form = format!("/_sim/agreements/{agreement}/fulfilment-form");
    let form = nobody.post(&form, &json!({})).await.unwrap().ok().unwrap();
    let fields = form.as_object().unwrap().iter();
    let fields: Vec<(String, String)> =
        fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    let (_, cookie) = nobody.land(&fields).await.unwrap();
    let profile = [("company", "Acme"), ("contact", "Jo"), ("email", "jo@example.com")];
    nobody.complete(&cookie, &profile).await.unwrap().ok().unwrap();
}

/// What can be seen of an answer, the time of day aside.
pub(super) fn seen(answer: &Answer) -> (u16, BTreeMap<String, String>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status.as_u16(), headers.collect(), answer.body.clone())
}
