//! One delivery: a batch goes to its consumer, what succeeded is deleted, what failed comes again.

use std::future::Future;

use jiff::Timestamp;

use super::envelope::message_id;
use super::queue::{BATCH, Bus, BusError, Letter, Queue};

/// What a consumer answers: the message ids that failed, or why the whole batch did.
pub type Answer = Result<Vec<String>, String>;

impl Bus {
    /// Delivers the next batch of a queue and answers how many messages were in it.
    ///
    /// # Errors
    /// When the storage fails. A failing consumer is no error: its messages come again.
    pub async fn deliver<C, F>(
        &self,
        queue: Queue,
        now: Timestamp,
        consume: C,
    ) -> Result<usize, BusError>
    where
        C: FnOnce(Vec<Letter>) -> F,
        F: Future<Output = Answer>,
    {
        let letters = self.receive(queue, BATCH, now)?;
        if letters.is_empty() {
            return Ok(0);
        }
        let (count, named) = (letters.len(), letters.iter().map(named).collect::<Vec<_>>());
        match consume(letters).await {
            Ok(failed) => {
                let (again, done): (Vec<_>, Vec<_>) =
                    named.into_iter().partition(|(name, _)| failed.contains(name));
                self.delete(&ids(&done))?;
                self.note_failure(&ids(&again), "reported as failed; the log tells why")?;
            }
            Err(failure) => {
                tracing::warn!(
                    queue = queue.as_str(),
                    failure,
                    "A delivery failed and comes again"
                );
                self.note_failure(&ids(&named), &failure)?;
            }
        }
        Ok(count)
    }
}

fn named(letter: &Letter) -> (String, i64) {
    (message_id(letter), letter.id)
}

fn ids(named: &[(String, i64)]) -> Vec<i64> {
    named.iter().map(|(_, id)| *id).collect()
}
