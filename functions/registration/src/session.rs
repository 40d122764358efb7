//! The registration session: who AWS said the buyer is, sealed into a cookie from the landing to the form.

use app::ports::ResolvedBuyer;
use domain::ids::{AccountId, AgreementId, CustomerIdentifier, LicenseArn, ProductCode};
use domain::time::after;
use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::config::Secrets;
use lambda_shell::session::{SessionError, open, seal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the cookies' names begin with. Each buyer has a cookie of its own, so that two tabs with two purchases do not
/// get into each other's way.
const COOKIE_NAME: &str = "marketplace_registration";

const PURPOSE: &str = "registration";
const LIFE: SignedDuration = SignedDuration::from_mins(30);

/// A [`ResolvedBuyer`] as it travels.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SealedBuyer {
    product: ProductCode,
    account: Option<AccountId>,
    license: Option<LicenseArn>,
    agreement: Option<AgreementId>,
    customer: Option<CustomerIdentifier>,
}

impl From<&ResolvedBuyer> for SealedBuyer {
    fn from(buyer: &ResolvedBuyer) -> Self {
        let ResolvedBuyer { product, account, license, agreement, customer } = buyer.clone();
        Self { product, account, license, agreement, customer }
    }
}

impl From<SealedBuyer> for ResolvedBuyer {
    fn from(sealed: SealedBuyer) -> Self {
        let SealedBuyer { product, account, license, agreement, customer } = sealed;
        Self { product, account, license, agreement, customer }
    }
}

/// Why a cookie could not be made.
#[derive(Debug)]
pub(crate) struct NoCookie;

impl From<serde_json::Error> for NoCookie {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

impl From<InvalidHeaderValue> for NoCookie {
    fn from(_: InvalidHeaderValue) -> Self {
        Self
    }
}

/// Tells one buyer's session from another's in the same browser. No secret: it only names which cookie a form means.
pub(crate) fn tag(buyer: &ResolvedBuyer) -> String {
    let ids = serde_json::to_vec(&SealedBuyer::from(buyer)).unwrap_or_default();
    hex::encode(Sha256::digest(ids)).chars().take(10).collect()
}

/// The `Set-Cookie` value that carries a buyer to the form. `Lax`, because the landing comes from AWS's site and goes on
/// to the form by a redirect, where `Strict` would hold the cookie back; another site's form never brings it along.
pub(crate) fn cookie(
    secrets: &Secrets,
    buyer: &ResolvedBuyer,
    now: Timestamp,
) -> Result<HeaderValue, NoCookie> {
    let sealed = seal(secrets, PURPOSE, &SealedBuyer::from(buyer), after(now, LIFE))?;
    let (life, tag) = (LIFE.as_secs(), tag(buyer));
    Ok(HeaderValue::from_str(&format!(
        "{COOKIE_NAME}-{tag}={sealed}; Path=/marketplace/register; Max-Age={life}; HttpOnly; Secure; SameSite=Lax"
    ))?)
}

/// The buyer that the request's cookies carry: the one a form names, else the only one. An absent cookie counts as
/// malformed, and so do several when none is named.
pub(crate) fn buyer(
    secrets: &Secrets,
    headers: &HeaderMap,
    named: &str,
    now: Timestamp,
) -> Result<ResolvedBuyer, SessionError> {
    let mut found: Vec<ResolvedBuyer> = Vec::new();
    let mut refused = SessionError::Malformed;
    for sealed in cookies(headers) {
        match open::<SealedBuyer>(secrets, PURPOSE, sealed, now).map(ResolvedBuyer::from) {
            Ok(buyer) if !named.is_empty() && tag(&buyer) == named => return Ok(buyer),
            Ok(buyer) if !found.contains(&buyer) => found.push(buyer),
            Ok(_) => {}
            Err(error) => refused = error,
        }
    }
    match (named.is_empty(), found.pop(), found.is_empty()) {
        (true, Some(only), true) => Ok(only),
        // The one that is meant is not there any more.
        (false, Some(_), _) => Err(SessionError::Expired),
        (_, _, _) => Err(refused),
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter_map(|(name, value)| name.starts_with(COOKIE_NAME).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyer_of(account: &str) -> ResolvedBuyer {
        ResolvedBuyer {
            product: "abcd1234efgh5678ijkl9012m".parse().unwrap(),
            account: Some(account.parse().unwrap()),
            license: None,
            agreement: None,
            customer: None,
        }
    }

    #[test]
    fn two_tabs_with_two_purchases_keep_a_session_each() {
        let secrets = Secrets::parse("a-secret-that-has-32-characters!").unwrap();
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let (first, second) = (buyer_of("111122223333"), buyer_of("222233334444"));
        let sent = |buyers: &[&ResolvedBuyer]| {
            let pairs: Vec<String> = buyers
                .iter()
                .map(|buyer| {
                    let set = cookie(&secrets, buyer, now).unwrap();
                    set.to_str().unwrap().split(';').next().unwrap().to_owned()
                })
                .collect();
            HeaderMap::from_iter([(COOKIE, pairs.join("; ").parse().unwrap())])
        };
        let both = sent(&[&first, &second]);
        assert_eq!(buyer(&secrets, &both, &tag(&first), now).unwrap(), first);
        assert_eq!(buyer(&secrets, &both, &tag(&second), now).unwrap(), second);
        assert_eq!(buyer(&secrets, &both, "", now), Err(SessionError::Malformed), "which one?");
        let one = sent(&[&first]);
        assert_eq!(buyer(&secrets, &one, "", now).unwrap(), first);
        assert_eq!(buyer(&secrets, &one, &tag(&second), now), Err(SessionError::Expired));
        let later = now.checked_add(LIFE).unwrap();
        assert_eq!(buyer(&secrets, &one, &tag(&first), later), Err(SessionError::Expired));
        assert_eq!(buyer(&secrets, &HeaderMap::new(), "", now), Err(SessionError::Malformed));
    }
}
