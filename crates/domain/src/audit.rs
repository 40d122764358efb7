//! The audit trail: entries that each hold the hash of the one before, so that an edit, a deletion or a reordering
//! shows.

mod line;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::SubscriptionId;

pub use line::Line;

/// Who changed something. Names roles and systems, never people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "id")]
pub enum Actor {
    /// AWS, by a notice.
    Marketplace(String),
    /// The buyer, on the registration page.
    Buyer,
    /// A caller of the API, by the subject of its verified claims.
    Caller(String),
    /// A schedule of ours.
    Schedule(String),
}

/// The SHA-256 of an entry, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditHash(String);

impl AuditHash {
    /// What the first entry of a chain holds as the hash before it.
    pub fn genesis() -> Self {
        Self("0".repeat(64))
    }
}

impl Default for AuditHash {
    fn default() -> Self {
        Self::genesis()
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The newest entry of a chain; kept with the state, so that a truncated chain shows as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditHead {
    /// How many entries there are.
    pub sequence: u64,
    /// The hash of the newest.
    pub hash: AuditHash,
}

/// A value before and after a change; absent is not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Before.
    pub from: Option<String>,
    /// After.
    pub to: Option<String>,
}

/// One change of one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Of which subscription.
    pub subscription: SubscriptionId,
    /// From 1, without gaps.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What was done, e.g. `license.updated`.
    pub action: String,
    /// What it changed.
    pub changes: BTreeMap<String, FieldChange>,
    /// The hash of the entry before.
    pub previous: AuditHash,
    /// The hash of this entry.
    pub hash: AuditHash,
}

/// What an entry is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditDraft {
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// What it changed.
    pub changes: BTreeMap<String, FieldChange>,
}

/// The first row of a chain that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit entry {sequence} of {subscription} {problem}")]
pub struct BrokenChain {
    /// Whose chain.
    pub subscription: SubscriptionId,
    /// Which entry.
    pub sequence: u64,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl AuditHead {
    /// Appends to the chain: the entry to write, and the head to keep with the state.
    pub fn append(
        &mut self,
        subscription: &SubscriptionId,
        draft: AuditDraft,
        at: Timestamp,
    ) -> AuditEntry {
        let mut entry = AuditEntry {
            subscription: subscription.clone(),
            sequence: self.sequence.saturating_add(1),
            at,
            actor: draft.actor,
            action: draft.action,
            changes: draft.changes,
            previous: self.hash.clone(),
            hash: AuditHash::genesis(),
        };
        entry.hash = entry.computed_hash();
        *self = Self { sequence: entry.sequence, hash: entry.hash.clone() };
        entry
    }
}

impl AuditEntry {
    /// The hash over everything the entry says, each part preceded by its length.
    fn computed_hash(&self) -> AuditHash {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        };
        part(self.subscription.as_str());
        part(&self.sequence.to_string());
        part(&self.at.to_string());
        let (kind, id) = match &self.actor {
            Actor::Marketplace(id) => ("marketplace", id.as_str()),
            Actor::Buyer => ("buyer", ""),
            Actor::Caller(id) => ("caller", id.as_str()),
            Actor::Schedule(id) => ("schedule", id.as_str()),
        };
        part(kind);
        part(id);
        part(&self.action);
        part(&self.changes.len().to_string());
        for (name, FieldChange { from, to }) in &self.changes {
            part(name);
            for side in [from, to] {
                part(if side.is_some() { "set" } else { "unset" });
                part(side.as_deref().unwrap_or_default());
            }
        }
        part(&self.previous.to_string());
        AuditHash(hex::encode(digest.finalize()))
    }
}

/// What differs between two summaries of a state.
pub fn differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> BTreeMap<String, FieldChange> {
    before
        .keys()
        .chain(after.keys())
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| {
            (
                name.clone(),
                FieldChange { from: before.get(name).cloned(), to: after.get(name).cloned() },
            )
        })
        .collect()
}

/// Checks a chain entry by entry, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainCheck {
    read: AuditHead,
}

impl ChainCheck {
    /// How many sound entries were read.
    pub fn length(&self) -> u64 {
        self.read.sequence
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// Names the entry that was edited, or that should be here and is not.
    pub fn next(
        &mut self,
        subscription: &SubscriptionId,
        entry: &AuditEntry,
    ) -> Result<(), BrokenChain> {
        let sequence = self.read.sequence.saturating_add(1);
        let broken =
            |problem| Err(BrokenChain { subscription: subscription.clone(), sequence, problem });
        if entry.sequence != sequence || entry.subscription != *subscription {
            return broken("is missing or out of order");
        }
        if entry.previous != self.read.hash {
            return broken("does not follow the entry before it");
        }
        if entry.hash != entry.computed_hash() {
            return broken("was changed after it was written");
        }
        self.read = AuditHead { sequence, hash: entry.hash.clone() };
        Ok(())
    }

    /// Checks the end against the head kept with the state.
    ///
    /// # Errors
    /// Names the first entry that was cut off.
    pub fn end(&self, subscription: &SubscriptionId, head: &AuditHead) -> Result<(), BrokenChain> {
        if self.read == *head {
            return Ok(());
        }
        Err(BrokenChain {
            subscription: subscription.clone(),
            sequence: self.read.sequence.saturating_add(1),
            problem: "is missing at the end",
        })
    }
}

/// Checks a whole chain, oldest first, against the head kept with the state.
///
/// # Errors
/// Names the first entry that was edited, deleted, reordered or cut off.
pub fn verify(
    subscription: &SubscriptionId,
    entries: &[AuditEntry],
    head: &AuditHead,
) -> Result<(), BrokenChain> {
    let mut check = ChainCheck::default();
    for entry in entries {
        check.next(subscription, entry)?;
    }
    check.end(subscription, head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LicenseRef;

    fn chain(entries: usize) -> (SubscriptionId, Vec<AuditEntry>, AuditHead) {
        let license = LicenseRef::License {
            arn: "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap(),
        };
        let id = license.subscription_id();
        let mut head = AuditHead::default();
        let written = (0..entries)
            .map(|n| {
                let change = FieldChange { from: None, to: Some(n.to_string()) };
                let draft = AuditDraft {
                    actor: Actor::Buyer,
                    action: "registered".into(),
                    changes: BTreeMap::from([("n".to_owned(), change)]),
                };
                head.append(&id, draft, Timestamp::UNIX_EPOCH)
            })
            .collect();
        (id, written, head)
    }

    #[test]
    fn a_chain_as_written_verifies() {
        let (id, entries, head) = chain(4);
        assert_eq!(verify(&id, &entries, &head), Ok(()));
    }

    #[test]
    fn every_tampering_names_its_first_bad_row() {
        let (id, entries, head) = chain(4);
        let bad_row = |tamper: fn(&mut Vec<AuditEntry>)| {
            let mut tampered = entries.clone();
            tamper(&mut tampered);
            verify(&id, &tampered, &head).unwrap_err().sequence
        };
        assert_eq!(bad_row(|rows| rows[1].action = "nothing".into()), 2, "edited");
        assert_eq!(bad_row(|rows| rows[2].changes.clear()), 3, "edited");
        assert_eq!(bad_row(|rows| drop(rows.remove(1))), 2, "deleted");
        assert_eq!(bad_row(|rows| rows.swap(1, 2)), 2, "reordered");
        assert_eq!(bad_row(|rows| drop(rows.pop())), 4, "truncated");
        let rewritten = |rows: &mut Vec<AuditEntry>| {
            rows[3].action = "nothing".into();
            rows[3].hash = rows[3].computed_hash();
        };
        assert_eq!(
            bad_row(rewritten),
            5,
            "rewritten with its hash: the head kept with the state differs"
        );
    }
}
