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

/// The cookie's name.
pub(crate) const COOKIE_NAME: &str = "marketplace_registration";

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

/// The `Set-Cookie` value that carries a buyer to the form.
pub(crate) fn cookie(
    secrets: &Secrets,
    buyer: &ResolvedBuyer,
    now: Timestamp,
) -> Result<HeaderValue, NoCookie> {
    let sealed = seal(secrets, PURPOSE, &SealedBuyer::from(buyer), after(now, LIFE))?;
    let life = LIFE.as_secs();
    Ok(HeaderValue::from_str(&format!(
        "{COOKIE_NAME}={sealed}; Path=/marketplace/register; Max-Age={life}; HttpOnly; Secure; SameSite=Strict"
    ))?)
}

/// The buyer that the request's cookie carries. An absent cookie counts as malformed.
pub(crate) fn buyer(
    secrets: &Secrets,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<ResolvedBuyer, SessionError> {
    let sealed = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE_NAME).then_some(value))
        .ok_or(SessionError::Malformed)?;
    open::<SealedBuyer>(secrets, PURPOSE, sealed, now).map(Into::into)
}
