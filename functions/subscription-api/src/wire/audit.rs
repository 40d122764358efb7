//! The audit trail.

use std::collections::BTreeMap;

use domain::audit::{Actor, AuditEntry, AuditHash, FieldChange};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use schemars::JsonSchema;
use serde::Serialize;

/// One entry. `previous` is the hash of the entry before; the first has 64 zeros.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub(crate) struct AuditEntryBody {
    sequence: u64,
    #[schemars(with = "shapes::Instant")]
    at: Timestamp,
    actor: ActorBody,
    action: String,
    changes: BTreeMap<String, ChangeBody>,
    #[schemars(with = "shapes::Hash")]
    previous: AuditHash,
    #[schemars(with = "shapes::Hash")]
    hash: AuditHash,
}

lambda_shell::words! {
    ActorKind ["marketplace", "buyer", "caller", "schedule"]
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Actor")]
struct ActorBody {
    #[schemars(with = "ActorKind")]
    kind: &'static str,
    id: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FieldChange")]
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
