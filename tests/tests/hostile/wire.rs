//! Whole requests that are odd on the wire: names, versions, framing, other sites.

use reqwest::Method;

use crate::target::Target;

const LIST: &str = "/marketplace/subscriptions";

pub(crate) async fn odd_requests(it: &mut Target) {
    let host = it.system.url().trim_start_matches("http://").to_owned();
    let key = it.system.secrets().api_key.clone();
    let get = |target: &str, rest: &str| {
        format!(
            "GET {target} HTTP/1.1\r\nconnection: close\r\nauthorization: Bearer {key}\r\n{rest}\r\n"
        )
    };
    let here = format!("host: {host}\r\n");
    it.whole("wire: a name of elsewhere", &get(LIST, "host: evil.example\r\n")).await;
    it.whole(
        "wire: a control by a name of elsewhere",
        &get("/_local/state", "host: evil.example\r\n"),
    )
    .await;
    it.whole("wire: two names", &get(LIST, &format!("{here}host: evil.example\r\n"))).await;
    let metadata = "http://169.254.169.254/latest/meta-data/";
    it.whole("wire: the metadata service's address, as to a proxy", &get(metadata, &here)).await;
    it.whole(
        "wire: a tunnel",
        "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\nconnection: close\r\n\r\n",
    )
    .await;
    it.whole("wire: HTTP/1.0 without a name or a key", &format!("GET {LIST} HTTP/1.0\r\n\r\n"))
        .await;
    it.whole("wire: HTTP/0.9", &format!("GET {LIST}\r\n\r\n")).await;
    it.whole("wire: HTTP/1.9", &format!("GET {LIST} HTTP/1.9\r\n{here}\r\n")).await;
    let many = "x: a\r\n".repeat(200);
    it.whole("wire: two hundred headers", &get(LIST, &format!("{here}{many}"))).await;
    it.whole("wire: a folded header", &get(LIST, &format!("{here}x: a\r\n b\r\n"))).await;
    it.whole("wire: a zero byte in a header", &get(LIST, &format!("{here}x: a\0b\r\n"))).await;
    let long = format!("{LIST}?x={}", "a".repeat(60_000));
    it.whole("wire: a query of 60 kB", &get(&long, &here)).await;
    it.whole("wire: a path that is not UTF-8", &get(&format!("{LIST}/%ff%fe"), &here)).await;
    it.whole("wire: a path that climbs", &get("/marketplace/../_local/state", &here)).await;
    it.whole("wire: two keys", &get(LIST, &format!("{here}authorization: Bearer dev_0\r\n"))).await;
    let roles = format!("{here}x-act-as: meter\r\nx-act-as: admin\r\n");
    it.whole("wire: two roles", &get(LIST, &roles)).await;
}

pub(crate) async fn odd_bodies(it: &mut Target) {
    let host = it.system.url().trim_start_matches("http://").to_owned();
    let key = it.system.secrets().api_key.clone();
    let path = format!("/marketplace/subscriptions/{}/meter", it.id);
    let chunked = |body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{body}"
        )
    };
    let whole = "d\r\n{\"events\":[]}\r\n0\r\n";
    let extended = format!("d;{}\r\n{{\"events\":[]}}\r\n0\r\n\r\n", "a".repeat(50_000));
    it.whole("wire: a chunk's extension of 50 kB", &chunked(&extended)).await;
    let trailers = "x: a\r\n".repeat(3_000);
    it.whole("wire: three thousand trailers", &chunked(&format!("{whole}{trailers}\r\n"))).await;
    let behind = format!("{whole}\r\nDELETE /marketplace/subscriptions/{} HTTP/1.1\r\n\r\n", it.id);
    it.whole("wire: a request behind the last one of a connection", &chunked(&behind)).await;

    let json = |it: &Target, body: Vec<u8>| {
        it.api(Method::POST, "/meter").header("content-type", "application/json").body(body)
    };
    let event = |key: &str| {
        format!(
            "{{\"events\":[{{{key},\"dimension\":\"scans\",\"quantity\":\"1\",\"at\":\"{}\"}}]}}",
            it.now()
        )
    };
    let bodies = [
        ("API: a member twice", event("\"key\":\"a\",\"key\":\"b\"").into_bytes()),
        ("API: half a surrogate pair", event("\"key\":\"\\ud800\"").into_bytes()),
        ("API: a zero byte in a key", event("\"key\":\"a\\u0000b\"").into_bytes()),
        ("API: UTF-16", "{\"events\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("API: a byte order mark", b"\xef\xbb\xbf{\"events\":[]}".to_vec()),
        ("API: a compressed body", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
    ];
    for (what, body) in bodies {
        let request = json(it, body);
        it.try_it(what, request).await;
    }
    let request = json(it, b"{\"events\":[]}".to_vec());
    let request = request.header("idempotency-key", "a").header("idempotency-key", "b");
    it.try_it("API: two idempotency keys", request).await;
}

pub(crate) async fn other_sites(it: &mut Target) {
    let request = it.call(Method::OPTIONS, LIST).header("origin", "https://evil.example");
    let request = request.header("access-control-request-method", "POST");
    let answer = request.try_clone().unwrap().send().await.unwrap();
    let allowed = answer.headers().keys().any(|name| name.as_str().starts_with("access-control"));
    assert!(!allowed, "no other site may read answers");
    it.try_it("another site: asks whether it may", request).await;
    let clock = it.call(Method::POST, "/_local/clock").body("{\"advanceHours\":1}");
    let request =
        clock.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example");
    it.try_it("another site: moves the clock", request).await;
    let sold = it.call(Method::POST, "/_sim/purchases").body("{}");
    let request = sold.header("origin", "https://evil.example");
    it.try_it("another site: buys, in an old browser", request).await;
}

pub(crate) async fn forged_cursors(it: &mut Target) {
    let audit = format!("{LIST}/{}/audit?limit=1", it.id);
    let page = it.read(&audit).await;
    let cursor = page.pointer("/nextCursor").unwrap().as_str().unwrap().to_owned();
    let (start, end) = cursor.split_at(cursor.len() / 2);
    let turned: String = end.chars().rev().collect();
    let usage = format!("{LIST}/{}/usage/events?limit=1", it.id);
    let key = it.system.secrets().api_key.clone();
    for (what, path, role) in [
        ("API: a cursor with its end turned", format!("{audit}&cursor={start}{turned}"), "admin"),
        ("API: a cursor cut short", format!("{audit}&cursor={start}"), "admin"),
        ("API: a cursor of another list", format!("{usage}&cursor={cursor}"), "admin"),
        ("API: a cursor of another role", format!("{audit}&cursor={cursor}"), "operator"),
        (
            "API: a cursor of 40,000 characters",
            format!("{audit}&cursor={}", "A".repeat(40_000)),
            "admin",
        ),
    ] {
        let request = it.call(Method::GET, &path).bearer_auth(&key).header("x-act-as", role);
        it.try_it(what, request).await;
    }
}
