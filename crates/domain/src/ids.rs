//! Identifiers. Each is its own type with one door; the patterns are AWS's where AWS has one (fact sheet §1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An identifier that breaks its pattern. Never holds the offending text: it may be a secret or personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {rule}")]
pub struct InvalidId {
    /// What the text was meant to be.
    pub kind: &'static str,
    /// What it must look like.
    pub rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as AWS or the caller wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let ok: fn(&str) -> bool = $ok;
                if ok(&text) { Ok(Self(text)) } else { Err(InvalidId { kind: $kind, rule: $rule }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn sized(text: &str, max: usize, allowed: fn(char) -> bool) -> bool {
    !text.is_empty() && text.len() <= max && text.chars().all(allowed)
}

fn visible(c: char) -> bool {
    c.is_ascii_graphic()
}

text_id!(
    /// The product code of the listing (not the `prod-…` product id).
    ProductCode, "product code", "1 to 255 letters, digits or -/=:_.@ and not a prod-… id",
    |t| !t.starts_with("prod-") && sized(t, 255, |c| c.is_ascii_alphanumeric() || "-/=:_.@".contains(c))
);
text_id!(
    /// The buying AWS account. Not unique per product: one account may hold many licenses.
    AccountId, "AWS account id", "12 digits", |t| t.len() == 12 && t.chars().all(|c| c.is_ascii_digit())
);
text_id!(
    /// The opaque buyer id of listings older than Concurrent Agreements.
    CustomerIdentifier, "customer identifier", "1 to 255 visible characters", |t| sized(t, 255, visible)
);
text_id!(
    /// An agreement between buyer and proposer.
    AgreementId, "agreement id", "1 to 64 letters, digits, - _ or /",
    |t| sized(t, 64, |c| c.is_ascii_alphanumeric() || "-_/".contains(c))
);
text_id!(
    /// The accepted offer.
    OfferId, "offer id", "1 to 64 visible characters", |t| sized(t, 64, visible)
);
text_id!(
    /// A pricing dimension of the listing, case-sensitive.
    Dimension, "dimension", "1 to 255 visible characters without #",
    |t| sized(t, 255, |c| visible(c) && c != '#')
);
text_id!(
    /// A plan of the catalog.
    PlanId, "plan", "1 to 64 letters, digits, - or _",
    |t| sized(t, 64, |c| c.is_ascii_alphanumeric() || "-_".contains(c))
);
text_id!(
    /// A feature of the catalog.
    FeatureId, "feature", "1 to 64 letters, digits, - or _",
    |t| sized(t, 64, |c| c.is_ascii_alphanumeric() || "-_".contains(c))
);
text_id!(
    /// The platform workspace that serves a subscription; named by the platform.
    TenantId, "tenant id", "1 to 128 letters, digits, - _ . or :",
    |t| sized(t, 128, |c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
);
text_id!(
    /// The caller's idempotency key of one usage event or one request.
    IdempotencyKey, "idempotency key", "1 to 128 visible characters without #",
    |t| sized(t, 128, |c| visible(c) && c != '#')
);
text_id!(
    /// What makes a notification unique on its channel.
    NoticeId, "notice id", "1 to 256 visible characters without #",
    |t| sized(t, 256, |c| visible(c) && c != '#')
);
text_id!(
    /// AWS's id of an accepted metering record.
    MeteringRecordId, "metering record id", "1 to 128 visible characters", |t| sized(t, 128, visible)
);
text_id!(
    /// The stable, opaque id of a subscription: derived from its license, so that two channels that see the same
    /// license first, in any order, name the same row.
    SubscriptionId, "subscription id", "sub_ and 32 lower-case hexadecimal digits",
    |t| t.strip_prefix("sub_").is_some_and(|hex| {
        hex.len() == 32 && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    })
);

impl SubscriptionId {
    fn derive(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        let mut text = hex::encode(digest.finalize());
        text.truncate(32);
        Self(format!("sub_{text}"))
    }
}

/// A license ARN. Two are equal when their `l-…` tails are: AWS's documented event sample is not a valid ARN, and the
/// account and Region in the middle differ between sources (fact sheet §6.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LicenseArn(String);

impl LicenseArn {
    /// The ARN as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `l-…` part, which identifies the license.
    pub fn tail(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or(&self.0)
    }

    /// Whether this is a whole ARN that metering accepts, not the malformed form of AWS's sample.
    pub fn is_complete(&self) -> bool {
        self.0.starts_with("arn:") && self.0.contains(":license:")
    }
}

impl TryFrom<String> for LicenseArn {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let arn = Self(text);
        let tail_ok = arn
            .tail()
            .strip_prefix("l-")
            .is_some_and(|id| sized(id, 128, |c| c.is_ascii_alphanumeric()));
        if tail_ok && sized(&arn.0, 2048, visible) && arn.0.contains("license-manager:") {
            Ok(arn)
        } else {
            Err(InvalidId {
                kind: "license ARN",
                rule: "a license-manager ARN that ends in l-<id>",
            })
        }
    }
}

impl FromStr for LicenseArn {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<LicenseArn> for String {
    fn from(arn: LicenseArn) -> Self {
        arn.0
    }
}

impl fmt::Display for LicenseArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for LicenseArn {
    fn eq(&self, other: &Self) -> bool {
        self.tail() == other.tail()
    }
}

impl Eq for LicenseArn {}

impl Hash for LicenseArn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tail().hash(state);
    }
}

/// What a subscription is a record of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum LicenseRef {
    /// A license of a listing with Concurrent Agreements.
    License {
        /// Its ARN.
        arn: LicenseArn,
    },
    /// A subscription of an older listing, known by product and customer only.
    Legacy {
        /// The listing.
        product: ProductCode,
        /// The buyer.
        customer: CustomerIdentifier,
    },
}

impl LicenseRef {
    /// The id of the subscription that records this license.
    pub fn subscription_id(&self) -> SubscriptionId {
        match self {
            Self::License { arn } => SubscriptionId::derive(&["license", arn.tail()]),
            Self::Legacy { product, customer } => {
                SubscriptionId::derive(&["legacy", product.as_str(), customer.as_str()])
            }
        }
    }

    /// How people and logs name it: the license's `l-…` tail, or the customer of an older listing.
    pub fn name(&self) -> &str {
        match self {
            Self::License { arn } => arn.tail(),
            Self::Legacy { customer, .. } => customer.as_str(),
        }
    }

    /// The license ARN, absent for older listings.
    pub fn arn(&self) -> Option<&LicenseArn> {
        match self {
            Self::License { arn } => Some(arn),
            Self::Legacy { .. } => None,
        }
    }

    /// Takes over the more complete spelling of the same license.
    pub fn refine(&mut self, seen: &Self) {
        if let (Self::License { arn }, Self::License { arn: seen }) = (&mut *self, seen)
            && arn == seen
            && !arn.is_complete()
            && seen.is_complete()
        {
            *arn = seen.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "l-0123456789abcdef0123456789abcdef";

    fn license(text: &str) -> LicenseRef {
        LicenseRef::License { arn: text.parse().unwrap() }
    }

    #[test]
    fn a_license_has_one_subscription_id_however_its_arn_is_spelt() {
        let whole = license(&format!("arn:aws:license-manager::294406891311:license:{TAIL}"));
        let sample = license(&format!("aws:license-manager:us-east-1:444455556666:{TAIL}"));
        assert_eq!(whole, sample);
        assert_eq!(whole.subscription_id(), sample.subscription_id());
        assert!(whole.subscription_id().as_str().parse::<SubscriptionId>().is_ok());
    }

    #[test]
    fn the_whole_arn_replaces_the_malformed_one_and_never_the_reverse() {
        let whole = license(&format!("arn:aws:license-manager::294406891311:license:{TAIL}"));
        let sample = license(&format!("aws:license-manager:us-east-1:444455556666:{TAIL}"));
        let mut known = sample.clone();
        known.refine(&whole);
        known.refine(&sample);
        assert!(known.arn().unwrap().is_complete());
    }

    #[test]
    fn a_product_id_is_not_a_product_code() {
        assert!("prod-abcdefghijklm".parse::<ProductCode>().is_err());
        assert!("abcd1234efgh5678ijkl9012m".parse::<ProductCode>().is_ok());
    }

    #[test]
    fn a_refused_id_does_not_repeat_what_was_given() {
        let refused = "not-an-account".parse::<AccountId>().unwrap_err();
        assert_eq!(refused.to_string(), "AWS account id must be 12 digits");
    }
}
