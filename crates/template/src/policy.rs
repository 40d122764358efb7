//! A function's policy beside what its code can do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::linked::linked;
use crate::needs::{Target, actions, needs};
use crate::read::{Statement, Template};

/// Statements that are about the function's surroundings: its logs and traces, what invokes it, where failures go.
const SURROUNDINGS: &[(&str, &[&str])] = &[
    ("Logs", &["logs:CreateLogStream", "logs:PutLogEvents"]),
    ("Traces", &["xray:PutTraceSegments", "xray:PutTelemetryRecords"]),
    ("TakeNotices", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    ("TakeMessages", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    ("TakeRequests", &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    (
        "TakeStream",
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
    ),
    ("FindStream", &["dynamodb:ListStreams"]),
    ("FailedInvocations", &["sqs:SendMessage"]),
];

/// What is wrong with a function's policy, a sentence each.
///
/// # Errors
/// When the template or the binary cannot be read.
pub fn policy_problems(function: &str, binary: &Path) -> Result<Vec<String>, String> {
    let template = Template::read()?;
    let statements = template.statements(function)?;
    let linked = linked(binary)?;
    let mut problems = Vec::new();

    let mut wanted: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    for method in &linked.methods {
        let Some(needs) = needs(method) else {
            problems.push(format!(
                "{function} can call {method}: say in crates/template/src/needs.rs what that needs, and add a statement \
                 to its role in template.yaml"
            ));
            continue;
        };
        for (action, target) in needs {
            wanted.entry(((*action).to_owned(), spelled(*target))).or_default().insert(method);
        }
    }
    let allowed = allowed(function, &statements, &mut problems);
    for ((action, resource), methods) in &wanted {
        for method in methods {
            let sid = sid(method);
            let given = allowed.get(&(action.clone(), resource.clone()));
            if !given.is_some_and(|sids| sids.iter().any(|given| is_of(given, &sid))) {
                problems.push(format!(
                    "{function} can call {method}, and no statement {sid} allows {action} on {resource}: add it to its \
                     role in template.yaml"
                ));
            }
        }
    }
    for ((action, resource), sids) in &allowed {
        if !wanted.contains_key(&(action.clone(), resource.clone())) {
            let sids: Vec<_> = sids.iter().map(String::as_str).collect();
            problems.push(format!(
                "{function} may {action} on {resource} ({}), and its code cannot: remove it from template.yaml",
                sids.join(", ")
            ));
        }
    }
    for sid in allowed.values().flatten() {
        if !linked.methods.iter().any(|method| is_of(sid, &self::sid(method))) {
            problems.push(format!(
                "{function} has a statement {sid}, and cannot call such a method: remove it"
            ));
        }
    }

    // The table of needs could lie; the SDK calls that are linked cannot.
    let may: BTreeSet<&str> = allowed.keys().map(|(action, _)| action.as_str()).collect();
    let mut can = BTreeSet::new();
    for call in &linked.calls {
        match actions(call) {
            Some(actions) => can.extend(actions),
            None => problems.push(format!(
                "{function} makes the SDK call {call}: say in crates/template/src/needs.rs which action that is"
            )),
        }
    }
    let missing = can.iter().filter(|action| !may.contains(action.as_str()));
    problems.extend(missing.map(|action| {
        format!("{function} can {action}, and its role in template.yaml does not say so")
    }));
    let surplus = may.iter().filter(|action| !can.contains(**action));
    problems
        .extend(surplus.map(|action| {
            format!("{function} may {action} and makes no such SDK call: remove it")
        }));
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// What the statements of port methods allow, with the statements that do; notes what none may allow.
fn allowed(
    function: &str,
    statements: &[Statement],
    problems: &mut Vec<String>,
) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut allowed: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for Statement { sid, actions, resources } in statements {
        for action in actions {
            let narrowable =
                !action.starts_with("aws-marketplace:") && !action.starts_with("xray:");
            if action.contains('*') || action.ends_with(":Scan") {
                problems.push(format!("{function} has {action} in {sid}: no function may do that"));
            }
            if narrowable && resources.iter().any(|resource| resource == "*") {
                problems.push(format!(
                    "{function} may {action} on everything in {sid}: name the resource"
                ));
            }
            let changes = ["Update", "Delete"].iter().any(|verb| action.contains(verb));
            if changes && resources.iter().any(|resource| resource.starts_with("AuditTable")) {
                problems.push(format!(
                    "{function} may {action} on the audit table in {sid}: it is append-only"
                ));
            }
        }
        let surroundings = SURROUNDINGS.iter().find(|(known, _)| known == sid);
        if let Some((_, known)) = surroundings {
            let same = actions.iter().map(String::as_str).eq(known.iter().copied());
            if !same {
                problems.push(format!(
                    "{function}'s statement {sid} must allow {} and nothing else",
                    known.join(", ")
                ));
            }
            continue;
        }
        for action in actions {
            for resource in resources {
                allowed.entry((action.clone(), resource.clone())).or_default().insert(sid.clone());
            }
        }
    }
    allowed
}

/// `Usage.read_usage` is `UsageReadUsage`.
fn sid(method: &str) -> String {
    let mut sid = String::new();
    let mut upper = true;
    for letter in method.chars() {
        match letter {
            '.' | '_' => upper = true,
            letter if upper => {
                sid.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => sid.push(letter),
        }
    }
    sid
}

/// A method with several kinds of needs has several statements.
fn is_of(statement: &str, sid: &str) -> bool {
    statement
        .strip_prefix(sid)
        .is_some_and(|kind| ["", "Guard", "Existing", "Rows"].contains(&kind))
}

fn spelled(target: Target) -> String {
    match target {
        Target::Table(name) | Target::Resource(name) => name.to_owned(),
        Target::Index(table, index) => format!("{table}/index/{index}"),
        Target::Anything => "*".to_owned(),
    }
}
