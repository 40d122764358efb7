//! The store in memory keeps the same promises as the one over DynamoDB.

use store_memory::MemoryStore;

#[tokio::test]
async fn it_keeps_every_promise_of_a_store() {
    app::contracts::all(&MemoryStore::default()).await;
}

#[tokio::test]
async fn told_not_to_answer_it_fails_as_a_store_out_of_reach() {
    use app::ports::{Outbox, OutboxKey};
    let store = MemoryStore::default();
    store.set_down(true);
    let refused = store.unpublished(None, 1).await;
    assert!(matches!(refused, Err(app::Error::Unavailable { .. })), "{refused:?}");
    store.set_down(false);
    let license = domain::ids::LicenseRef::License {
        arn: "arn:aws:license-manager::294406891311:license:l-1".parse().unwrap(),
    };
    let key = OutboxKey { subscription: license.subscription_id(), name: "OUTBOX#1".into() };
    store.published(&key).await.unwrap();
}
