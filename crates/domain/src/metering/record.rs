//! What was sent to AWS for one meter and hour, and what became of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Allocation, MeterKey};
use crate::ids::MeteringRecordId;
use crate::time::Hour;

/// Why units that are due will not be billed by AWS any more. Each is alarmed and kept for a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// It was parked, and its units wait again: a human had it sent once more.
    Retried {
        /// Why it was parked.
        reason: ParkReason,
        /// When it was taken up again.
        at: Timestamp,
    },
    /// It was parked, and a human settled it outside of metering.
    Closed {
        /// Why it was parked.
        reason: ParkReason,
        /// How it was settled.
        how: Closing,
        /// What the human wrote about it.
        note: String,
        /// When it was closed.
        at: Timestamp,
    },
}

impl RecordStatus {
    /// Whether it waits for a human.
    pub fn is_parked(&self) -> bool {
        match self {
            Self::Parked { .. } => true,
            Self::Accepted { .. } | Self::Retried { .. } | Self::Closed { .. } => false,
        }
    }
}

/// How a parked item was settled outside of metering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// Nobody pays for it.
    WrittenOff,
    /// It is paid in another way, an invoice or a private offer.
    BilledOtherwise,
}

impl Closing {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrittenOff => "written-off",
            Self::BilledOtherwise => "billed-otherwise",
        }
    }
}

/// Names one line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordKey {
    /// Whose, of what, in which month.
    pub meter: MeterKey,
    /// Which of its lines.
    pub line: Line,
}

/// Which line of a meter's ledger: an hour carries only one; units that were never sent are named by when they were
/// given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Line {
    /// Sent under this hour.
    Hour(Hour),
    /// Never sent, given up at this time.
    NeverSent(Timestamp),
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
    /// How it was allocated to tags; empty when none of it carries any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
}

impl MeteringRecord {
    /// Its name.
    pub fn name(&self) -> RecordKey {
        let line = self.hour.map_or(Line::NeverSent(self.booked_at), Line::Hour);
        RecordKey { meter: self.key.clone(), line }
    }
}
