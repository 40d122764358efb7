//! Hostile inputs against the running system: what it answers, and that nothing has changed.
//!
//! The table is `docs/hostile-inputs.md`; the test fails when an answer is another than the one written there. With
//! `UPDATE_DOCS=1` it writes the file anew, for review.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::large_futures,
    reason = "a test may panic, and tells its table"
)]

mod api;
mod edges;
mod proofs;
mod target;
mod webhook;
mod wire;

use std::fmt::Write;

use target::Target;

const DOC: &str = "docs/hostile-inputs.md";

#[tokio::test]
async fn hostile_inputs_are_refused_and_change_nothing() {
    let mut target = Target::start().await;
    webhook::forged_webhooks(&mut target).await;
    webhook::odd_bodies(&mut target).await;
    proofs::standard_webhooks_and_sns(&mut target).await;
    api::api_callers(&mut target).await;
    api::api_requests(&mut target).await;
    edges::registrations(&mut target).await;
    edges::raw_bytes(&mut target).await;
    wire::odd_requests(&mut target).await;
    wire::odd_bodies(&mut target).await;
    wire::other_sites(&mut target).await;
    wire::forged_cursors(&mut target).await;
    let table = table(&target.rows);
    println!("{table}");
    assert!(target.rows.len() >= 40, "{}", target.rows.len());
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DOC);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), table, "{DOC} says otherwise");
}

fn table(rows: &[(&'static str, String, String)]) -> String {
    let mut text = String::from(
        "# Hostile inputs\n\nTried against the whole running system by `tests/tests/hostile`, which fails when an answer is another\n\
         than here (`UPDATE_DOCS=1` writes this file anew). *Unchanged* was compared before and after each: subscriptions, usage,\n\
         audit trail, bill, AWS's invoice, tenant notices and queues.\n\n| # | input | answer | unchanged |\n|---|---|---|---|\n",
    );
    for (number, (what, told, unchanged)) in rows.iter().enumerate() {
        writeln!(text, "| {} | {what} | {told} | {unchanged} |", number + 1).unwrap();
    }
    text
}
