//! Notices: what AWS Marketplace tells us, whatever the channel. Triggers, not truth (fact sheet §6, §7, §8.7).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{
    AccountId, AgreementId, CustomerIdentifier, LicenseArn, NoticeId, OfferId, ProductCode,
};

/// Where a notice came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The seller account's default bus in us-east-1.
    EventBridge,
    /// The legacy topics.
    Sns,
    /// The platform's own messages to the webhook.
    Platform,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventBridge => "event-bridge",
            Self::Sns => "sns",
            Self::Platform => "platform",
        })
    }
}

/// A notification in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Its channel.
    pub channel: Channel,
    /// What makes it unique there.
    pub id: NoticeId,
    /// When AWS says it happened.
    pub at: Timestamp,
    /// What happened.
    pub body: NoticeBody,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "about")]
pub enum NoticeBody {
    /// An agreement; carries neither product nor license.
    Agreement {
        /// Which.
        agreement: AgreementId,
        /// The buyer.
        account: Option<AccountId>,
        /// What happened to it.
        change: AgreementChange,
    },
    /// A license.
    License {
        /// Which.
        license: LicenseArn,
        /// The agreement it serves.
        agreement: AgreementId,
        /// Of which listing.
        product: ProductCode,
        /// The buyer.
        account: AccountId,
        /// What happened to it.
        change: LicenseChange,
    },
    /// A subscription of an older listing.
    Legacy {
        /// The listing.
        product: ProductCode,
        /// The buyer.
        customer: CustomerIdentifier,
        /// What happened.
        change: LegacyChange,
    },
    /// A kind that we store and acknowledge but do not act on.
    Unknown {
        /// Its name, as AWS gave it.
        kind: String,
    },
}

/// What happened to an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "change")]
pub enum AgreementChange {
    /// It was made, or follows another.
    Created {
        /// Why it was made.
        intent: Intent,
        /// The agreement it renews or replaces, where AWS says so.
        previous: Option<AgreementId>,
        /// The accepted offer.
        offer: Option<OfferId>,
        /// When it ends; absent for pay as you go.
        ends: Option<Timestamp>,
    },
    /// Its terms or its renewal changed.
    Amended {
        /// Whether it renews by itself, where AWS says so.
        auto_renew: Option<bool>,
        /// When it ends, where AWS says so.
        ends: Option<Timestamp>,
    },
    /// It is over.
    Ended {
        /// How.
        how: EndStatus,
    },
    /// AWS found the account closed, compromised or abusive.
    AdvisoryIssued,
    /// That is over.
    AdvisoryResolved,
}

/// Why an agreement was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Intent {
    /// A new purchase.
    New,
    /// Changed terms of the same purchase.
    Amend,
    /// The next term of an earlier one.
    Renew,
    /// Another offer in place of an earlier one.
    Replace,
}

impl Intent {
    /// Whether an earlier agreement goes on in this one.
    pub fn continues_another(self) -> bool {
        match self {
            Self::New => false,
            Self::Amend | Self::Renew | Self::Replace => true,
        }
    }
}

/// How an agreement ended. Renewed and replaced agreements go on in another and never close anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndStatus {
    /// By the buyer, early.
    Cancelled,
    /// At its end date.
    Expired,
    /// By AWS.
    Terminated,
    /// It goes on in its renewal.
    Renewed,
    /// It goes on in its replacement.
    Replaced,
    /// By one of AWS's other ways: archived, rolled back, superseded.
    Other,
}

impl EndStatus {
    /// Whether the buyer has nothing any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Cancelled | Self::Expired | Self::Terminated => true,
            Self::Renewed | Self::Replaced | Self::Other => false,
        }
    }
}

/// What happened to a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LicenseChange {
    /// Provisioned, or changed in some way: the activation signal.
    Updated,
    /// Its entitlements ended.
    Deprovisioned,
}

/// What happened to a legacy subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "action")]
pub enum LegacyChange {
    /// `subscribe-success`: metering may begin.
    Subscribed {
        /// The accepted offer, for some offers.
        offer: Option<OfferId>,
        /// Whether the offer has a free trial.
        free_trial: bool,
    },
    /// `subscribe-fail`: the payment failed.
    Failed,
    /// `unsubscribe-pending`: about an hour is left.
    Unsubscribing,
    /// `unsubscribe-success`: nothing is accepted any more.
    Unsubscribed,
    /// `entitlement-updated`: ask GetEntitlements.
    EntitlementUpdated,
}
