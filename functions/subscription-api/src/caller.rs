//! Who calls, and what they may do. API Gateway verifies the token; this reads the verified claims and decides.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::audit::Actor;
use domain::ids::TenantId;
use domain::subscription::Subscription;
use http::request::Parts;
use lambda_http::request::RequestContext;
use lambda_shell::contract::{Input, Operation, shapes};
use lambda_shell::problem::Problem;

/// What a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Admin,
    /// Reads everything, and asks for settlements.
    Operator,
    /// The platform: reports usage, checks, reserves and releases.
    Meter,
    /// A buyer's workspace: reads its own subscription.
    Tenant(TenantId),
}

/// What a route lets a caller do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Read one subscription and its usage, entitlements, bill and records.
    Read,
    /// List subscriptions, read audit trails and single usage events.
    ReadAll,
    /// Ask whether something may be used.
    Check,
    /// Report, reserve and release usage.
    Report,
    /// Ask for a settlement.
    Settle,
    /// Withhold access and give it back, at the desk.
    Hold,
    /// Create, change and cancel subscriptions, and confirm tenants.
    Administer,
}

impl Role {
    pub(crate) fn may(&self, right: Right) -> bool {
        match self {
            Self::Admin => true,
            Self::Operator => match right {
                Right::Read | Right::ReadAll | Right::Check | Right::Settle | Right::Hold => true,
                Right::Report | Right::Administer => false,
            },
            Self::Meter => match right {
                Right::Check | Right::Report => true,
                Right::Read | Right::ReadAll | Right::Settle | Right::Hold | Right::Administer => {
                    false
                }
            },
            Self::Tenant(_) => match right {
                Right::Read => true,
                Right::ReadAll
                | Right::Check
                | Right::Report
                | Right::Settle
                | Right::Hold
                | Right::Administer => false,
            },
        }
    }
}

/// As claims and `X-Act-As` write it; never with a space.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::Operator => f.write_str("operator"),
            Self::Meter => f.write_str("meter"),
            Self::Tenant(id) => write!(f, "tenant:{id}"),
        }
    }
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject.
    pub subject: String,
    /// What it may do.
    pub role: Role,
}

impl Caller {
    /// Reads verified claims: `sub`, `role` (`admin`, `operator`, `meter` or `tenant`) and, for a tenant, `tenantId`.
    /// `None` when they name nobody.
    fn from_claims<'a>(claim: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let subject = claim("sub").filter(|subject| !subject.is_empty())?.to_owned();
        let role = match claim("role")? {
            "admin" => Role::Admin,
            "operator" => Role::Operator,
            "meter" => Role::Meter,
            "tenant" => Role::Tenant(claim("tenantId")?.parse().ok()?),
            _ => return None,
        };
        Some(Self { subject, role })
    }

    /// Whether a subscription is there for it: a tenant sees its own only.
    pub(crate) fn sees(&self, subscription: &Subscription) -> bool {
        match &self.role {
            Role::Tenant(id) => subscription.tenant.id() == Some(id),
            Role::Admin | Role::Operator | Role::Meter => true,
        }
    }

    /// How the audit trail names it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Caller(self.subject.clone())
    }
}

/// What a handler demands of its caller.
pub(crate) trait Demand {
    const RIGHT: Right;
}

macro_rules! demands {
    ($($name:ident => $right:ident),*) => {
        $(
            #[doc = concat!("Demands the right to ", stringify!($right), ".")]
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Demand for $name {
                const RIGHT: Right = Right::$right;
            }
        )*
    };
}

demands! {
    ToRead => Read, ToReadAll => ReadAll, ToCheck => Check, ToReport => Report, ToSettle => Settle,
    ToAdminister => Administer
}

/// A caller who has a right. As a handler's first argument it refuses the others before anything else of the request
/// is looked at: 401 `unauthenticated`, 403 `forbidden`.
#[derive(Debug)]
pub(crate) struct May<D> {
    pub(crate) caller: Caller,
    demand: PhantomData<D>,
}

impl<S: Sync, D: Demand> FromRequestParts<S> for May<D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned().ok_or_else(|| {
            Problem::unauthorized("unauthenticated", "This address needs a verified caller.")
        })?;
        if !caller.role.may(D::RIGHT) {
            return Err(Problem::forbidden("forbidden", "Your role does not allow this."));
        }
        Ok(Self { caller, demand: PhantomData })
    }
}

/// The names of the roles that have a right.
fn roles_with(right: Right) -> Vec<&'static str> {
    let anyone = "any".parse().map(Role::Tenant);
    let roles = [
        Some(("admin", Role::Admin)),
        Some(("operator", Role::Operator)),
        Some(("meter", Role::Meter)),
        anyone.ok().map(|role| ("tenant", role)),
    ];
    roles.into_iter().flatten().filter(|(_, role)| role.may(right)).map(|(name, _)| name).collect()
}

impl<D: Demand> Input for May<D> {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .secured("bearer", &roles_with(D::RIGHT))
            .refuses(401, &["unauthenticated"])
            .refuses(403, &["forbidden", "unknown_role"])
            .refuses(500, &["internal_error"])
            .refuses(503, &["unavailable"]);
        if operation.method() == http::Method::POST {
            operation
                .header::<shapes::Key>(
                    "Idempotency-Key",
                    "The same request again under the same key gets the same answer, for 24 hours.",
                    false,
                )
                .refuses(400, &["invalid_idempotency_key", "unreadable_body"])
                .refuses(409, &["request_in_progress"])
                .refuses(413, &["body_too_large"])
                .refuses(422, &["idempotency_key_reused"]);
        }
    }
}

/// Takes the caller from the claims that API Gateway's JWT authorizer has verified. Verified claims that name no role
/// are answered with 403 `unknown_role`; without claims there is no caller, which the public routes do not need.
pub async fn caller_from_api_gateway(mut request: Request, next: Next) -> Response {
    let claims = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context
            .authorizer
            .as_ref()
            .and_then(|authorizer| authorizer.jwt.as_ref())
            .map(|jwt| Caller::from_claims(|name| jwt.claims.get(name).map(String::as_str))),
        Some(_) | None => None,
    };
    match claims {
        Some(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Some(None) => {
            let detail =
                "The token's claims name no role: they need sub, role and, for a tenant, tenantId.";
            Problem::forbidden("unknown_role", detail).into_response()
        }
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(claims: &[(&str, &'static str)]) -> Option<Role> {
        let claim =
            |name: &str| claims.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Caller::from_claims(claim).map(|caller| caller.role)
    }

    #[test]
    fn claims_name_a_role_or_nobody() {
        assert_eq!(caller(&[("sub", "a"), ("role", "admin")]), Some(Role::Admin));
        assert_eq!(
            caller(&[("sub", "a"), ("role", "tenant"), ("tenantId", "acme")]),
            Some(Role::Tenant("acme".parse().unwrap()))
        );
        assert_eq!(caller(&[("role", "admin")]), None, "nobody");
        assert_eq!(caller(&[("sub", ""), ("role", "admin")]), None, "an empty subject");
        assert_eq!(caller(&[("sub", "a")]), None, "no role");
        assert_eq!(caller(&[("sub", "a"), ("role", "root")]), None, "an unknown role");
        assert_eq!(caller(&[("sub", "a"), ("role", "tenant")]), None, "a tenant of nothing");
        assert_eq!(caller(&[("sub", "a"), ("role", "tenant"), ("tenantId", "a b")]), None);
    }
}
