//! What a story is told with: a running system, a buyer's and a platform's moves, and the demands at its end.

use std::collections::BTreeMap;
use std::sync::Mutex;

use app::ports::{ListFilter, Subscriptions, Usage};
use domain::audit;
use domain::catalog::{Catalog, PricingModel};
use domain::ids::{LicenseRef, SubscriptionId};
use domain::metering::Meter;
use domain::time::Month;
use jiff::{SignedDuration, Timestamp};
use local::{ClockChoice, System, SystemOptions};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulator::{Bought, Purchase};

pub(crate) use PricingModel::{Contract, ContractWithConsumption, Usage as PayAsYouGo};

/// An answer of the HTTP API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) etag: Option<String>,
}

impl Answer {
    /// The problem's stable code.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_else(|| panic!("no code in {self:?}"))
    }
}

/// A story under way.
pub(crate) struct Story {
    pub(crate) system: System,
    http: reqwest::Client,
    /// What was accepted, to compute what is due without looking at the meters.
    accepted: Mutex<Vec<Accepted>>,
    next_key: Mutex<u64>,
}

/// A usage event that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) subscription: String,
    pub(crate) dimension: String,
    pub(crate) month: String,
    pub(crate) quantity: Decimal,
}

impl Story {
    /// Begins on a Tuesday morning in the middle of a month.
    pub(crate) async fn begin(pricing: PricingModel) -> Self {
        Self::with(SystemOptions::of(pricing)).await
    }

    /// Begins at another time.
    pub(crate) async fn begin_at(pricing: PricingModel, at: &str) -> Self {
        let clock = ClockChoice::Manual(at.parse().unwrap());
        Self::with(SystemOptions { clock, ..SystemOptions::of(pricing) }).await
    }

    /// Begins as the options say.
    pub(crate) async fn with(options: SystemOptions) -> Self {
        let system = System::start(options).await.unwrap();
        let http = reqwest::Client::builder().build().unwrap();
        Self { system, http, accepted: Mutex::default(), next_key: Mutex::default() }
    }

    // ---- time

    pub(crate) fn now(&self) -> Timestamp {
        self.system.now()
    }

    pub(crate) async fn minutes(&self, minutes: i64) {
        self.system.advance(SignedDuration::from_mins(minutes)).await.unwrap();
    }

    pub(crate) async fn hours(&self, hours: i64) {
        self.minutes(hours * 60).await;
    }

    pub(crate) async fn until(&self, at: &str) {
        self.system.advance_to(at.parse().unwrap()).await.unwrap();
    }

    // ---- the buyer

    /// Buys what the pricing model sells: a plan with a contract, nothing up front otherwise.
    pub(crate) fn purchase(&self, account: &str) -> Purchase {
        let entitlements = match self.system.pricing() {
            PayAsYouGo => BTreeMap::new(),
            Contract | ContractWithConsumption => {
                BTreeMap::from([("standard".to_owned(), Decimal::ONE)])
            }
        };
        Purchase { account: account.to_owned(), entitlements, ..Purchase::default() }
    }

    pub(crate) fn buy(&self, account: &str) -> Bought {
        self.system.simulator().buy(self.purchase(account)).unwrap()
    }

    /// Buys another product of the same seller.
    pub(crate) fn buy_from_another_listing(&self) -> Bought {
        let product_code = Some("zyxw9876vuts5432rqpo1098n".to_owned());
        let account = "111122223333".to_owned();
        self.system
            .simulator()
            .buy(Purchase { account, product_code, ..Purchase::default() })
            .unwrap()
    }

    /// Clicks *Set up your account* and completes the form.
    pub(crate) async fn register(&self, bought: &Bought) {
        self.register_as(bought, "jo@example.com").await;
    }

    /// Registers with another address than usual.
    pub(crate) async fn register_as(&self, bought: &Bought, email: &str) {
        let cookie = self.land(bought).await;
        self.complete(&cookie, email).await;
    }

    async fn complete(&self, cookie: &str, email: &str) {
        let form = [("company", "Acme Ltd"), ("contact", "Jo Doe"), ("email", email)];
        let answer = self
            .http
            .post(format!("{}/marketplace/register/complete", self.system.url()))
            .header("cookie", cookie)
            .form(&form)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        self.system.deliver().await.unwrap();
    }

    /// Clicks *Set up your account* and leaves the form alone; answers the cookie of the registration.
    pub(crate) async fn land(&self, bought: &Bought) -> String {
        let form = self.system.simulator().fulfilment_form(&bought.agreement_id).unwrap();
        let answer = self.arrive(&form).await;
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Completes the registration however often AWS fails, as a patient buyer does.
    pub(crate) async fn register_until_it_works(&self, bought: &Bought) {
        for _ in 0..40 {
            let form = self.system.simulator().fulfilment_form(&bought.agreement_id).unwrap();
            let answer = self.arrive(&form).await;
            if answer.status().is_success() {
                let cookie = answer.headers()["set-cookie"]
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .to_owned();
                return self.complete(&cookie, "jo@example.com").await;
            }
            assert_eq!(answer.status(), 503, "only AWS's trouble is for later");
            self.minutes(1).await;
        }
        panic!("the registration never went through");
    }

    /// Posts the fulfilment form and asks for JSON: a page would be a redirect, and its cookie lost on the way.
    async fn arrive(&self, form: &[(String, String)]) -> reqwest::Response {
        let url = format!("{}/marketplace/register", self.system.url());
        let asked = self.http.post(url).header("accept", "application/json").form(form);
        asked.send().await.unwrap()
    }

    /// Buys, lets AWS activate, registers: the usual way in.
    pub(crate) async fn subscriber(&self, account: &str) -> Bought {
        let bought = self.buy(account);
        self.minutes(2).await;
        self.register(&bought).await;
        self.system.deliver().await.unwrap();
        assert_eq!(self.status(&bought).await, "ACTIVE");
        bought
    }

    // ---- the platform and the seller

    /// Reports usage of this moment under a key of its own; it must be accepted.
    pub(crate) async fn uses(&self, bought: &Bought, dimension: &str, quantity: &str) {
        self.used_at(bought, dimension, quantity, self.now()).await;
    }

    /// Reports usage of another moment; it must be accepted.
    pub(crate) async fn used_at(
        &self,
        bought: &Bought,
        dimension: &str,
        quantity: &str,
        at: Timestamp,
    ) {
        let key = self.new_key();
        let event = json!({"key": key, "dimension": dimension, "quantity": quantity, "at": at});
        let answer = self.report(bought, &[event]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["results"][0]["status"], "accepted", "{answer:?}");
    }

    /// Reports usage events; those that are accepted are remembered.
    pub(crate) async fn report(&self, bought: &Bought, events: &[Value]) -> Answer {
        let id = subscription_id(bought);
        let answer = self
            .call(
                "POST",
                &format!("/marketplace/subscriptions/{id}/meter"),
                Some(json!({"events": events})),
            )
            .await;
        let none = Vec::new();
        let results = answer.body["results"].as_array().unwrap_or(&none);
        for (event, result) in events.iter().zip(results) {
            if result["status"] == "accepted" {
                self.accepted.lock().unwrap().push(Accepted {
                    subscription: id.to_string(),
                    dimension: event["dimension"].as_str().unwrap().to_owned(),
                    month: result["month"].as_str().unwrap().to_owned(),
                    quantity: event["quantity"].as_str().unwrap().parse().unwrap(),
                });
            }
        }
        answer
    }

    pub(crate) fn new_key(&self) -> String {
        let mut next = self.next_key.lock().unwrap();
        *next += 1;
        format!("event-{next}")
    }

    /// Posts a form and asks for JSON instead of a page.
    pub(crate) async fn post_form_for_json(&self, path: &str, form: &[(String, String)]) -> Answer {
        let url = format!("{}{path}", self.system.url());
        let answer = self
            .http
            .post(url)
            .header("accept", "application/json")
            .form(form)
            .send()
            .await
            .unwrap();
        answered(answer).await
    }

    /// Calls the API with a body as it is.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .http
            .request(method, format!("{}{path}", self.system.url()))
            .bearer_auth(&self.system.secrets().api_key)
            .header("content-type", content_type)
            .body(body.to_owned());
        answered(request.send().await.unwrap()).await
    }

    /// The webhook's headers for a body, signed with the system's secret.
    pub(crate) fn sign(&self, body: &str, at: Timestamp) -> (String, String) {
        let secret = self.system.secrets().marketplace.clone();
        self.sign_with(&secret, body, at)
    }

    /// As [`Story::sign`], with another secret.
    #[allow(clippy::unused_self, reason = "reads as one of the story's moves")]
    pub(crate) fn sign_with(&self, secret: &str, body: &str, at: Timestamp) -> (String, String) {
        use hmac::{KeyInit, Mac};
        let timestamp = at.as_second().to_string();
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{timestamp}.{body}").as_bytes());
        (timestamp, format!("v1={}", hex::encode(mac.finalize().into_bytes())))
    }

    /// Posts to the webhook.
    pub(crate) async fn webhook(&self, body: &str, proof: Option<&(String, String)>) -> Answer {
        let mut request = self
            .http
            .post(format!("{}/marketplace/webhook", self.system.url()))
            .header("content-type", "application/json")
            .body(body.to_owned());
        if let Some((timestamp, signature)) = proof {
            request = request
                .header("x-marketplace-timestamp", timestamp)
                .header("x-marketplace-signature", signature);
        }
        answered(request.send().await.unwrap()).await
    }

    /// Calls the API as the seller's administrator.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    /// Calls the API with further headers.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.system.url()))
            .bearer_auth(&self.system.secrets().api_key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answered(request.send().await.unwrap()).await
    }

    /// A subscription as the API shows it.
    pub(crate) async fn shown(&self, bought: &Bought) -> Value {
        let answer = self
            .call("GET", &format!("/marketplace/subscriptions/{}", subscription_id(bought)), None)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    pub(crate) async fn status(&self, bought: &Bought) -> String {
        self.shown(bought).await["status"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn has_access(&self, bought: &Bought) -> bool {
        self.shown(bought).await["access"]["granted"].as_bool().unwrap()
    }

    // ---- AWS

    /// What AWS would bill for a license in a month; zero when there is no line.
    pub(crate) fn invoiced(&self, bought: &Bought, dimension: &str, month: &str) -> u64 {
        let license = bought.license_arn.rsplit(':').next().unwrap();
        let lines = self.system.simulator().invoice();
        let sum: Decimal = lines
            .iter()
            .filter(|line| line.dimension == dimension && line.month == month)
            .filter(|line| match (&line.license_arn, &line.customer_identifier) {
                (Some(arn), _) => arn.ends_with(license),
                (None, customer) => *customer == bought.customer_identifier,
            })
            .map(|line| line.quantity)
            .sum();
        u64::try_from(sum).unwrap()
    }

    /// What the platform was told to do with a subscription's workspace, oldest first.
    pub(crate) fn told(&self, bought: &Bought) -> Vec<&'static str> {
        let id = subscription_id(bought);
        let notices = self.system.tenant_notices().unwrap();
        notices
            .iter()
            .filter(|notice| notice.subscription_id == id)
            .map(|notice| notice.kind.as_str())
            .filter(|kind| *kind != "registered")
            .collect()
    }

    /// Whom the platform wrote to about a subscription, oldest first.
    pub(crate) fn written_to(&self, bought: &Bought) -> Vec<String> {
        let id = subscription_id(bought);
        let mails = self.system.mails().into_iter();
        mails.filter(|mail| mail.subscription == id).map(|mail| mail.to).collect()
    }

    pub(crate) async fn meter(&self, bought: &Bought, dimension: &str, month: &str) -> Meter {
        let month: Month = month.parse().unwrap();
        let meters = self.system.store().meters(&subscription_id(bought), month).await.unwrap();
        meters.into_iter().find(|meter| meter.key.dimension.as_str() == dimension).unwrap()
    }

    // ---- the end

    /// Lets the hours pass that the last usage needs, and demands what holds of every story.
    pub(crate) async fn end(self) {
        self.hours(2).await;
        self.demand_settled().await;
    }

    /// As [`Story::end`], for usage that was taken without the usual reports: reservations.
    pub(crate) async fn end_without_bill(self) {
        self.hours(2).await;
        self.system.deliver().await.unwrap();
        let unsettled = self.system.unsettled().await;
        assert!(unsettled.is_empty(), "{unsettled:#?}");
        self.every_change_is_audited().await;
    }

    /// As [`Story::end`], when time must not pass.
    pub(crate) async fn demand_settled(self) {
        self.system.deliver().await.unwrap();
        let unsettled = self.system.unsettled().await;
        assert!(unsettled.is_empty(), "{unsettled:#?}");
        self.every_change_is_audited().await;
        self.nothing_accepted_is_forgotten().await;
        let weighed = self.system.run_task("conservation").await.unwrap();
        assert_eq!((&weighed["finished"], &weighed["broken"]), (&json!(true), &json!(0)));
    }

    /// Every entry of a subscription's audit trail, as the API tells it: who, and what.
    pub(crate) async fn audit(&self, bought: &Bought) -> Vec<(String, String)> {
        let path =
            format!("/marketplace/subscriptions/{}/audit?limit=100", subscription_id(bought));
        let entries = self.call("GET", &path, None).await.body["items"].clone();
        let told = |entry: &Value| {
            let actor = &entry["actor"];
            let who = actor["id"].as_str().or(actor["kind"].as_str()).unwrap_or_default();
            (who.to_owned(), entry["action"].as_str().unwrap().to_owned())
        };
        entries.as_array().unwrap().iter().map(told).collect()
    }

    /// Whether the reconciler says that it repaired something.
    pub(crate) async fn was_repaired(&self, bought: &Bought, what: &str) -> bool {
        let entry = ("reconciler".to_owned(), format!("reconciled.{what}"));
        self.audit(bought).await.contains(&entry)
    }

    /// Every subscription's chain verifies against its head, and there are as many entries as revisions.
    async fn every_change_is_audited(&self) {
        let store = self.system.store();
        for state in self.subscriptions().await {
            let (mut entries, mut after) = (Vec::new(), None);
            loop {
                let page = store.audit(&state.id, after.as_ref(), 100).await.unwrap();
                entries.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            audit::verify(&state.id, &entries, &state.audit).unwrap();
            assert_eq!(
                entries.len() as u64,
                state.revision,
                "a change of {} without an audit entry",
                state.id
            );
        }
    }

    /// The meters hold exactly what was accepted over the API: sums and peaks computed from the answers alone.
    async fn nothing_accepted_is_forgotten(&self) {
        let catalog = Catalog::from_toml(include_str!("../../../config/plans.toml")).unwrap();
        let mut expected: BTreeMap<(String, String, String), Decimal> = BTreeMap::new();
        for accepted in self.accepted.lock().unwrap().iter() {
            let spec = catalog.dimension_named(&accepted.dimension).unwrap();
            let slot = expected
                .entry((accepted.subscription.clone(), accepted.month.clone(), spec.id.to_string()))
                .or_default();
            *slot = match spec.aggregation {
                domain::catalog::Aggregation::Sum => *slot + accepted.quantity,
                domain::catalog::Aggregation::Peak => (*slot).max(accepted.quantity),
            };
        }
        for ((subscription, month, dimension), quantity) in expected {
            let id: SubscriptionId = subscription.parse().unwrap();
            let meters = self.system.store().meters(&id, month.parse().unwrap()).await.unwrap();
            let meter =
                meters.iter().find(|meter| meter.key.dimension.as_str() == dimension).unwrap();
            assert_eq!(
                meter.aggregate.as_decimal(),
                quantity.normalize(),
                "{dimension} of {subscription} in {month}"
            );
        }
    }

    pub(crate) async fn subscriptions(&self) -> Vec<domain::subscription::Subscription> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.system.store().list(&ListFilter::All, after.as_ref(), 100).await.unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }
}

async fn answered(answer: reqwest::Response) -> Answer {
    let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
    Answer {
        status: answer.status().as_u16(),
        etag,
        body: answer.json().await.unwrap_or(Value::Null),
    }
}

/// The id of the subscription of a purchase.
pub(crate) fn subscription_id(bought: &Bought) -> SubscriptionId {
    let license = match &bought.customer_identifier {
        Some(customer) => LicenseRef::Legacy {
            product: simulator::Product::default().code.parse().unwrap(),
            customer: customer.parse().unwrap(),
        },
        None => LicenseRef::License { arn: bought.license_arn.parse().unwrap() },
    };
    license.subscription_id()
}
