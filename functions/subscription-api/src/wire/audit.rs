//! The audit trail.

use std::collections::BTreeMap;

use domain::audit::{Actor, AuditEntry, AuditHash, FieldChange};
use jiff::Timestamp;
use serde::Serialize;

/// One entry. `previous` is the hash of the entry before; the first has 64 zeros.
#[derive(Debug, Serialize)]
pub(crate) struct AuditEntryBody {
    sequence: u64,
    at: Timestamp,
    actor: ActorBody,
    action: String,
    changes: BTreeMap<String, ChangeBody>,
    previous: AuditHash,
    hash: AuditHash,
}

#[derive(Debug, Serialize)]
struct ActorBody {
    kind: &'static str,
    id: Option<String>,
}

#[derive(Debug, Serialize)]
struct ChangeBody {
    from: Option<String>,
    to: Option<String>,
}

impl From<AuditEntry> for AuditEntryBody {
    fn from(entry: AuditEntry) -> Self {
        let (kind, id) = match entry.actor {
            Actor::Marketplace(id) => ("marketplace", Some(id)),
            Actor::Buyer => ("buyer", None),
            Actor::Caller(id) => ("caller", Some(id)),
            Actor::Schedule(id) => ("schedule", Some(id)),
        };
        let change = |FieldChange { from, to }| ChangeBody { from, to };
        Self {
            sequence: entry.sequence,
            at: entry.at,
            actor: ActorBody { kind, id },
            action: entry.action,
            changes: entry.changes.into_iter().map(|(name, kept)| (name, change(kept))).collect(),
            previous: entry.previous,
            hash: entry.hash,
        }
    }
}
