//! Example events, made current: their instants are moved to now, and what proves their origin is renewed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::Sha256;

/// An event with every instant of the examples' day moved by as much as `from` is moved to `to`.
pub(crate) fn current(text: &str, now: Timestamp) -> Value {
    let examples_now: Timestamp = "2026-11-24T08:10:00Z".parse().unwrap();
    let shift = now.duration_since(examples_now);
    let mut moved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("2026-11-24T") {
        let word = &rest[at..];
        let word = &word[..word.find(|c| !"0123456789T:.-Z".contains(c)).unwrap_or(word.len())];
        moved.push_str(&rest[..at]);
        // An hour such as 2026-11-24T07 is part of a key, and no instant.
        match word.parse::<Timestamp>() {
            Ok(instant) => moved.push_str(&(instant + shift).to_string()),
            Err(_) => moved.push_str(word),
        }
        rest = &rest[at + word.len()..];
    }
    moved.push_str(rest);
    serde_json::from_str(&moved).unwrap()
}

/// Changes an HTTP event's body, which may be in base64.
pub(crate) fn change_body(event: &mut Value, change: impl FnOnce(String) -> String) {
    let body = change(body_of(event));
    let encoded = event["isBase64Encoded"] == true;
    event["body"] = if encoded { STANDARD.encode(body) } else { body }.into();
}

/// The body of an HTTP event or answer.
pub(crate) fn body_of(event: &Value) -> String {
    let body = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] == true {
        String::from_utf8(STANDARD.decode(body).unwrap()).unwrap()
    } else {
        body.to_owned()
    }
}

/// Signs a webhook event as its sender would now.
pub(crate) fn sign(event: &mut Value, secret: &str, now: Timestamp) {
    let (body, timestamp) = (body_of(event), now.as_second().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{body}").as_bytes());
    let signature = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    event["headers"]["x-marketplace-timestamp"] = timestamp.into();
    event["headers"]["x-marketplace-signature"] = signature.into();
}

/// An instant within the hour before.
pub(crate) fn a_while_ago(now: Timestamp) -> Timestamp {
    now - SignedDuration::from_mins(1)
}
