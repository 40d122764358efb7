//! Exports that were tampered with, each in one way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use audit::{Known, Line, Report, verify};
use domain::audit::{Actor, AuditDraft, AuditEntry, AuditHead, FieldChange};
use domain::ids::SubscriptionId;
use jiff::Timestamp;

fn chain(id: &str, length: usize) -> (Vec<AuditEntry>, AuditHead) {
    let id: SubscriptionId = id.parse().unwrap();
    let mut head = AuditHead::default();
    let entries = (0..length).map(|n| {
        let change = FieldChange { from: None, to: Some(n.to_string()) };
        let changes = BTreeMap::from([("plan".to_owned(), change)]);
        let actor = Actor::Caller("developer".to_owned());
        let draft = AuditDraft { actor, action: "plan.changed".to_owned(), changes };
        head.append(&id, draft, Timestamp::UNIX_EPOCH)
    });
    let entries = entries.collect();
    (entries, head)
}

fn lines(id: &str, entries: &[AuditEntry], head: &AuditHead) -> Vec<String> {
    let subscription = id.parse().unwrap();
    let head = Line::Head { subscription, head: head.clone() };
    let lines = entries.iter().cloned().map(Line::Entry).chain([head]);
    lines.map(|line| serde_json::to_string(&line).unwrap()).collect()
}

const A: &str = "sub_0000000000000000000000000000000a";
const B: &str = "sub_0000000000000000000000000000000b";

/// Two chains, of four and three entries: rows 1 to 5, and 6 to 9; the end is row 10.
fn export() -> Vec<String> {
    let ((a, a_head), (b, b_head)) = (chain(A, 4), chain(B, 3));
    let end = serde_json::to_string(&Line::End { subscriptions: 2, entries: 7 }).unwrap();
    [lines(A, &a, &a_head), lines(B, &b, &b_head), vec![end]].concat()
}

fn check(lines: &[String], known: &Known) -> Report {
    verify(lines.join("\n").as_bytes(), known).unwrap()
}

/// What is found first after a change to the export.
fn first(tamper: impl FnOnce(&mut Vec<String>)) -> String {
    let mut lines = export();
    tamper(&mut lines);
    let report = check(&lines, &Known::default());
    report.findings.first().map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

#[test]
fn an_export_as_it_was_written_is_sound() {
    let report = check(&export(), &Known::default());
    assert_eq!(report, Report { chains: 2, entries: 7, findings: Vec::new() });
}

#[test]
fn every_tampering_is_found_at_its_row() {
    let changed = "was changed after it was written";
    let edited = first(|lines| lines[1] = lines[1].replace("developer", "nobody"));
    assert_eq!(edited, format!("row 2: audit entry 2 of {A} {changed}"));
    let edited = first(|lines| lines[7] = lines[7].replace("\"to\":\"2\"", "\"to\":\"9\""));
    assert_eq!(edited, format!("row 8: audit entry 3 of {B} {changed}"));
    let beside = first(|lines| lines[2] = lines[2].replacen('{', "{\"note\":\"mine\",", 1));
    assert_eq!(beside, "row 3: cannot be read, or says more than an export does");
    let deleted = first(|lines| drop(lines.remove(2)));
    assert_eq!(deleted, format!("row 3: audit entry 3 of {A} is missing or out of order"));
    let moved = first(|lines| lines.swap(1, 2));
    assert_eq!(moved, format!("row 2: audit entry 2 of {A} is missing or out of order"));
    let twice = first(|lines| lines.insert(1, lines[0].clone()));
    assert_eq!(twice, format!("row 2: audit entry 2 of {A} is missing or out of order"));
    let cut = first(|lines| drop(lines.remove(3)));
    assert_eq!(cut, format!("row 4: audit entry 4 of {A} is missing at the end"));
    let beheaded = first(|lines| drop(lines.remove(4)));
    assert_eq!(beheaded, format!("at the end: the chain of {A} has no head: it was cut off"));
    let without_a = first(|lines| drop(lines.drain(..5)));
    assert_eq!(without_a, "at the end: 2 chains with 7 entries were exported");
    let unfinished = first(|lines| drop(lines.pop()));
    assert_eq!(unfinished, "at the end: the export has no end: it was cut off");
}

#[test]
fn a_trail_written_anew_is_found_by_an_older_export_only() {
    let older = Known::of(export().join("\n").as_bytes()).unwrap();
    let (mut forged, _) = chain(A, 4);
    forged.pop();
    let (b, b_head) = chain(B, 3);
    let mut head = AuditHead::default();
    let rewritten: Vec<_> = forged
        .into_iter()
        .map(|entry| {
            let actor = Actor::Caller("nobody".to_owned());
            let draft = AuditDraft { actor, action: entry.action, changes: entry.changes };
            head.append(&entry.subscription, draft, entry.at)
        })
        .collect();
    let end = serde_json::to_string(&Line::End { subscriptions: 2, entries: 6 }).unwrap();
    let forged = [lines(A, &rewritten, &head), lines(B, &b, &b_head), vec![end]].concat();
    assert_eq!(check(&forged, &Known::default()).findings, []);
    let found = check(&forged, &older).findings;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].problem, format!("audit entry 4 of {A} is missing: it is known"));

    let (longer, head) = chain(A, 6);
    let grown = [
        lines(A, &longer, &head),
        lines(B, &b, &b_head),
        vec![serde_json::to_string(&Line::End { subscriptions: 2, entries: 9 }).unwrap()],
    ]
    .concat();
    assert_eq!(check(&grown, &older).findings, [], "a chain grows");
}
