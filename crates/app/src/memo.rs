//! Reading and writing what a task remembers, as a value of its own type.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::ports::{Memo, Memos, Saved, Task};

/// What a task remembers, and the revision it was read with.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    pub(crate) value: T,
    revision: Option<u64>,
}

/// Reads what a task remembers; the default before its first run.
pub(crate) async fn recall<S: Memos, T: DeserializeOwned + Default>(
    store: &S,
    task: Task,
) -> Result<Remembered<T>, Error> {
    let Some(memo) = store.memo(task).await? else {
        return Ok(Remembered { value: T::default(), revision: None });
    };
    let value = serde_json::from_str(&memo.body)
        .map_err(|source| Error::Corrupt { what: "a task's memo", source: source.into() })?;
    Ok(Remembered { value, revision: Some(memo.revision) })
}

/// Writes what a task remembers. [`Saved::Overtaken`] means that another invocation of it is under way.
pub(crate) async fn remember<S: Memos, T: Serialize>(
    store: &S,
    task: Task,
    remembered: &mut Remembered<T>,
) -> Result<Saved, Error> {
    let body = serde_json::to_string(&remembered.value)
        .map_err(|source| Error::Corrupt { what: "a task's memo", source: source.into() })?;
    let revision = remembered.revision.map_or(1, |revision| revision.saturating_add(1));
    let saved = store.save_memo(&Memo { task, body, revision }, remembered.revision).await?;
    if saved == Saved::Done {
        remembered.revision = Some(revision);
    }
    Ok(saved)
}
