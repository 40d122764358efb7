//! Whether anything is left to do: what a test demands when it is over.

use app::ports::Store;

use super::Handle;
use crate::bus::Queue;
use crate::database::{Database, RoundTrips};
use crate::reconciliation::reconcile;

/// Everything that is not settled, a sentence each. Reading failures are findings too.
pub(super) async fn unsettled<S: Store>(system: &Handle, store: &S) -> Vec<String> {
    let (simulator, bus, now) = (system.simulator(), system.bus(), system.now());
    let mut found = Vec::new();
    for notification in simulator.due_notifications() {
        found.push(format!("a notification is due and was not delivered: {}", notification.body));
    }
    for queue in Queue::ALL {
        match bus.depth(queue, now) {
            Ok(depth) => {
                // Delayed settlement requests are the schedule of a closing license, not work left behind.
                // Nor are later tries of webhooks.
                let delayed = matches!(queue, Queue::Settlements | Queue::Webhooks);
                let hidden = if delayed { 0 } else { depth.hidden };
                if depth.visible + hidden > 0 {
                    found.push(format!(
                        "the queue {queue} holds {} messages",
                        depth.visible + hidden
                    ));
                }
            }
            Err(error) => found.push(format!("the queue {queue} cannot be read: {error}")),
        }
    }
    match bus.dead_letters() {
        Ok(dead) => found.extend(dead.iter().map(|letter| {
            let failure = letter.failure.as_deref().unwrap_or("no reason given");
            format!("a message of {} was set aside ({failure}): {}", letter.queue, letter.body)
        })),
        Err(error) => found.push(format!("the dead letters cannot be read: {error}")),
    }
    match store.unpublished(None, 100).await {
        Ok(page) => found.extend(page.items.iter().map(|item| {
            let (kind, id) = (item.notice.kind.as_str(), &item.notice.subscription_id);
            format!("the tenant notice {kind} of {id} is not published")
        })),
        Err(error) => found.push(format!("the outbox cannot be read: {error}")),
    }
    match reconcile(store, &simulator.invoice(), now).await {
        Ok(rows) => found.extend(rows.iter().filter(|row| !row.agrees).map(|row| {
            let row = serde_json::to_string(row).unwrap_or_default();
            format!("AWS does not bill what is due: {row}")
        })),
        Err(error) => found.push(format!("the meters cannot be read: {error}")),
    }
    found
}

/// The same when the runtime of the system may be at a standstill, as it is in a drop: on a thread, a runtime and a port
/// of its own.
pub(super) fn unsettled_when_over(system: &Handle) -> Vec<String> {
    let system = system.clone();
    let looked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(look_again(&system)),
            Err(error) => vec![format!("the runtime could not be started: {error}")],
        }
    });
    looked.join().unwrap_or_else(|_| vec!["looking for it panicked".to_owned()])
}

async fn look_again(system: &Handle) -> Vec<String> {
    let engine = system.inner.database.engine().clone();
    match Database::serve(engine).await {
        Ok(database) => {
            let client = database.client(&RoundTrips::default());
            let store = crate::functions::store(&client, system.tables());
            unsettled(system, &store).await
        }
        Err(error) => vec![format!("the database could not be served: {error}")],
    }
}
