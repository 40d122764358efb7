//! What our own schedules remember.

use app::Error;
use app::ports::{Memo, Memos, Saved, Task};

use crate::MemoryStore;
use crate::guard::holds;

impl Memos for MemoryStore {
    async fn memo(&self, task: Task) -> Result<Option<Memo>, Error> {
        Ok(self.up()?.memos.get(&task).cloned())
    }

    async fn save_memo(&self, memo: &Memo, expected: Option<u64>) -> Result<Saved, Error> {
        let mut rows = self.up()?;
        if !holds(expected, rows.memos.get(&memo.task).map(|found| found.revision)) {
            return Ok(Saved::Overtaken);
        }
        rows.memos.insert(memo.task, memo.clone());
        Ok(Saved::Done)
    }
}
