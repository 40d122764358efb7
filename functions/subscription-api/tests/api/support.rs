//! The router over fakes that start with one subscription, and what is asked of it.

use app::Context;
use axum::Router;
use axum::body::Body;
use domain::entitlement::{EntitledValue, EntitlementSnapshot};
use domain::ids::{AccountId, AgreementId, LicenseArn, LicenseRef, SubscriptionId};
use domain::notice::{AgreementChange, Intent};
use domain::quantity::Quantity;
use domain::subscription::{AgreementFacts, LicenseFacts, Subscription, Tenant};
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use jiff::Timestamp;
use lambda_shell::config::Secrets;
use lambda_shell::fakes::{FakeAws, FakeStore, clock, context};
use lambda_shell::metrics::Metrics;
use pages::Brand;
use serde_json::{Value, json};
use subscription_api::{Caller, Deps, Role, router};
use tower::ServiceExt;

pub(crate) const NOW: &str = "2026-11-24T07:30:00Z";
pub(crate) const LICENSE: &str =
    "arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef";
pub(crate) const OTHER_LICENSE: &str =
    "arn:aws:license-manager::294406891311:license:l-ffffffffffffffffffffffffffffffff";
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const AGREEMENT: &str = "agmt-abcd1234efgh5678ijkl9012m";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn id_of(license: &str) -> SubscriptionId {
    LicenseRef::License { arn: license.parse().unwrap() }.subscription_id()
}

pub(crate) fn admin() -> Role {
    Role::Admin
}

pub(crate) fn tenant(id: &str) -> Role {
    Role::Tenant(id.parse().unwrap())
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> &str {
        self.header(ETAG.as_str())
    }

    /// Status and code of a problem; fails on anything that is not one.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status, "{self:?}");
        (self.status, self.json["code"].as_str().unwrap())
    }
}

/// The API, and the fakes under it.
pub(crate) struct Api {
    pub(crate) store: FakeStore,
    pub(crate) aws: FakeAws,
    pub(crate) id: SubscriptionId,
    router: Router,
}

impl Api {
    /// An API with one active, registered subscription of the STANDARD plan, whose workspace is `acme`.
    pub(crate) fn new() -> Self {
        let api = Self::empty();
        api.store.put_state(active(LICENSE, "acme"));
        api
    }

    pub(crate) fn empty() -> Self {
        let context: Context<FakeStore, FakeAws> = context();
        let (store, aws) = (context.store.clone(), context.aws.clone());
        let deps = Deps {
            context,
            clock: clock(NOW),
            version: "1.2.3".into(),
            secrets: Secrets::parse("an-example-secret-that-is-never-used").unwrap(),
            brand: Brand::default(),
            metrics: Metrics::discard(),
        };
        Self { store, aws, id: id_of(LICENSE), router: router(deps) }
    }

    /// Changes the subscription in place.
    pub(crate) fn alter(&self, change: impl FnOnce(&mut Subscription)) {
        let mut state = self.store.states().into_iter().find(|state| state.id == self.id).unwrap();
        change(&mut state);
        self.store.put_state(state);
    }

    /// Changes the subscription to one that ended long ago.
    pub(crate) fn end(&self) {
        self.alter(|state| state.license_facts.deprovisioned = Some(at("2026-11-20T00:00:00Z")));
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/marketplace/subscriptions/{}{rest}", self.id)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, json, text }
    }

    pub(crate) async fn call(&self, role: Role, method: &str, path: &str, body: Value) -> Answer {
        self.send(request(role, method, path, &[], &body)).await
    }

    pub(crate) async fn get(&self, role: Role, path: &str) -> Answer {
        self.call(role, "GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, role: Role, path: &str, body: Value) -> Answer {
        self.call(role, "POST", path, body).await
    }

    pub(crate) async fn change(&self, method: &str, rest: &str, etag: &str, body: Value) -> Answer {
        let headers = [(IF_MATCH.as_str(), etag)];
        self.send(request(admin(), method, &self.path(rest), &headers, &body)).await
    }
}

/// A request with a body, unless that is null.
pub(crate) fn request(
    role: Role,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let caller = Caller { subject: "someone".into(), role };
    request.extension(caller).body(body).unwrap()
}

/// An active, registered subscription of the STANDARD plan in its 7th revision.
pub(crate) fn active(license: &str, workspace: &str) -> Subscription {
    let context = context();
    let listing = &context.listing;
    let arn: LicenseArn = license.parse().unwrap();
    let bought = at("2026-11-02T10:00:00Z");
    let mut state = Subscription::new(
        LicenseRef::License { arn },
        listing.product.clone(),
        listing.pricing,
        bought,
    );
    let created = AgreementChange::Created {
        intent: Intent::New,
        previous: None,
        offer: None,
        ends: Some(at("2027-11-02T10:00:00Z")),
    };
    let agreement: AgreementId = AGREEMENT.parse().unwrap();
    state.join_agreement(&agreement, &AgreementFacts::of(&created, bought));
    state.license_facts =
        LicenseFacts::of(domain::notice::LicenseChange::Updated, at("2026-11-02T10:01:00Z"));
    state.account = Some(ACCOUNT.parse::<AccountId>().unwrap());
    state.register(at("2026-11-02T10:05:00Z"));
    state.entitlements = Some(EntitlementSnapshot {
        as_of: at("2026-11-02T10:01:30Z"),
        values: [
            ("standard".to_owned(), EntitledValue::Amount(Quantity::whole(1))),
            ("scans".to_owned(), EntitledValue::Amount(Quantity::whole(500))),
        ]
        .into(),
        expires: Some(at("2027-11-02T10:00:00Z")),
    });
    state.tenant = Tenant::Ready { id: workspace.parse().unwrap() };
    state.updated_at = at("2026-11-02T10:06:00Z");
    state.revision = 7;
    state
}

/// One report of usage.
pub(crate) fn event(key: &str, dimension: &str, quantity: &str) -> Value {
    json!({"key": key, "dimension": dimension, "quantity": quantity, "at": "2026-11-24T07:10:00Z"})
}
