use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{Api, LICENSE, OTHER_LICENSE, active, admin, event, request, tenant};

/// Every route, with a body it takes, and the roles that may: admin, operator, meter, tenant.
fn matrix() -> Vec<(&'static str, &'static str, Value, [bool; 4])> {
    let import = json!({"licenseArn": OTHER_LICENSE, "account": "111122223333"});
    let one = || event("one", "api-calls", "1");
    let closing = json!({"as": "written-off", "note": "agreed"});
    let release = json!({"key": "one", "month": "2026-11"});
    vec![
        ("GET", "", Value::Null, [true, true, false, false]),
        ("POST", "", import, [true, false, false, false]),
        ("GET", "/ID", Value::Null, [true, true, false, true]),
        ("PUT", "/ID", json!({"suspended": true}), [true, false, false, false]),
        ("DELETE", "/ID", Value::Null, [true, false, false, false]),
        ("GET", "/ID/contact", Value::Null, [true, true, false, false]),
        ("PUT", "/ID/tenant", json!({"tenantId": "acme"}), [true, false, false, false]),
        ("POST", "/ID/meter", one(), [true, false, true, false]),
        ("GET", "/ID/usage", Value::Null, [true, true, false, true]),
        ("GET", "/ID/usage/events", Value::Null, [true, true, false, false]),
        ("GET", "/ID/entitlements", Value::Null, [true, true, false, true]),
        ("POST", "/ID/entitlements/check", json!({}), [true, true, true, false]),
        ("POST", "/ID/entitlements/consume", one(), [true, false, true, false]),
        ("POST", "/ID/entitlements/keep", release.clone(), [true, false, true, false]),
        ("POST", "/ID/entitlements/release", release, [true, false, true, false]),
        ("GET", "/ID/billing", Value::Null, [true, true, false, true]),
        ("GET", "/ID/records", Value::Null, [true, true, false, true]),
        ("GET", "/ID/audit", Value::Null, [true, true, false, false]),
        ("POST", "/ID/settle", Value::Null, [true, true, false, false]),
        ("GET", "/../checks/conservation", Value::Null, [true, true, false, false]),
        ("GET", "/../checks/notices", Value::Null, [true, true, false, false]),
        ("GET", "/../parked", Value::Null, [true, true, false, false]),
        ("POST", "/../parked/ITEM/retry", Value::Null, [true, true, false, false]),
        ("POST", "/../parked/ITEM/close", closing, [true, true, false, false]),
    ]
}

fn path(api: &Api, rest: &str) -> String {
    let below = rest.replace("ID", api.id.as_str());
    match below.strip_prefix("/..") {
        Some(beside) => format!("/marketplace{beside}"),
        None => format!("/marketplace/subscriptions{below}"),
    }
}

#[tokio::test]
async fn a_role_may_do_what_the_table_says_and_nothing_else() {
    for (method, rest, body, may) in matrix() {
        let roles = [admin(), Role::Operator, Role::Meter, tenant("acme")];
        for (role, may) in roles.into_iter().zip(may) {
            let api = Api::new();
            let headers = [("if-match", "*")];
            let asked = request(role.clone(), method, &path(&api, rest), &headers, &body);
            let answer = api.send(asked).await;
            let forbidden = answer.status == 403;
            assert_eq!(forbidden, !may, "{role:?} {method} {rest}: {answer:?}");
            if forbidden {
                assert_eq!(answer.problem(), (403, "forbidden"));
                assert_eq!(api.store.states(), [active(LICENSE, "acme")], "nothing was done");
            } else {
                let known = [200, 201, 202].contains(&answer.status)
                    || answer.json["code"] == "unknown_reservation"
                    || answer.json["code"] == "unknown_item"
                    || answer.json["code"] == "not_registered"
                    || answer.json["code"] == "not_reversible";
                assert!(known, "{role:?} {method} {rest}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_verified_caller_there_is_only_health() {
    let api = Api::new();
    for (method, rest, body, _) in matrix() {
        let mut asked = request(admin(), method, &path(&api, rest), &[], &body);
        asked.extensions_mut().clear();
        let answer = api.send(asked).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{method} {rest}");
    }
    let mut asked = request(admin(), "GET", "/marketplace/health", &[], &Value::Null);
    asked.extensions_mut().clear();
    assert_eq!(api.send(asked).await.status, 200);
}

#[tokio::test]
async fn a_wrong_role_hears_nothing_about_the_rest_of_its_request() {
    let api = Api::new();
    let path = "/marketplace/subscriptions/sub_nonsense";
    let asked = request(tenant("acme"), "PUT", path, &[], &json!("no object"));
    assert_eq!(api.send(asked).await.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn another_tenants_subscription_is_not_to_be_told_from_none() {
    let api = Api::new();
    api.store.put_state(active(OTHER_LICENSE, "umbrella"));
    let none = "/marketplace/subscriptions/sub_00000000000000000000000000000001";
    for rest in ["", "/usage", "/entitlements", "/billing", "/records"] {
        let own = api.get(tenant("acme"), &api.path(rest)).await;
        assert_eq!(own.status, 200, "{rest}");
        let others = api.get(tenant("umbrella"), &api.path(rest)).await;
        let absent = api.get(tenant("umbrella"), &format!("{none}{rest}")).await;
        assert_eq!(others.problem(), (404, "unknown_subscription"), "{rest}");
        assert_eq!(others.json, absent.json, "{rest}");
        assert_eq!(others.headers, absent.headers, "{rest}");
    }
}

#[tokio::test]
async fn a_subscription_without_a_workspace_belongs_to_no_tenant() {
    let api = Api::new();
    api.alter(|state| state.tenant = domain::subscription::Tenant::Requested);
    let answer = api.get(tenant("acme"), &api.path("")).await;
    assert_eq!(answer.problem(), (404, "unknown_subscription"));
}
