//! Short-lived values that leave the house and come back unchanged, e.g. in a cookie: readable by their bearer, but
//! not to be altered, prolonged, or used for another purpose.
//!
//! `base64url({"until": seconds, "value": …}) "." base64url(HMAC-SHA256)`, keyed per purpose:
//! `key = HMAC-SHA256(secret, "session:" purpose)`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::config::Secrets;
use crate::signature::keyed;

/// Why a sealed value is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not a sealed value of this kind.
    #[error("the session cannot be read")]
    Malformed,
    /// Not sealed by us, or for another purpose.
    #[error("the session was not issued here")]
    Forged,
    /// Its time is over.
    #[error("the session has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    until: i64,
    value: T,
}

/// Seals `value` until `until`, with the first secret. The answer has only characters that a cookie value may have.
///
/// # Errors
/// Only when the value has no JSON form.
pub fn seal<T: Serialize>(
    secrets: &Secrets,
    purpose: &str,
    value: &T,
    until: Timestamp,
) -> Result<String, serde_json::Error> {
    let json = serde_json::to_vec(&Sealed { until: until.as_second(), value })?;
    let payload = URL_SAFE_NO_PAD.encode(json);
    let mac = over(secrets.signing(), purpose, &payload).finalize().into_bytes();
    Ok(format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

/// Opens what [`seal`] made for the same purpose with any active secret. The proof is checked before anything is read.
///
/// # Errors
/// Why it is not believed.
pub fn open<T: DeserializeOwned>(
    secrets: &Secrets,
    purpose: &str,
    sealed: &str,
    now: Timestamp,
) -> Result<T, SessionError> {
    let (payload, mac) = sealed.split_once('.').ok_or(SessionError::Malformed)?;
    let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| SessionError::Malformed)?;
    let ours =
        secrets.verifying().any(|secret| over(secret, purpose, payload).verify_slice(&mac).is_ok());
    if !ours {
        return Err(SessionError::Forged);
    }
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| SessionError::Malformed)?;
    let sealed: Sealed<T> = serde_json::from_slice(&json).map_err(|_| SessionError::Malformed)?;
    if now.as_second() >= sealed.until {
        return Err(SessionError::Expired);
    }
    Ok(sealed.value)
}

fn over(secret: &[u8], purpose: &str, payload: &str) -> Hmac<Sha256> {
    let mut derive = keyed(secret);
    derive.update(b"session:");
    derive.update(purpose.as_bytes());
    let mut mac = keyed(&derive.finalize().into_bytes());
    mac.update(payload.as_bytes());
    mac
}
