//! The form of Standard Webhooks, for what we take and for what we send.
//!
//! ```text
//! webhook-id: msg_2KWPBgLlAfxdpx2AI54pPJ85f4W          the same at every delivery of one message
//! webhook-timestamp: 1795482000                        seconds since 1970, of this delivery
//! webhook-signature: v1,<base64>[ v1,<base64>]         over "<id>.<timestamp>.<body>", one per key while rotating
//! ```
//!
//! Written here over the `hmac` crate: the specification's own crate has had one release, reads the clock by itself and
//! brings a second base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use super::{SignatureError, header, is_fresh, keyed, seconds};
use crate::config::Secrets;

/// The header with the message's id.
pub const ID_HEADER: &str = "webhook-id";

/// The header with the time of the delivery.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The longest id.
const LONGEST_ID: usize = 256;

/// A signing key. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Key(SecretSlice<u8>);

impl Key {
    /// What a key's text begins with.
    pub const PREFIX: &str = "whsec_";

    /// Reads `whsec_` and base64 of 24 to 64 bytes, as the specification asks.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(Self::PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self::of_bytes(&bytes))
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self(SecretSlice::from(bytes.to_vec()))
    }

    /// The key of a secret that we share with a sender: what follows `whsec_`, or the characters of any other secret.
    fn of_secret(secret: &[u8]) -> Self {
        let decoded = std::str::from_utf8(secret).ok().and_then(Self::parse);
        decoded.unwrap_or_else(|| Self::of_bytes(secret))
    }

    fn over(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(self.0.expose_secret());
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// Whether a request claims this form of proof.
pub fn is_claimed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE_HEADER)
}

/// Checks the proof in `headers` over the raw `body`.
///
/// # Errors
/// The check that failed.
pub fn verify(
    secrets: &Secrets,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let id = header(headers, ID_HEADER)?;
    if !(1..=LONGEST_ID).contains(&id.len()) {
        return Err(SignatureError::MalformedHeader(ID_HEADER));
    }
    let timestamp = header(headers, TIMESTAMP_HEADER)?;
    let signed_at = seconds(TIMESTAMP_HEADER, timestamp)?;
    let signatures = signatures(header(headers, SIGNATURE_HEADER)?)?;
    is_fresh(signed_at, now)?;
    let fits = secrets.verifying().iter().any(|secret| {
        let mac = Key::of_secret(secret.expose_secret().as_bytes()).over(id, timestamp, body);
        // `verify_slice` takes the same time wherever the first difference is.
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if fits { Ok(()) } else { Err(SignatureError::NoMatch) }
}

/// The headers of a message delivered at `now`, signed with every live key: the receiver needs only one of them.
pub fn sign(keys: &[Key], id: &str, body: &[u8], now: Timestamp) -> [(&'static str, String); 3] {
    let timestamp = now.as_second().to_string();
    let signature = |key: &Key| {
        let mac = key.over(id, &timestamp, body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(mac))
    };
    let signatures: Vec<_> = keys.iter().map(signature).collect();
    [
        (ID_HEADER, id.to_owned()),
        (SIGNATURE_HEADER, signatures.join(" ")),
        (TIMESTAMP_HEADER, timestamp),
    ]
}

/// The `v1` signatures; other versions are left to those who know them.
fn signatures(text: &str) -> Result<Vec<Vec<u8>>, SignatureError> {
    let decoded: Option<Vec<_>> = text
        .split(' ')
        .filter_map(|part| part.strip_prefix("v1,"))
        .map(|encoded| STANDARD.decode(encoded).ok().filter(|bytes| bytes.len() == 32))
        .collect();
    decoded
        .filter(|signatures| (1..=16).contains(&signatures.len()))
        .ok_or(SignatureError::MalformedHeader(SIGNATURE_HEADER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the public libraries of Standard Webhooks test with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secrets(text: &str) -> Secrets {
        Secrets::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn headers(signature: &str) -> HeaderMap {
        let timestamp = AT.to_string();
        [(ID_HEADER, ID), (TIMESTAMP_HEADER, timestamp.as_str()), (SIGNATURE_HEADER, signature)]
            .into_iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn check(signature: &str) -> Result<(), SignatureError> {
        verify(&secrets(SECRET), &headers(signature), BODY, at(AT))
    }

    #[test]
    fn the_public_vector_is_signed_and_believed() {
        let key = Key::parse(SECRET).unwrap();
        let signed = sign(&[key], ID, BODY, at(AT));
        assert_eq!(signed[1], (SIGNATURE_HEADER, SIGNATURE.to_owned()));
        assert_eq!(signed[2], (TIMESTAMP_HEADER, "1614265330".to_owned()));
        assert_eq!(check(SIGNATURE), Ok(()));
    }

    #[test]
    fn one_good_signature_among_several_and_unknown_ones_is_enough() {
        let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        let later = wrong.replace("v1", "v2");
        assert_eq!(check(&format!("{wrong} {later} {SIGNATURE} v1a,whatever")), Ok(()));
        assert_eq!(check(&format!("{wrong} {later}")), Err(SignatureError::NoMatch));
        assert_eq!(
            check(&SIGNATURE.replace("v1", "v2")),
            Err(SignatureError::MalformedHeader(SIGNATURE_HEADER))
        );
    }

    #[test]
    fn a_truncated_or_odd_signature_is_malformed() {
        let many = vec![SIGNATURE; 17].join(" ");
        for odd in
            ["", "v1,", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", "v1,Zm9v", "v1", &many]
        {
            assert_eq!(
                check(odd),
                Err(SignatureError::MalformedHeader(SIGNATURE_HEADER)),
                "{odd:?}"
            );
        }
    }

    #[test]
    fn id_timestamp_and_body_are_all_covered() {
        let verify =
            |headers: &HeaderMap, body: &[u8]| verify(&secrets(SECRET), headers, body, at(AT));
        let mut other_id = headers(SIGNATURE);
        other_id.insert(ID_HEADER, "msg_another".parse().unwrap());
        assert_eq!(verify(&other_id, BODY), Err(SignatureError::NoMatch));
        let mut other_time = headers(SIGNATURE);
        other_time.insert(TIMESTAMP_HEADER, "1614265331".parse().unwrap());
        assert_eq!(verify(&other_time, BODY), Err(SignatureError::NoMatch));
        assert_eq!(
            verify(&headers(SIGNATURE), br#"{"test":2432232314}"#),
            Err(SignatureError::NoMatch)
        );
        for name in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            let mut without = headers(SIGNATURE);
            without.remove(name);
            assert_eq!(verify(&without, BODY), Err(SignatureError::MissingHeader(name)));
            let mut twice = headers(SIGNATURE);
            let value = twice[name].clone();
            twice.append(name, value);
            assert_eq!(verify(&twice, BODY), Err(SignatureError::MalformedHeader(name)));
        }
    }

    #[test]
    fn it_is_believed_for_five_minutes_either_way() {
        let check = |now: i64| verify(&secrets(SECRET), &headers(SIGNATURE), BODY, at(now));
        assert_eq!(check(AT + 300), Ok(()));
        assert_eq!(check(AT - 300), Ok(()));
        assert_eq!(check(AT + 301), Err(SignatureError::TooOld));
        assert_eq!(check(AT - 301), Err(SignatureError::TooNew));
    }

    #[test]
    fn every_live_key_signs_and_every_live_secret_is_believed() {
        let other = "whsec_ZHVkZWR1ZGVkdWRlZHVkZWR1ZGVkdWRl";
        let keys = [other, SECRET].map(|text| Key::parse(text).unwrap());
        let [_, (_, both), _] = sign(&keys, ID, BODY, at(AT));
        assert_eq!(both.split(' ').nth(1), Some(SIGNATURE));
        assert_eq!(check(&both), Ok(()));
        let rotating = secrets(&format!("{other},{SECRET}"));
        assert_eq!(verify(&rotating, &headers(SIGNATURE), BODY, at(AT)), Ok(()));
    }

    #[test]
    fn a_plain_secret_is_a_key_by_its_characters() {
        let plain = "a-plain-secret-of-more-than-32-characters";
        let same = Key::parse(&format!("whsec_{}", STANDARD.encode(plain))).unwrap();
        let [_, (_, signature), _] = sign(&[same], ID, BODY, at(AT));
        assert_eq!(verify(&secrets(plain), &headers(&signature), BODY, at(AT)), Ok(()));
    }

    #[test]
    fn a_key_has_the_form_and_the_length_of_the_specification() {
        for bad in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ="] {
            assert!(Key::parse(bad).is_none(), "{bad}");
        }
        let shown = format!("{:?}", Key::parse(SECRET).unwrap());
        assert!(!shown.contains("MfKQ") && !shown.contains("49"), "{shown}");
    }
}
