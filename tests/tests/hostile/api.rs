//! Callers and requests of the API.

use reqwest::Method;
use serde_json::json;

use crate::target::Target;

pub(crate) async fn api_callers(it: &mut Target) {
    let path = format!("/marketplace/subscriptions/{}", it.id);
    let key = it.system.secrets().api_key.clone();
    let request = it.call(Method::GET, &path);
    it.try_it("API: without a key", request).await;
    let request = it.call(Method::GET, &path).bearer_auth("dev_0000");
    it.try_it("API: with a made-up key", request).await;
    let request = it.call(Method::DELETE, &path).bearer_auth(&key).header("x-act-as", "root");
    it.try_it("API: as a role that does not exist", request).await;
    let request =
        it.call(Method::GET, &path).bearer_auth(&key).header("x-act-as", "tenant:somebody-else");
    it.try_it("API: a tenant reads another's subscription", request).await;
    let request = it
        .call(Method::GET, "/marketplace/subscriptions")
        .bearer_auth(&key)
        .header("x-act-as", "tenant:somebody-else");
    it.try_it("API: a tenant lists everybody", request).await;
    let request = it
        .call(Method::DELETE, &path)
        .bearer_auth(&key)
        .header("x-act-as", "operator")
        .header("if-match", "\"1\"");
    it.try_it("API: an operator cancels", request).await;
    let request = it
        .call(Method::POST, &format!("{path}/meter"))
        .bearer_auth(&key)
        .header("x-act-as", "tenant:somebody-else");
    let request = request.json(
        &json!({"events": [{"key": "t", "dimension": "scans", "quantity": "1", "at": it.now()}]}),
    );
    it.try_it("API: a tenant reports usage", request).await;
}

pub(crate) async fn api_requests(it: &mut Target) {
    let key = it.system.secrets().api_key.clone();
    for (what, path) in [
        (
            "API: an id that climbs",
            "/marketplace/subscriptions/..%2f..%2f_local%2fstate".to_owned(),
        ),
        ("API: an id with a zero byte", "/marketplace/subscriptions/sub_%00".to_owned()),
        (
            "API: an id of 8,000 characters",
            format!("/marketplace/subscriptions/{}", "a".repeat(8_000)),
        ),
        ("API: a made-up cursor", "/marketplace/subscriptions?cursor=AAAAAAAAAAAAAAAA".to_owned()),
        ("API: a limit of -1", "/marketplace/subscriptions?limit=-1".to_owned()),
        ("API: a limit of a billion", "/marketplace/subscriptions?limit=1000000000".to_owned()),
        (
            "API: a parameter that does not exist",
            "/marketplace/subscriptions?admin=true".to_owned(),
        ),
        (
            "API: the thirteenth month",
            format!("/marketplace/subscriptions/{}/billing?month=2026-13", it.id),
        ),
        ("API: an address that does not exist", "/marketplace/.env".to_owned()),
    ] {
        let request = it.call(Method::GET, &path).bearer_auth(&key);
        it.try_it(what, request).await;
    }
    let json_body = |it: &Target, path: &str, body: &str| {
        it.api(Method::POST, path).header("content-type", "application/json").body(body.to_owned())
    };
    for (what, path, body) in [
        ("API: a hundred thousand brackets", "/meter", "[".repeat(100_000)),
        ("API: 256 KiB and a byte", "/meter", " ".repeat(256 * 1024 + 1)),
        ("API: no events", "/meter", "{\"events\":[]}".to_owned()),
        ("API: events that are none", "/meter", "{\"events\":{\"__proto__\":1}}".to_owned()),
        (
            "API: a negative reservation",
            "/entitlements/consume",
            json!({"key": "r", "dimension": "scans", "quantity": "-1", "at": it.now()}).to_string(),
        ),
        (
            "API: giving back what was never reserved",
            "/entitlements/release",
            "{\"key\":\"never\",\"month\":\"2026-11\"}".to_owned(),
        ),
        ("API: a check of nothing", "/entitlements/check", "{}".to_owned()),
    ] {
        let request = json_body(it, path, &body);
        it.try_it(what, request).await;
    }
    let request = it.api(Method::POST, "/meter").header("content-type", "text/plain").body("{}");
    it.try_it("API: JSON that calls itself text", request).await;
    let request = it.api(Method::PUT, "").json(&json!({"plan": "ENTERPRISE"}));
    it.try_it("API: a change without If-Match", request).await;
    let request =
        it.api(Method::PUT, "").header("if-match", "\"0\"").json(&json!({"plan": "ENTERPRISE"}));
    it.try_it("API: a change of what is long past", request).await;
    let request =
        it.api(Method::PUT, "").header("if-match", "*").json(&json!({"suspended": "yes"}));
    it.try_it("API: a flag that is a text", request).await;
    let request = it.api(Method::PUT, "").header("if-match", "*").json(&json!({"revision": 1}));
    it.try_it("API: a member that is not to be written", request).await;
    let request =
        json_body(it, "/meter", "{\"events\":[]}").header("idempotency-key", "k".repeat(5_000));
    it.try_it("API: an idempotency key of 5,000 characters", request).await;
    let request = it.api(Method::from_bytes(b"TRACE").unwrap(), "");
    it.try_it("API: TRACE", request).await;
}
