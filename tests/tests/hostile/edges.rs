//! The registration page, and bytes as no HTTP client would send them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;

use crate::target::Target;

pub(crate) async fn registrations(it: &mut Target) {
    let post =
        |it: &Target, path: &str| it.call(Method::POST, path).header("accept", "application/json");
    let token = "x-amzn-marketplace-token";
    let request = post(it, "/marketplace/register").form(&[(token, "nonsense")]);
    it.try_it("registration: a made-up token", request).await;
    let request = post(it, "/marketplace/register").form(&[(token, "A".repeat(60_000))]);
    it.try_it("registration: a token of 60,000 characters", request).await;
    let request = post(it, "/marketplace/register").form(&[("other", "x")]);
    it.try_it("registration: no token", request).await;
    let details =
        [("company", "<script>alert(1)</script>"), ("contact", "a"), ("email", "a@example.com")];
    let request = post(it, "/marketplace/register/complete").form(&details);
    it.try_it("registration: the form without a session", request).await;
    let session = STANDARD.encode("{\"account\":\"111122223333\"}");
    for name in ["registration", "__Host-registration", "session"] {
        let request = post(it, "/marketplace/register/complete")
            .header("cookie", format!("{name}={session}"))
            .form(&details);
        if name == "registration" {
            it.try_it("registration: a forged session", request).await;
        } else {
            assert!(request.send().await.unwrap().status().is_client_error());
        }
    }
    let request =
        post(it, "/marketplace/register").header("content-type", "application/json").body("{}");
    it.try_it("registration: JSON for a form", request).await;
    let request = it
        .call(Method::GET, "/marketplace/register?x=%0d%0aset-cookie:%20a=b")
        .header("accept", "application/json");
    let answer = request.try_clone().unwrap().send().await.unwrap();
    assert!(answer.headers().get_all("set-cookie").iter().all(|cookie| cookie != "a=b"));
    it.try_it("registration: a header smuggled through the query", request).await;
}

pub(crate) async fn raw_bytes(it: &mut Target) {
    let head = "POST /marketplace/webhook HTTP/1.1\r\nhost: localhost\r\n";
    it.bytes("bytes: noise", &[0_u8, 159, 146, 150, 13, 10, 13, 10]).await;
    it.bytes("bytes: the beginning of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    it.bytes(
        "bytes: two lengths",
        format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}").as_bytes(),
    )
    .await;
    it.bytes(
        "bytes: a length and chunks",
        format!("{head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
            .as_bytes(),
    )
    .await;
    it.bytes("bytes: a length of -1", format!("{head}content-length: -1\r\n\r\n").as_bytes()).await;
    it.bytes(
        "bytes: a chunk of 2^64 bytes",
        format!("{head}transfer-encoding: chunked\r\n\r\n10000000000000000\r\n").as_bytes(),
    )
    .await;
    it.bytes(
        "bytes: a length of 11 MB and no body",
        format!("{head}content-length: 11534336\r\n\r\n").as_bytes(),
    )
    .await;
    it.bytes(
        "bytes: half a body, then silence",
        format!("{head}content-length: 10\r\n\r\n{{").as_bytes(),
    )
    .await;
    it.bytes(
        "bytes: a header of 200 kB",
        format!("{head}x: {}\r\n\r\n", "a".repeat(200_000)).as_bytes(),
    )
    .await;
    it.bytes(
        "bytes: a header with a line feed alone",
        format!("{head}x: a\nx-marketplace-signature: v1=00\r\n\r\n").as_bytes(),
    )
    .await;
}
