//! One line of an export of the trail: what the API answers, and what is checked offline.

#![allow(clippy::disallowed_types, reason = "what serde derives names floats; no line has one")]

use serde::{Deserialize, Serialize};

use super::{AuditEntry, AuditHead};
use crate::ids::SubscriptionId;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "line")]
pub enum Line {
    /// An entry.
    Entry(AuditEntry),
    /// Where a chain ends, as the state has it.
    Head {
        /// Whose chain.
        subscription: SubscriptionId,
        /// Its newest entry.
        #[serde(flatten)]
        head: AuditHead,
    },
    /// Where the export ends.
    End {
        /// Chains.
        subscriptions: u64,
        /// Entries of all of them.
        entries: u64,
    },
}

impl Line {
    /// Reads a line; `None` when it says anything that this does not understand, or understands otherwise than it is
    /// written.
    pub fn read(text: &str) -> Option<Self> {
        Self::of(&serde_json::from_str(text).ok()?)
    }

    /// As [`Line::read`], of JSON that was read already.
    pub fn of(written: &serde_json::Value) -> Option<Self> {
        let read: Self = serde_json::from_value(written.clone()).ok()?;
        (serde_json::to_value(&read).ok()? == *written).then_some(read)
    }
}
