#![doc = include_str!("../README.md")]

mod guard;
mod idempotency;
mod inspect;
mod memos;
mod outbox;
mod page;
mod rows;
mod subscriptions;
mod usage;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::Error;
use rows::Rows;

/// The store; clones share what they hold.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
    down: Arc<AtomicBool>,
}

impl MemoryStore {
    /// From now on the store does not answer, or does again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self) -> Result<MutexGuard<'_, Rows>, Error> {
        if self.down.load(Ordering::SeqCst) {
            let source = "the store in memory was told not to answer".into();
            Err(Error::Unavailable { dependency: "the store", source })
        } else {
            Ok(self.rows())
        }
    }
}
