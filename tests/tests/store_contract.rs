//! The store keeps its contract over the embedded DynamoDB, through the real SDK, on the template's tables.

#![allow(
    clippy::unwrap_used,
    clippy::large_futures,
    reason = "a test may panic and need not be lean"
)]

use local::{System, SystemOptions};

fn options() -> SystemOptions {
    SystemOptions { settled_on_drop: false, ..SystemOptions::default() }
}

#[tokio::test]
async fn in_memory() {
    let system = System::start(options()).await.unwrap();
    app::contracts::all(system.store()).await;
    app::contracts::deliveries::all(system.store()).await;
}

#[tokio::test]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(SystemOptions { data: Some(folder.path().to_owned()), ..options() })
        .await
        .unwrap();
    app::contracts::all(system.store()).await;
}
