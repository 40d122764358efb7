//! The truth about agreements, which notifications only hint at (fact sheet §5, §8.7).

use std::future::Future;

use domain::ids::{AccountId, AgreementId, LicenseArn, OfferId};
use domain::notice::EndStatus;
use jiff::Timestamp;

use crate::Error;

/// Which agreements to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementSearch {
    /// Those of our product that changed after an instant; all of them without one. In the order of their last change.
    ChangedAfter(Option<Timestamp>),
    /// Those of a chain of renewals and replacements, by its first agreement.
    Chain(AgreementId),
    /// Those that a license serves or served.
    License(LicenseArn),
}

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on.
    Active,
    /// It is over.
    Ended(EndStatus),
}

/// What AWS knows of one agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementSummary {
    /// Which.
    pub agreement: AgreementId,
    /// The first of its chain; itself when it continues none.
    pub initial: Option<AgreementId>,
    /// The buyer.
    pub account: Option<AccountId>,
    /// The license it serves, once AWS has made one.
    pub license: Option<LicenseArn>,
    /// The accepted offer.
    pub offer: Option<OfferId>,
    /// Where it stands.
    pub standing: Standing,
    /// When it was accepted.
    pub accepted: Option<Timestamp>,
    /// When it begins.
    pub starts: Option<Timestamp>,
    /// When it ends by its terms; absent for pay as you go.
    pub ends: Option<Timestamp>,
    /// Whether it renews by itself, where AWS says so.
    pub auto_renew: Option<bool>,
    /// When it last changed.
    pub changed: Timestamp,
}

/// A page of agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementPage {
    /// What is on it; may be empty although more follows.
    pub items: Vec<AgreementSummary>,
    /// Where the next one begins, in AWS's words.
    pub next: Option<String>,
}

/// Whether the buyer may use what an agreement sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provisioned {
    /// Yes.
    Yes,
    /// Not yet: AWS is at it, or the agreement begins later.
    NotYet,
    /// AWS could not, e.g. because the payment failed.
    Failed,
    /// Not any more.
    NoMore,
}

/// Tells the truth about agreements.
pub trait AgreementDirectory {
    /// Looks up agreements that were sold directly; those of resellers are hidden from us (fact sheet §5.4).
    fn search(
        &self,
        search: &AgreementSearch,
        page: Option<&str>,
    ) -> impl Future<Output = Result<AgreementPage, Error>> + Send;

    /// Tells whether an agreement's license is provisioned; `None` when AWS does not show it to us.
    fn provisioned(
        &self,
        agreement: &AgreementId,
    ) -> impl Future<Output = Result<Option<Provisioned>, Error>> + Send;
}
