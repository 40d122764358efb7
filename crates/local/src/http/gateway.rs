//! In the place of API Gateway's authorizer: the development key opens the API as `admin`, and `X-Act-As` as any other
//! role. Nothing like it is deployed.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use domain::ids::TenantId;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use lambda_shell::problem::Problem;
use subscription_api::{Caller, Role};

use crate::secrets::Secrets;
use crate::system::Handle;

/// Whom to pass for.
const ACT_AS: &str = "x-act-as";

/// The functions' routes, each behind what API Gateway would put before it.
pub(super) fn router(system: &Handle) -> Router {
    let functions = system.functions();
    let guard = from_fn_with_state(system.secrets().clone(), guard);
    functions.public_router().merge(functions.api_router().layer(guard))
}

async fn guard(State(secrets): State<Secrets>, mut request: Request, next: Next) -> Response {
    match caller(&secrets, request.headers()) {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        // Public routes need no caller; the others refuse by themselves.
        Ok(None) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn caller(secrets: &Secrets, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    let Some(authorization) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let key = authorization.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    if key != Some(secrets.api_key.as_str()) {
        let detail = "The bearer key is not the development key that was printed at the start.";
        return Err(Problem::unauthorized("unauthenticated", detail));
    }
    let role = match headers.get(ACT_AS) {
        None => Role::Admin,
        Some(wanted) => wanted.to_str().ok().and_then(role).ok_or_else(|| {
            let detail = "X-Act-As is admin, operator, meter or tenant:<tenant id>.";
            Problem::forbidden("unknown_role", detail)
        })?,
    };
    Ok(Some(Caller { subject: "developer".to_owned(), role }))
}

fn role(text: &str) -> Option<Role> {
    match text {
        "admin" => Some(Role::Admin),
        "operator" => Some(Role::Operator),
        "meter" => Some(Role::Meter),
        _ => text.strip_prefix("tenant:")?.parse::<TenantId>().ok().map(Role::Tenant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(headers: &[(&'static str, &str)]) -> Result<Option<Role>, &'static str> {
        let secrets = Secrets { api_key: "dev_key".to_owned(), marketplace: String::new() };
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        caller(&secrets, &headers.collect())
            .map(|caller| caller.map(|caller| caller.role))
            .map_err(|problem| problem.code)
    }

    #[test]
    fn the_development_key_opens_every_role_and_another_opens_none() {
        let key = ("authorization", "Bearer dev_key");
        assert_eq!(called(&[]), Ok(None));
        assert_eq!(called(&[key]), Ok(Some(Role::Admin)));
        assert_eq!(called(&[key, (ACT_AS, "meter")]), Ok(Some(Role::Meter)));
        let tenant = Role::Tenant("acme".parse().unwrap());
        assert_eq!(called(&[key, (ACT_AS, "tenant:acme")]), Ok(Some(tenant)));
        assert_eq!(called(&[key, (ACT_AS, "root")]), Err("unknown_role"));
        assert_eq!(called(&[("authorization", "Bearer dev")]), Err("unauthenticated"));
        assert_eq!(called(&[(ACT_AS, "admin")]), Ok(None), "nobody without the key");
    }
}
