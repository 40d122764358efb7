//! What the marketplace side remembers: agreements, licenses, customers, tokens, metered usage.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::clock::later;
use crate::switches::{FinalHourOpener, Switches};

/// Why an agreement came to be (F§6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Intent {
    /// A first purchase.
    New,
    /// The successor at the end of a term.
    Renew,
    /// The successor by another offer.
    Replace,
}

impl Intent {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Renew => "RENEW",
            Self::Replace => "REPLACE",
        }
    }
}

/// Status of an agreement, as far as the simulator reaches it (F§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AgreementStatus {
    /// In force, or signed and waiting for its start.
    Active,
    /// Ended early by the buyer.
    Cancelled,
    /// Ended at its end date.
    Expired,
    /// Continued by a renewal.
    Renewed,
    /// Continued under another offer.
    Replaced,
    /// Never came into force: the payment failed.
    RolledBack,
    /// Ended by AWS.
    Terminated,
}

impl AgreementStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::Renewed => "RENEWED",
            Self::Replaced => "REPLACED",
            Self::RolledBack => "ROLLED_BACK",
            Self::Terminated => "TERMINATED",
        }
    }

    /// Whether another agreement goes on in its place.
    pub(crate) fn continues(self) -> bool {
        match self {
            Self::Renewed | Self::Replaced => true,
            Self::Active
            | Self::Cancelled
            | Self::Expired
            | Self::RolledBack
            | Self::Terminated => false,
        }
    }
}

/// Entitlements as they were signed, and when they take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// When the buyer signed.
    pub signed: Timestamp,
    /// When `License Updated` is due.
    pub effective: Timestamp,
    /// Quantity by dimension.
    pub entitlements: BTreeMap<String, Decimal>,
}

/// An agreement between a buyer and the seller or a reseller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// `agmt-…`.
    pub id: String,
    /// The first agreement of the chain; its own id for a first one.
    pub initial_id: String,
    /// The agreement that this one continues.
    pub previous_id: Option<String>,
    /// Why it came to be.
    pub intent: Intent,
    /// The product bought.
    pub product_code: String,
    /// The license that it pays for.
    pub license_arn: String,
    /// The buyer.
    pub account: String,
    /// The seller, or the reseller.
    pub proposer: String,
    /// The accepted offer.
    pub offer_id: String,
    /// Set when a reseller sold it.
    pub resale_authorization: Option<String>,
    /// Set when it was bought the legacy way.
    pub customer_identifier: Option<String>,
    /// When it was signed.
    pub accepted: Timestamp,
    /// When it starts.
    pub starts: Timestamp,
    /// When it ends; `None` for pay as you go.
    pub ends: Option<Timestamp>,
    /// When the free trial ends.
    pub free_trial_ends: Option<Timestamp>,
    /// Whether it renews at its end.
    pub auto_renew: bool,
    /// Its status.
    pub status: AgreementStatus,
    /// When it changed last.
    pub updated: Timestamp,
    /// What was granted, oldest first.
    pub grants: Vec<Grant>,
}

impl Agreement {
    pub(crate) fn is_active(&self) -> bool {
        self.status == AgreementStatus::Active
    }

    /// The entitlements signed last.
    pub(crate) fn signed_entitlements(&self) -> BTreeMap<String, Decimal> {
        self.grants.last().map(|grant| grant.entitlements.clone()).unwrap_or_default()
    }

    pub(crate) fn in_free_trial(&self, at: Timestamp) -> bool {
        self.free_trial_ends.is_some_and(|end| at < end)
    }
}

/// A license: the right to use the product and to be metered, across renewals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct License {
    pub(crate) arn: String,
    pub(crate) product_code: String,
    pub(crate) account: String,
    /// The agreement that pays for it now, or paid last.
    pub(crate) agreement_id: String,
    pub(crate) starts: Timestamp,
    /// When `License Updated` is due; never for a failed subscription.
    pub(crate) active_from: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) deprovisioned: Option<Timestamp>,
}

/// Whether a license can be metered now (F§3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metering {
    TooEarly,
    Open,
    Closed,
}

impl License {
    /// When the final window closes, if it has been opened or is about to be (F§8.2).
    pub(crate) fn closes(&self, switches: &Switches) -> Option<Timestamp> {
        let opener = match switches.final_hour_opener {
            FinalHourOpener::Earlier => {
                [self.ended, self.deprovisioned].into_iter().flatten().min()
            }
            FinalHourOpener::Ended => self.ended,
            FinalHourOpener::Deprovisioned => self.deprovisioned,
        };
        opener.map(|at| later(at, switches.final_window))
    }

    pub(crate) fn metering(&self, now: Timestamp, switches: &Switches) -> Metering {
        // What ended before it was ever active is not too early: it never will be.
        let never = self.ended.is_some() && self.active_from.is_none();
        if never || self.closes(switches).is_some_and(|close| close <= now) {
            Metering::Closed
        } else if self.active_from.is_some_and(|from| from <= now) {
            Metering::Open
        } else {
            Metering::TooEarly
        }
    }
}

/// A buyer of a legacy product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) identifier: String,
    pub(crate) product_code: String,
    pub(crate) account: String,
    /// Oldest first.
    pub(crate) licenses: Vec<String>,
}

/// A registration token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) agreement_id: String,
    pub(crate) expires: Timestamp,
    pub(crate) uses: u32,
}

/// A billed usage record: the first write of its key (F§3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Metered {
    pub(crate) key: LedgerKey,
    pub(crate) product_code: String,
    pub(crate) customer_identifier: Option<String>,
    pub(crate) record_id: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) quantity: Decimal,
    pub(crate) free_trial: bool,
}

/// What makes two records the same usage. `path` is a license ARN or a product code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LedgerKey {
    pub(crate) region: String,
    pub(crate) path: String,
    pub(crate) account: String,
    pub(crate) dimension: String,
    /// Hours since the epoch, in UTC.
    pub(crate) hour: i64,
}

impl LedgerKey {
    /// The key as one text; the dimension, which may hold any character, comes last.
    pub(crate) fn row(&self) -> String {
        format!("{}|{}|{}|{}|{}", self.region, self.path, self.account, self.hour, self.dimension)
    }
}

/// A seller's request that the buyer's agreement be cancelled (F§5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CancellationRequest {
    pub(crate) id: String,
    pub(crate) agreement_id: String,
    pub(crate) reason_code: String,
    pub(crate) description: Option<String>,
    pub(crate) status: CancellationStatus,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CancellationStatus {
    PendingApproval,
    Approved,
    Rejected,
}

impl CancellationStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
        }
    }

    /// As in the detail type of its event (F§6.2).
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::PendingApproval => "Pending Approval",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
        }
    }
}

/// The hour that holds `at`, counted from the epoch.
pub(crate) fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}
