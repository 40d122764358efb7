//! What our own schedules remember between two invocations.

use std::future::Future;

use super::Saved;
use crate::Error;

/// Which task remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// The conservation check: how far it got, and its last result.
    Conservation,
    /// The reconcile of notices: up to when it knows the truth.
    Notices,
    /// The measurement of risk: its last result.
    Risk,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Conservation, Self::Notices, Self::Risk];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conservation => "conservation",
            Self::Notices => "notices",
            Self::Risk => "risk",
        }
    }
}

/// What a task remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memo {
    /// Which task.
    pub task: Task,
    /// Its own words, a JSON document.
    pub body: String,
    /// How many writes it has seen; guards every write.
    pub revision: u64,
}

/// The store of memos.
pub trait Memos {
    /// Reads a memo.
    fn memo(&self, task: Task) -> impl Future<Output = Result<Option<Memo>, Error>> + Send;

    /// Writes a memo if its revision is still `expected`; absent to create it.
    fn save_memo(
        &self,
        memo: &Memo,
        expected: Option<u64>,
    ) -> impl Future<Output = Result<Saved, Error>> + Send;
}
