//! What was sent to AWS for one meter and hour, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MeterKey;
use crate::ids::MeteringRecordId;
use crate::time::Hour;

/// Why units that are due will not be billed by AWS any more. Each is alarmed and kept for a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParkReason {
    /// AWS does not take records for this license any more.
    NotSubscribed,
    /// The metering window closed before AWS answered, or before a record could be sent.
    Expired,
    /// The final hour of the license passed.
    Closed,
    /// AWS holds another quantity under the same hour.
    Mismatched,
    /// AWS refuses this record whenever it is in a batch.
    Rejected,
}

impl ParkReason {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSubscribed => "not-subscribed",
            Self::Expired => "expired",
            Self::Closed => "closed",
            Self::Mismatched => "mismatched",
            Self::Rejected => "rejected",
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum RecordStatus {
    /// AWS bills it.
    Accepted {
        /// AWS's id, absent when AWS answered that it already had the same record.
        record_id: Option<MeteringRecordId>,
    },
    /// AWS does not bill it.
    Parked {
        /// Why.
        reason: ParkReason,
        /// AWS's error code, where it gave one.
        code: Option<String>,
    },
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeteringRecord {
    /// Whose, of what, in which month.
    pub key: MeterKey,
    /// The hour it was sent under; absent for units that were never sent.
    pub hour: Option<Hour>,
    /// Whole units.
    pub quantity: u64,
    /// What became of it.
    pub status: RecordStatus,
    /// When that was known.
    pub booked_at: Timestamp,
}
