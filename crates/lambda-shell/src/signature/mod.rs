//! Proof of who sent a webhook request: HMAC-SHA256 with a shared secret, in our own form or in that of
//! [Standard Webhooks](standard). Our own is
//!
//! ```text
//! x-marketplace-timestamp: 1795482000                          seconds since 1970
//! x-marketplace-signature: v1=<hex>[,v1=<hex>]                 over "<timestamp>.<body>", one per secret while rotating
//! ```
//!
//! The raw body is verified before anything of it is parsed. A request is fresh for five minutes either way; within
//! them a replay is harmless, because every notice and every usage event is taken once.

pub mod standard;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::config::Secrets;

/// The header with the time of signing, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-marketplace-timestamp";

/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "x-marketplace-signature";

/// How far the time of signing may be from now, either way.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Why a request is not believed. Says which check failed and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is not there.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// A header cannot be read.
    #[error("the header {0} is malformed")]
    MalformedHeader(&'static str),
    /// Signed more than five minutes ago.
    #[error("the signature is older than 5 minutes")]
    TooOld,
    /// Signed more than five minutes from now: the sender's clock, or ours, is wrong.
    #[error("the signature is dated more than 5 minutes in the future")]
    TooNew,
    /// No signature fits any active secret.
    #[error("the signature does not fit the body")]
    NoMatch,
}

impl SignatureError {
    /// A stable name, for metrics and problems.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingHeader(_) => "missing_signature",
            Self::MalformedHeader(_) => "malformed_signature",
            Self::TooOld | Self::TooNew => "stale_signature",
            Self::NoMatch => "bad_signature",
        }
    }
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
    let timestamp = header(headers, TIMESTAMP_HEADER)?;
    let signed_at = seconds(TIMESTAMP_HEADER, timestamp)?;
    let signatures = signatures(header(headers, SIGNATURE_HEADER)?)?;
    is_fresh(signed_at, now)?;
    let fits = secrets.verifying().iter().any(|secret| {
        let mac = over(secret.expose_secret().as_bytes(), timestamp, body);
        // `verify_slice` takes the same time wherever the first difference is.
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    if fits { Ok(()) } else { Err(SignatureError::NoMatch) }
}

/// The two header values of a request signed at `now` with the first secret.
pub fn sign(secrets: &Secrets, body: &[u8], now: Timestamp) -> [(&'static str, String); 2] {
    let timestamp = now.as_second().to_string();
    let secret = secrets.signing();
    let mac = over(secret.expose_secret().as_bytes(), &timestamp, body).finalize().into_bytes();
    [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, format!("v1={}", hex::encode(mac)))]
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::MissingHeader(name))?;
    // Of two of them, another reader may take the other one.
    if values.next().is_some() {
        return Err(SignatureError::MalformedHeader(name));
    }
    value.to_str().map_err(|_| SignatureError::MalformedHeader(name))
}

fn is_fresh(signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureError> {
    let age = now.duration_since(signed_at);
    if age > TOLERANCE {
        Err(SignatureError::TooOld)
    } else if age < -TOLERANCE {
        Err(SignatureError::TooNew)
    } else {
        Ok(())
    }
}

fn seconds(name: &'static str, text: &str) -> Result<Timestamp, SignatureError> {
    let malformed = SignatureError::MalformedHeader(name);
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed);
    }
    let seconds: i64 = text.parse().map_err(|_| malformed)?;
    Timestamp::from_second(seconds).map_err(|_| malformed)
}

/// The `v1` signatures; other versions are left to those who know them.
fn signatures(text: &str) -> Result<Vec<Vec<u8>>, SignatureError> {
    let decoded: Option<Vec<_>> = text
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("v1="))
        .map(|digits| hex::decode(digits).ok().filter(|bytes| bytes.len() == 32))
        .collect();
    decoded
        .filter(|signatures| (1..=16).contains(&signatures.len()))
        .ok_or(SignatureError::MalformedHeader(SIGNATURE_HEADER))
}

fn over(secret: &[u8], timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = keyed(secret);
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// An HMAC with this key.
#[expect(clippy::expect_used, reason = "HMAC is defined for keys of every length")]
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "the-old-secret-of-32-characters-";
    const NEW: &str = "the-new-secret-of-32-characters-";
    const BODY: &[u8] = br#"{"type":"usage.reported"}"#;

    fn secrets(text: &str) -> Secrets {
        Secrets::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-11-24T07:00:00Z")
    }

    fn signed(secret: &str, at: Timestamp) -> HeaderMap {
        headers(&sign(&secrets(secret), BODY, at))
    }

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn what_was_signed_is_believed_for_five_minutes_either_way() {
        let headers = signed(NEW, now());
        let check = |now: &str| verify(&secrets(NEW), &headers, BODY, at(now));
        assert_eq!(check("2026-11-24T07:05:00Z"), Ok(()));
        assert_eq!(check("2026-11-24T06:55:00Z"), Ok(()));
        assert_eq!(check("2026-11-24T07:05:01Z"), Err(SignatureError::TooOld));
        assert_eq!(check("2026-11-24T06:54:59Z"), Err(SignatureError::TooNew));
    }

    #[test]
    fn the_scheme_is_the_documented_one() {
        // printf '1795503600.{}' | openssl dgst -sha256 -hmac the-new-secret-of-32-characters-
        let [(_, timestamp), (_, signature)] = sign(&secrets(NEW), b"{}", now());
        assert_eq!(timestamp, "1795503600");
        assert_eq!(
            signature,
            "v1=607527fad11160e2699d4b76fa6e817a3001dd3b6e050d4afc6b3695f2ca4bf0"
        );
    }

    #[test]
    fn another_byte_in_the_body_or_another_timestamp_breaks_the_proof() {
        let mut headers = signed(NEW, now());
        let check = |headers: &HeaderMap, body: &[u8]| verify(&secrets(NEW), headers, body, now());
        assert_eq!(check(&headers, br#"{"type":"usage.Reported"}"#), Err(SignatureError::NoMatch));
        headers.insert(TIMESTAMP_HEADER, "1795503601".parse().unwrap());
        assert_eq!(check(&headers, BODY), Err(SignatureError::NoMatch));
    }

    #[test]
    fn both_secrets_are_believed_while_they_are_rotated_and_the_first_one_signs() {
        let rotating = secrets(&format!("{NEW},{OLD}"));
        for secret in [OLD, NEW] {
            assert_eq!(verify(&rotating, &signed(secret, now()), BODY, now()), Ok(()), "{secret}");
        }
        assert_eq!(sign(&rotating, BODY, now()), sign(&secrets(NEW), BODY, now()));
        assert_eq!(
            verify(&secrets(NEW), &signed(OLD, now()), BODY, now()),
            Err(SignatureError::NoMatch)
        );
    }

    #[test]
    fn one_good_signature_among_several_is_enough() {
        let [_, (_, old)] = sign(&secrets(OLD), BODY, now());
        let [time, (name, new)] = sign(&secrets(NEW), BODY, now());
        let both = headers(&[time, (name, format!("v2=later, {old},{new}"))]);
        assert_eq!(verify(&secrets(NEW), &both, BODY, now()), Ok(()));
    }

    #[test]
    fn the_error_names_the_header_that_is_missing_or_malformed() {
        let check = |name: &'static str, value: Option<&str>| {
            let mut headers = signed(NEW, now());
            headers.remove(name);
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
            verify(&secrets(NEW), &headers, BODY, now()).unwrap_err()
        };
        for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            assert_eq!(check(name, None), SignatureError::MissingHeader(name));
        }
        for value in ["", "soon", "-1", "+1795503600", "1795503600.5", "99999999999999999999"] {
            let refused = check(TIMESTAMP_HEADER, Some(value));
            assert_eq!(refused, SignatureError::MalformedHeader(TIMESTAMP_HEADER), "{value:?}");
        }
        let whole = sign(&secrets(NEW), BODY, now())[1].1.clone();
        let many = vec![whole.as_str(); 17].join(",");
        for value in ["", "v1=", "v1=zz", &whole[..60], &whole[3..], &many] {
            let refused = check(SIGNATURE_HEADER, Some(value));
            assert_eq!(refused, SignatureError::MalformedHeader(SIGNATURE_HEADER), "{value:?}");
        }
    }
}
