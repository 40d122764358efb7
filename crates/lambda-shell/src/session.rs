//! Short-lived values that leave the house and come back unchanged, e.g. in a cookie: readable by their bearer, but
//! not to be altered, prolonged, or used for another purpose.
//!
//! `base64url({"until": seconds, "value": …}) "." base64url(HMAC-SHA256)`, keyed per purpose:
//! `key = HMAC-SHA256(secret, "session:" purpose)`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::config::Secrets;
use crate::signature::keyed;

/// Bytes of a [`stamp`].
pub const STAMP: usize = 16;

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
    let secret = secrets.signing();
    let mac = over(secret.expose_secret().as_bytes(), purpose, &payload).finalize().into_bytes();
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
    let ours = secrets.verifying().iter().any(|secret| {
        over(secret.expose_secret().as_bytes(), purpose, payload).verify_slice(&mac).is_ok()
    });
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

/// A short proof, with the first secret, that `text` was handed out here for `purpose`. It has no end of its own: it is
/// believed as long as its secret.
pub fn stamp(secrets: &Secrets, purpose: &str, text: &str) -> [u8; STAMP] {
    let secret = secrets.signing();
    let mac = over(secret.expose_secret().as_bytes(), purpose, text).finalize().into_bytes();
    let mut stamp = [0; STAMP];
    stamp.iter_mut().zip(mac).for_each(|(place, byte)| *place = byte);
    stamp
}

/// Whether [`stamp`] made this for the same text and purpose, with any active secret.
pub fn is_stamped(secrets: &Secrets, purpose: &str, text: &str, stamp: [u8; STAMP]) -> bool {
    secrets.verifying().iter().any(|secret| {
        let mac = over(secret.expose_secret().as_bytes(), purpose, text);
        mac.verify_truncated_left(&stamp).is_ok()
    })
}

fn over(secret: &[u8], purpose: &str, payload: &str) -> Hmac<Sha256> {
    let mut derive = keyed(secret);
    derive.update(b"session:");
    derive.update(purpose.as_bytes());
    let mut mac = keyed(&derive.finalize().into_bytes());
    mac.update(payload.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-that-has-32-characters!";
    const OTHER: &str = "another-secret-of-32-characters!";

    fn secrets(text: &str) -> Secrets {
        Secrets::parse(text).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sealed() -> String {
        seal(&secrets(SECRET), "registration", &["111122223333"], at("2026-11-24T08:00:00Z"))
            .unwrap()
    }

    fn opened(purpose: &str, sealed: &str, now: &str) -> Result<[String; 1], SessionError> {
        open(&secrets(SECRET), purpose, sealed, at(now))
    }

    #[test]
    fn a_value_comes_back_until_its_time_is_over() {
        let value = opened("registration", &sealed(), "2026-11-24T07:59:59Z").unwrap();
        assert_eq!(value, ["111122223333"]);
        let over = opened("registration", &sealed(), "2026-11-24T08:00:00Z");
        assert_eq!(over, Err(SessionError::Expired));
    }

    #[test]
    fn a_value_for_one_purpose_serves_no_other() {
        let other = opened("unsubscribe", &sealed(), "2026-11-24T07:00:00Z");
        assert_eq!(other, Err(SessionError::Forged));
    }

    #[test]
    fn an_altered_value_is_not_believed() {
        let whole = sealed();
        let (payload, mac) = whole.split_once('.').unwrap();
        let prolonged = URL_SAFE_NO_PAD.encode(br#"{"until":4102444800,"value":["111122223333"]}"#);
        for forged in [
            format!("{prolonged}.{mac}"),
            format!("{payload}."),
            format!("{payload}.{}", &mac[..40]),
        ] {
            let refused = opened("registration", &forged, "2026-11-24T07:00:00Z");
            assert_eq!(refused, Err(SessionError::Forged), "{forged}");
        }
        for noise in ["", "no dot", "a.b!"] {
            let refused = opened("registration", noise, "2026-11-24T07:00:00Z");
            assert_eq!(refused, Err(SessionError::Malformed), "{noise:?}");
        }
    }

    #[test]
    fn a_rotated_out_secret_opens_what_it_sealed_until_it_is_gone() {
        let open_with = |text: &str| {
            open::<[String; 1]>(
                &secrets(text),
                "registration",
                &sealed(),
                at("2026-11-24T07:00:00Z"),
            )
        };
        assert!(open_with(&format!("{OTHER},{SECRET}")).is_ok());
        assert_eq!(open_with(OTHER), Err(SessionError::Forged));
    }

    #[test]
    fn a_stamp_is_good_for_its_text_purpose_and_secret_only() {
        let both = secrets(&format!("{OTHER},{SECRET}"));
        let given = stamp(&secrets(SECRET), "cursor", "here");
        assert!(is_stamped(&secrets(SECRET), "cursor", "here", given));
        assert!(is_stamped(&both, "cursor", "here", given), "while the secret is rotated");
        assert!(!is_stamped(&secrets(SECRET), "cursor", "there", given));
        assert!(!is_stamped(&secrets(SECRET), "registration", "here", given));
        assert!(!is_stamped(&secrets(OTHER), "cursor", "here", given));
    }

    #[test]
    fn a_sealed_value_fits_in_a_cookie() {
        assert!(sealed().chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)));
    }
}
