//! Who looks at a page: sealed into a cookie when a link is opened, and read again with each request.

use app::ports::Store;
use domain::ids::{SubscriptionId, TenantId};
use domain::subscription::Subscription;
use domain::time::after;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::config::Secrets;
use lambda_shell::session::{open, seal};
use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use crate::Deps;
use crate::caller::{Caller, Right, Role};

/// How long a page may be looked at before it must be opened anew.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
const PURPOSE: &str = "page";
const COOKIE_NAME: &str = "marketplace_page";

/// Which pages a session is for. The cookie is sent there only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Destination {
    /// The account page of one subscription.
    Account(SubscriptionId),
    /// The operator's desk.
    Desk,
}

impl Destination {
    /// Its address, below which the cookie is sent.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Account(id) => format!("/marketplace/account/{id}"),
            Self::Desk => "/marketplace/desk".to_owned(),
        }
    }
}

/// A caller as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    subject: String,
    role: String,
    tenant: Option<TenantId>,
    page: Destination,
    /// Proves that a form comes from a page of this session.
    form_key: String,
}

impl Sealed {
    pub(crate) fn new(caller: &Caller, page: Destination) -> Self {
        let (role, tenant) = match &caller.role {
            Role::Admin => ("admin", None),
            Role::Operator => ("operator", None),
            Role::Meter => ("meter", None),
            Role::Tenant(id) => ("tenant", Some(id.clone())),
        };
        let form_key = uuid::Uuid::new_v4().simple().to_string();
        Self { subject: caller.subject.clone(), role: role.to_owned(), tenant, page, form_key }
    }

    pub(crate) fn page(&self) -> &Destination {
        &self.page
    }

    fn role(&self) -> Option<Role> {
        match (self.role.as_str(), &self.tenant) {
            ("admin", _) => Some(Role::Admin),
            ("operator", _) => Some(Role::Operator),
            ("tenant", Some(id)) => Some(Role::Tenant(id.clone())),
            _ => None,
        }
    }

    /// The `Set-Cookie` value. `Lax`: the first request comes by a redirect from another site, where `Strict` would
    /// hold the cookie back; forms are guarded by their key.
    pub(crate) fn cookie(&self, secrets: &Secrets, now: Timestamp) -> Option<HeaderValue> {
        let sealed = seal(secrets, PURPOSE, self, after(now, LIFE)).ok()?;
        let (path, life) = (self.page.path(), LIFE.as_secs());
        let cookie = format!(
            "{COOKIE_NAME}={sealed}; Path={path}; Max-Age={life}; HttpOnly; Secure; SameSite=Lax"
        );
        HeaderValue::from_str(&cookie).ok()
    }
}

/// A visitor with a session.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) form_key: String,
}

impl Visitor {
    /// The visitor of a page, by the request's cookies.
    pub(crate) fn of(
        secrets: &Secrets,
        headers: &HeaderMap,
        page: &Destination,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let sealed = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE_NAME)
            .filter_map(|(_, value)| open::<Sealed>(secrets, PURPOSE, value, now).ok())
            .find(|sealed| sealed.page == *page)
            .ok_or(Trouble::SignedOut)?;
        let role = sealed.role().ok_or(Trouble::SignedOut)?;
        let caller = Caller { subject: sealed.subject, role };
        Ok(Self { caller, form_key: sealed.form_key })
    }

    /// The visitor of the desk, who may do something there.
    pub(crate) fn at_desk(
        secrets: &Secrets,
        headers: &HeaderMap,
        right: Right,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let visitor = Self::of(secrets, headers, &Destination::Desk, now)?;
        if visitor.caller.role.may(right) { Ok(visitor) } else { Err(Trouble::Forbidden) }
    }

    /// Whether a form comes from a page of this session.
    pub(crate) fn sent(&self, form_key: &str) -> Result<(), Trouble> {
        if self.form_key == form_key { Ok(()) } else { Err(Trouble::ForeignForm) }
    }
}

/// Reads a subscription that a caller may see.
pub(crate) async fn visible<S: Store, A>(
    deps: &Deps<S, A>,
    caller: &Caller,
    id: &SubscriptionId,
) -> Result<Subscription, Trouble> {
    let found = deps.context.store.subscription(id).await?;
    found.filter(|subscription| caller.sees(subscription)).ok_or(Trouble::NotFound)
}
