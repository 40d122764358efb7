//! Bugs on purpose. A proof that cannot fail proves nothing: each of these is put between the product and what it talks
//! to, or into what it is configured with, and the simulation must notice.

use std::fmt;
use std::str::FromStr;

/// A deliberate bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The record under way is cleared first and booked in a second write.
    ClearPendingBeforeBooking,
    /// A record's hour is that of the moment it is sent, not the one it was frozen with.
    StampTheHourAtSendTime,
    /// What AWS left unprocessed counts as billed.
    IgnoreUnprocessedRecords,
    /// A duplicate counts as billed whatever quantity AWS holds.
    SettleDuplicatesWithoutComparing,
    /// The end of one license takes the access of all licenses of the account.
    RevokePerAccount,
    /// A notice counts from when it arrives, so that an old one undoes a newer one.
    TakeAStaleNotice,
    /// The final flush leaves out the hour in progress.
    ForgetTheCurrentHourOnCancel,
    /// Late usage and records are put on a month that AWS has closed.
    SkipTheMonthCut,
    /// The mark of a processed notice is not written.
    DropTheInboxMarker,
    /// The notice to the platform is not written with the change that causes it.
    LoseTheOutboxItem,
    /// That an older listing's subscription began is not taken.
    IgnoreSubscribeSuccess,
    /// That an older listing's subscription is about to end is not taken.
    IgnoreUnsubscribePending,
    /// Usage is refused as soon as a license closes.
    RefuseInTheFinalHour,
    /// What was bought is never found.
    FindNoEntitlements,
    /// Of a list of several pages only the first is read.
    ReadOnePage,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::ClearPendingBeforeBooking,
        Self::StampTheHourAtSendTime,
        Self::IgnoreUnprocessedRecords,
        Self::SettleDuplicatesWithoutComparing,
        Self::RevokePerAccount,
        Self::TakeAStaleNotice,
        Self::ForgetTheCurrentHourOnCancel,
        Self::SkipTheMonthCut,
        Self::DropTheInboxMarker,
        Self::LoseTheOutboxItem,
        Self::IgnoreSubscribeSuccess,
        Self::IgnoreUnsubscribePending,
        Self::RefuseInTheFinalHour,
        Self::FindNoEntitlements,
        Self::ReadOnePage,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClearPendingBeforeBooking => "clear-pending-before-booking",
            Self::StampTheHourAtSendTime => "stamp-the-hour-at-send-time",
            Self::IgnoreUnprocessedRecords => "ignore-unprocessed-records",
            Self::SettleDuplicatesWithoutComparing => "settle-duplicates-without-comparing",
            Self::RevokePerAccount => "revoke-per-account",
            Self::TakeAStaleNotice => "take-a-stale-notice",
            Self::ForgetTheCurrentHourOnCancel => "forget-the-current-hour-on-cancel",
            Self::SkipTheMonthCut => "skip-the-month-cut",
            Self::DropTheInboxMarker => "drop-the-inbox-marker",
            Self::LoseTheOutboxItem => "lose-the-outbox-item",
            Self::IgnoreSubscribeSuccess => "ignore-subscribe-success",
            Self::IgnoreUnsubscribePending => "ignore-unsubscribe-pending",
            Self::RefuseInTheFinalHour => "refuse-in-the-final-hour",
            Self::FindNoEntitlements => "find-no-entitlements",
            Self::ReadOnePage => "read-one-page",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no deliberate bug has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no deliberate bug has that name")]
pub struct UnknownBug;

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(text: &str) -> Result<Self, UnknownBug> {
        Self::ALL.into_iter().find(|bug| bug.name() == text).ok_or(UnknownBug)
    }
}
