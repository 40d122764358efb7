//! The expected table of the API, by hand.

use serde_json::{Value, json};

/// What a route is sent, and which roles may.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Where one route does several things: which.
    pub(super) part: &'static str,
    pub(super) body: Value,
    pub(super) may: Whom,
}

/// Who is let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Everybody, with a role or without.
    Public,
    /// Whoever proves itself by signature: no role helps.
    Signed,
    /// These roles.
    Roles(&'static [&'static str]),
}

impl Whom {
    pub(super) fn lets_in(self, role: &str) -> bool {
        match self {
            Self::Public => true,
            Self::Signed => false,
            Self::Roles(roles) => roles.contains(&role),
        }
    }
}

const READERS: Whom = Whom::Roles(&["admin", "operator", "tenant"]);
const STAFF: Whom = Whom::Roles(&["admin", "operator"]);
const CHECKERS: Whom = Whom::Roles(&["admin", "operator", "meter"]);
const METERS: Whom = Whom::Roles(&["admin", "meter"]);
const ADMIN: Whom = Whom::Roles(&["admin"]);

/// `{id}` in a body and in a path is the subscription that is asked for, `{tenant}` the tenant of the first.
pub(super) fn rows() -> Vec<Row> {
    let none = || Value::Null;
    let usage = || json!({"key": "k1", "dimension": "scans", "quantity": "1", "at": "2026-11-10T08:00:00Z"});
    let held = || json!({"key": "k1", "month": "2026-11"});
    let import = json!({
        "licenseArn": "arn:aws:license-manager::294406891311:license:l-ffffffffffffffffffffffffffffffff",
        "account": "111122223333",
    });
    let close = json!({"as": "written-off", "note": "agreed"});
    let account = json!({"page": "account", "subscriptionId": "{id}"});
    let row = |method, path, may: Whom, body| Row { method, path, part: "", body, may };
    let part = |part, row: Row| Row { part, ..row };
    vec![
        row("GET", "/marketplace/health", Whom::Public, none()),
        row("GET", "/marketplace/openapi.json", Whom::Public, none()),
        row("GET", "/marketplace/register", Whom::Public, none()),
        row("POST", "/marketplace/register", Whom::Public, none()),
        row("GET", "/marketplace/register/complete", Whom::Public, none()),
        row("POST", "/marketplace/register/complete", Whom::Public, none()),
        row("POST", "/marketplace/webhook", Whom::Signed, json!({"type": "usage.reported"})),
        row("GET", "/marketplace/subscriptions", STAFF, none()),
        row("POST", "/marketplace/subscriptions", ADMIN, import),
        row("GET", "/marketplace/subscriptions/{id}", READERS, none()),
        row("PUT", "/marketplace/subscriptions/{id}", ADMIN, json!({"suspended": false})),
        row("DELETE", "/marketplace/subscriptions/{id}", ADMIN, none()),
        row(
            "PUT",
            "/marketplace/subscriptions/{id}/tenant",
            ADMIN,
            json!({"tenantId": "{tenant}"}),
        ),
        row("POST", "/marketplace/subscriptions/{id}/meter", METERS, usage()),
        row("GET", "/marketplace/subscriptions/{id}/contact", STAFF, none()),
        row("GET", "/marketplace/subscriptions/{id}/usage", READERS, none()),
        row("GET", "/marketplace/subscriptions/{id}/usage/events", STAFF, none()),
        row("GET", "/marketplace/subscriptions/{id}/entitlements", READERS, none()),
        row("POST", "/marketplace/subscriptions/{id}/entitlements/check", CHECKERS, json!({})),
        row("POST", "/marketplace/subscriptions/{id}/entitlements/consume", METERS, usage()),
        row("POST", "/marketplace/subscriptions/{id}/entitlements/keep", METERS, held()),
        row("POST", "/marketplace/subscriptions/{id}/entitlements/release", METERS, held()),
        row("GET", "/marketplace/subscriptions/{id}/billing", READERS, none()),
        row("GET", "/marketplace/subscriptions/{id}/records", READERS, none()),
        row("GET", "/marketplace/subscriptions/{id}/audit", STAFF, none()),
        row("POST", "/marketplace/subscriptions/{id}/settle", STAFF, none()),
        row("GET", "/marketplace/audit", STAFF, none()),
        row("GET", "/marketplace/checks/conservation", STAFF, none()),
        row("GET", "/marketplace/checks/notices", STAFF, none()),
        row("GET", "/marketplace/parked", STAFF, none()),
        row("POST", "/marketplace/parked/{item}/retry", STAFF, none()),
        row("POST", "/marketplace/parked/{item}/close", STAFF, close),
        part("an account", row("POST", "/marketplace/page-sessions", READERS, account)),
        part("the desk", row("POST", "/marketplace/page-sessions", STAFF, json!({"page": "desk"}))),
    ]
}
