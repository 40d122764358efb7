//! The trail as a whole: exported from a running system, checked offline, tampered with, and never forgotten.

#![allow(clippy::unwrap_used, clippy::large_futures, reason = "a test may panic")]

use audit::{Known, export, verify};
use jiff::SignedDuration;
use local::{System, SystemOptions};
use simulator::Purchase;

async fn exported(system: &System) -> String {
    let mut output = Vec::new();
    export(&system.url(), &system.secrets().api_key, &mut output).await.unwrap();
    String::from_utf8(output).unwrap()
}

#[tokio::test]
async fn the_export_of_a_running_system_is_sound_and_a_later_one_goes_on_from_it() {
    let options = SystemOptions { settled_on_drop: false, ..SystemOptions::default() };
    let system = System::start(options).await.unwrap();
    let mut bought = Vec::new();
    for n in 0..25 {
        let account = format!("1111222233{n:02}");
        let purchase = Purchase { account, ..Purchase::default() };
        bought.push(system.simulator().buy(purchase).unwrap());
    }
    system.advance(SignedDuration::from_mins(5)).await.unwrap();
    let first = exported(&system).await;
    let report = verify(first.as_bytes(), &Known::default()).unwrap();
    assert_eq!((report.chains, report.findings), (25, Vec::new()));
    assert!(report.entries >= 25);

    for it in &bought {
        system.simulator().cancel(&it.agreement_id).unwrap();
    }
    system.advance(SignedDuration::from_hours(2)).await.unwrap();
    let second = exported(&system).await;
    let known = Known::of(first.as_bytes()).unwrap();
    let later = verify(second.as_bytes(), &known).unwrap();
    assert_eq!(later.findings, []);
    assert!(later.entries > report.entries);

    // The first one is no continuation of the second.
    let known = Known::of(second.as_bytes()).unwrap();
    assert!(!verify(first.as_bytes(), &known).unwrap().findings.is_empty());
    let edited = second.replacen("\"action\":\"", "\"action\":\"x", 1);
    let found = verify(edited.as_bytes(), &Known::default()).unwrap().findings;
    assert_eq!(found.first().and_then(|finding| finding.row), Some(1), "{found:?}");
}

#[tokio::test]
async fn nobody_but_admins_and_operators_exports() {
    let options = SystemOptions { settled_on_drop: false, ..SystemOptions::default() };
    let system = System::start(options).await.unwrap();
    for (role, status) in [("admin", 200), ("operator", 200), ("meter", 403), ("tenant:a", 403)] {
        let request = reqwest::Client::new().get(format!("{}/marketplace/audit", system.url()));
        let request = request.bearer_auth(&system.secrets().api_key).header("x-act-as", role);
        assert_eq!(request.send().await.unwrap().status(), status, "{role}");
    }
}

/// Entries stay for ever: at least a year is asked for.
#[test]
fn the_audit_table_forgets_nothing() {
    let template = include_str!("../../template.yaml");
    let table = template.split("\n  AuditTable:").nth(1).unwrap();
    let mut own = String::new();
    for line in table.lines().skip(1) {
        let other = line.starts_with("  ") && !line.starts_with("   ")
            || line.starts_with(char::is_alphabetic);
        if other {
            break;
        }
        own.push_str(line);
        own.push('\n');
    }
    assert!(own.contains("PointInTimeRecoveryEnabled: true"), "{own}");
    assert!(!own.contains("TimeToLive"), "{own}");
    // Nor does the store give an entry an end.
    let store = include_str!("../../crates/store-dynamodb/src/subscriptions.rs");
    let entry = store.split("if let Some(entry) = audit").nth(1).unwrap();
    let entry = entry.split("\n        }").next().unwrap();
    assert!(entry.contains("Guard::Absent") && !entry.contains("EXPIRES_AT"), "{entry}");
}
