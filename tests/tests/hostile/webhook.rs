//! Requests to the webhook that nobody signed, and odd bodies that somebody did.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::target::Target;

pub(crate) async fn forged_webhooks(it: &mut Target) {
    let event =
        json!([{"key": "forged", "dimension": "scans", "quantity": "1000", "at": it.now()}]);
    let body = it.usage(&event);
    let request = it.webhook().body(body.clone());
    it.try_it("usage report without a signature", request).await;
    let (now, secret) = (it.now(), it.system.secrets().marketplace.clone());
    let forged = |it: &Target, secret: &str, at: Timestamp, over: &str| {
        let (time, signature) = Target::hmac(secret, at, over.as_bytes());
        it.webhook()
            .header("x-marketplace-timestamp", time)
            .header("x-marketplace-signature", signature)
    };
    let request =
        forged(it, "another secret of thirty-two characters", now, &body).body(body.clone());
    it.try_it("signed with another secret", request).await;
    let old = now - SignedDuration::from_secs(301);
    let request = forged(it, &secret, old, &body).body(body.clone());
    it.try_it("rightly signed, replayed after five minutes", request).await;
    let future = now + SignedDuration::from_secs(301);
    let request = forged(it, &secret, future, &body).body(body.clone());
    it.try_it("rightly signed for five minutes from now", request).await;
    let request = forged(it, &secret, now, "{}").body(body.clone());
    it.try_it("a right signature of another body", request).await;
    let request =
        forged(it, &secret, now, &body).header("x-marketplace-timestamp", "1").body(body.clone());
    it.try_it("two timestamps", request).await;
    let (time, signature) = Target::hmac(&secret, now, body.as_bytes());
    let many = vec![signature.as_str(); 17].join(",");
    let request = it.webhook().header("x-marketplace-timestamp", time.clone());
    let request = request.header("x-marketplace-signature", many).body(body.clone());
    it.try_it("seventeen signatures", request).await;
    let request = it.webhook().header("x-marketplace-timestamp", format!("+{time}"));
    let request = request.header("x-marketplace-signature", signature.clone()).body(body.clone());
    it.try_it("a timestamp with a sign", request).await;
    let request = it.webhook().header("x-marketplace-timestamp", time);
    let cut = signature.get(..40).unwrap().to_owned();
    let request = request.header("x-marketplace-signature", cut).body(body);
    it.try_it("a signature cut short", request).await;
}

pub(crate) async fn odd_bodies(it: &mut Target) {
    for (what, body) in [
        ("signed: 256 KiB and a byte", vec![b' '; 256 * 1024 + 1]),
        ("signed: an empty body", Vec::new()),
        ("signed: not UTF-8", vec![0xff, 0xfe, 0x00]),
        ("signed: a hundred thousand brackets", vec![b'['; 100_000]),
        ("signed: brackets inside a notice", format!("{{\"detail-type\":{}", "[".repeat(10_000)).into_bytes()),
        ("signed: half an object", b"{\"type\": \"usage.reported\"".to_vec()),
        ("signed: an unknown kind of usage", b"{\"id\":\"1\",\"type\":\"usage.deleted\"}".to_vec()),
        ("signed: an event from another source", br#"{"detail-type":"License Updated - Manufacturer","source":"evil","id":"1","time":"2026-11-10T08:00:00Z","detail":{}}"#.to_vec()),
    ] {
        let request = it.signed(body);
        it.try_it(what, request).await;
    }
    let now = it.now();
    let event = |key: &str, quantity: Value| json!([{"key": key, "dimension": "scans", "quantity": quantity, "at": now}]);
    let long = "k".repeat(10_000);
    for (what, events) in [
        ("signed usage: a quantity of 1e309", event("q1", json!("1e309"))),
        ("signed usage: NaN", event("q2", json!("NaN"))),
        ("signed usage: a negative quantity", event("q3", json!("-5"))),
        ("signed usage: 40 digits", event("q4", json!("9".repeat(40)))),
        ("signed usage: a key of 10,000 characters", event(&long, json!("1"))),
        ("signed usage: a key with a separator", event("a#b\u{0}", json!("1"))),
        (
            "signed usage: the year 9999",
            json!([{"key": "q5", "dimension": "scans", "quantity": "1", "at": "9999-12-31T23:59:59Z"}]),
        ),
        (
            "signed usage: an unknown dimension",
            json!([{"key": "q6", "dimension": "../scans", "quantity": "1", "at": now}]),
        ),
        ("signed usage: a used key for another quantity", event("honest", json!("4"))),
    ] {
        let body = it.usage(&events);
        let request = it.signed(body);
        it.try_it(what, request).await;
    }
    let many: Vec<_> = (0..101)
        .map(|n| json!({"key": format!("m{n}"), "dimension": "scans", "quantity": "1", "at": now}))
        .collect();
    let body = it.usage(&json!(many));
    let request = it.signed(body);
    it.try_it("signed usage: 101 events", request).await;
    let nobody =
        it.usage(&event("q7", json!("1"))).replace(&it.id, "sub_00000000000000000000000000000000");
    let request = it.signed(nobody);
    it.try_it("signed usage: of a subscription that does not exist", request).await;
}
