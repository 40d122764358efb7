//! With a storage, everything is there after a restart.

use std::path::Path;

use serde_json::json;
use simulator::{Clock, Options, Pricing, Purchase, Simulator};

use crate::harness::{Aws, at, options, usage};

fn stored(path: &Path) -> Options {
    Options { storage: Some(path.to_owned()), ..options(Pricing::Usage) }
}

#[tokio::test]
async fn agreements_tokens_ledger_notifications_and_clock_survive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("simulator.db");
    let aws = Aws::with(stored(&path)).await;
    let bought = aws.subscriber(Purchase::default());
    let record = usage(&bought, "2026-11-10T10:00:00Z", 17);
    let first = aws.meter(std::slice::from_ref(&record)).await;
    let token = aws.simulator.fulfilment_form(&bought.agreement_id).unwrap()[0].1.clone();
    let created = aws.simulator.due_notifications()[0].id;
    aws.simulator.acknowledge(created);
    aws.simulator.cancel(&bought.agreement_id).unwrap();
    let before = (
        aws.simulator.agreements(),
        aws.simulator.invoice(),
        aws.simulator.notifications(),
        aws.simulator.clock().now(),
    );

    // The first simulator is still alive: nothing is written at the end of its life.
    let again = Aws::with(stored(&path)).await;
    let after = (
        again.simulator.agreements(),
        again.simulator.invoice(),
        again.simulator.notifications(),
        again.simulator.clock().now(),
    );
    assert_eq!(before, after);
    assert_eq!(after.3, at("2026-11-10T10:01:00Z"));
    let resend = again.meter(&[record]).await;
    assert_eq!(resend.record_id(), first.record_id());
    let resolved = again.call("ResolveCustomer", json!({ "RegistrationToken": token })).await;
    assert_eq!(resolved.body["LicenseArn"], json!(bought.license_arn));
    let another = again.simulator.buy(Purchase::default()).unwrap();
    assert_ne!(another.agreement_id, bought.agreement_id);
}

#[tokio::test]
async fn what_was_due_while_nobody_ran_happens_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("simulator.db");
    let contract = Options { storage: Some(path.clone()), ..options(Pricing::Contract) };
    let simulator = Simulator::open(contract.clone()).unwrap();
    let entitlements = crate::harness::seats(1);
    simulator.buy(Purchase { entitlements, auto_renew: true, ..Purchase::default() }).unwrap();
    drop(simulator);
    let clock = Clock::manual(at("2026-11-10T10:00:00Z"));
    let simulator = Simulator::open(Options { clock: clock.clone(), ..contract }).unwrap();
    clock.set(at("2027-11-10T10:00:00Z"));
    assert_eq!(simulator.agreements().len(), 2);
}

#[tokio::test]
async fn a_wall_clock_keeps_its_offset() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("simulator.db");
    let wall = || Options { clock: Clock::wall(), ..stored(&path) };
    Simulator::open(wall()).unwrap().clock().advance("48h".parse().unwrap());
    let again = Simulator::open(wall()).unwrap();
    let ahead = again.clock().now().duration_since(jiff::Timestamp::now());
    assert!(ahead > "47h".parse().unwrap());
}

#[tokio::test]
async fn a_file_that_is_no_storage_is_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    std::fs::write(&path, "this is not a database, and long enough to look like one").unwrap();
    let error = Simulator::open(stored(&path)).unwrap_err();
    assert!(error.to_string().contains("text"));
}
