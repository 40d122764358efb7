//! Answers to batches: what failed is delivered again, what succeeded is not.

use std::future::Future;

use futures::StreamExt;
use serde::Serialize;

/// The answer of a function whose trigger has `ReportBatchItemFailures`: empty when all went well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// What failed.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// One record that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message id (SQS) or the sequence number (streams).
    pub item_identifier: String,
}

impl BatchResponse {
    /// These records failed.
    pub fn failed(ids: impl IntoIterator<Item = String>) -> Self {
        let failure = |item_identifier| BatchItemFailure { item_identifier };
        Self { batch_item_failures: ids.into_iter().map(failure).collect() }
    }

    /// The ids of what failed.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str())
    }
}

/// Does `work` on every record, at most `concurrency` at a time, and answers with the ids of those that failed, in the
/// order given. `work` logs its own failures, because it knows what they are about.
pub async fn each<R, W>(
    records: Vec<(String, R)>,
    concurrency: usize,
    work: impl Fn(R) -> W,
) -> BatchResponse
where
    W: Future<Output = Result<(), Failed>>,
{
    let failed = at_most(concurrency, records, |(id, record)| {
        let done = work(record);
        async move { done.await.err().map(|Failed| id) }
    })
    .await;
    BatchResponse::failed(failed.into_iter().flatten())
}

/// Does `work` on every item, at most `concurrency` at a time, and answers in the order given.
pub async fn at_most<T, W: Future>(
    concurrency: usize,
    items: impl IntoIterator<Item = T>,
    work: impl FnMut(T) -> W,
) -> Vec<W::Output> {
    let started = items.into_iter().map(work);
    futures::stream::iter(started).buffered(concurrency.max(1)).collect().await
}

/// A record was not dealt with, and why has been logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn batch(size: usize) -> Vec<(String, usize)> {
        (0..size).map(|n| (format!("message-{n}"), n)).collect()
    }

    #[tokio::test]
    async fn only_what_failed_is_delivered_again() {
        let answer =
            each(batch(5), 2, async |n| if n % 2 == 0 { Ok(()) } else { Err(Failed) }).await;
        assert_eq!(answer.failures().collect::<Vec<_>>(), ["message-1", "message-3"]);
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            serde_json::json!({"batchItemFailures": [
                {"itemIdentifier": "message-1"}, {"itemIdentifier": "message-3"}
            ]})
        );
    }

    #[tokio::test]
    async fn no_more_records_are_at_work_than_allowed() {
        let (at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let answer = each(batch(20), 3, async |_| {
            most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            at_work.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
        .await;
        assert_eq!(answer, BatchResponse::default());
        assert_eq!(most.into_inner(), 3);
    }
}
