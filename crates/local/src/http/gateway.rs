//! In the place of API Gateway's authorizer: the development key opens the API as `admin`, and `X-Act-As` as any other
//! role. Nothing like it is deployed.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use domain::ids::TenantId;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use lambda_shell::problem::Problem;
use subscription_api::{Caller, Role};

use crate::secrets::Secrets;
use crate::system::Handle;

/// Whom to pass for.
const ACT_AS: HeaderName = HeaderName::from_static("x-act-as");

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
    let Some(authorization) = only(headers, &AUTHORIZATION) else { return Ok(None) };
    let key = authorization.strip_prefix("Bearer ");
    if key != Some(secrets.api_key.as_str()) {
        let detail = "The bearer key is not the development key that was printed at the start.";
        return Err(Problem::unauthorized("unauthenticated", detail));
    }
    let role = match only(headers, &ACT_AS) {
        None => Role::Admin,
        Some(wanted) => role(wanted).ok_or_else(|| {
            let detail = "X-Act-As is admin, operator, meter or tenant:<tenant id>.";
            Problem::forbidden("unknown_role", detail)
        })?,
    };
    Ok(Some(Caller { subject: "developer".to_owned(), role }))
}

/// A header's text, if the header is there; nothing that any caller sends when it is there twice or is no text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok();
    Some(first.filter(|_| values.next().is_none()).unwrap_or_default())
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
        let mut all = HeaderMap::new();
        headers.for_each(|(name, value): (HeaderName, _)| {
            all.append(name, value);
        });
        caller(&secrets, &all)
            .map(|caller| caller.map(|caller| caller.role))
            .map_err(|problem| problem.code)
    }

    #[test]
    fn the_development_key_opens_every_role_and_another_opens_none() {
        let key = ("authorization", "Bearer dev_key");
        assert_eq!(called(&[]), Ok(None));
        assert_eq!(called(&[key]), Ok(Some(Role::Admin)));
        assert_eq!(called(&[key, ("x-act-as", "meter")]), Ok(Some(Role::Meter)));
        let tenant = Role::Tenant("acme".parse().unwrap());
        assert_eq!(called(&[key, ("x-act-as", "tenant:acme")]), Ok(Some(tenant)));
        assert_eq!(called(&[key, ("x-act-as", "root")]), Err("unknown_role"));
        assert_eq!(called(&[("authorization", "Bearer dev")]), Err("unauthenticated"));
        assert_eq!(called(&[key, ("authorization", "Bearer dev")]), Err("unauthenticated"));
        let twice = called(&[key, ("x-act-as", "meter"), ("x-act-as", "admin")]);
        assert_eq!(twice, Err("unknown_role"));
        assert_eq!(called(&[("x-act-as", "admin")]), Ok(None), "nobody without the key");
    }
}
