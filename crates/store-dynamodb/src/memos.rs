//! What our own schedules remember.

use app::Error;
use app::ports::{Memo, Memos, Saved, Task};

use crate::DynamoStore;
use crate::item::{DOC, REVISION, memo_key, missing, number, text, text_of};
use crate::read::get;
use crate::write::put_guarded;

impl Memos for DynamoStore {
    async fn memo(&self, task: Task) -> Result<Option<Memo>, Error> {
        const WHAT: &str = "a task's memo";
        let item = get(&self.client, &self.tables.subscription, memo_key(task)).await?;
        let Some(item) = item else { return Ok(None) };
        let body = text_of(&item, DOC).ok_or_else(|| missing(WHAT, DOC))?.to_owned();
        let revision = item.get(REVISION).and_then(|value| value.as_n().ok()?.parse().ok());
        let revision = revision.ok_or_else(|| missing(WHAT, REVISION))?;
        Ok(Some(Memo { task, body, revision }))
    }

    async fn save_memo(&self, memo: &Memo, expected: Option<u64>) -> Result<Saved, Error> {
        let mut item = memo_key(memo.task).into_item();
        item.insert(DOC.to_owned(), text(memo.body.clone()));
        item.insert(REVISION.to_owned(), number(memo.revision));
        put_guarded(&self.client, &self.tables.subscription, item, expected).await
    }
}
