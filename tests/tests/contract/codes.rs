//! The codes of problems: the list in `docs/http-api.md`, the document, and the code name the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::at;
use crate::document::contract;

/// What the middle of the page answers for every address: no operation lists them.
const EVERYWHERE: [&str; 2] = ["not_found", "method_not_allowed"];

/// Codes of answers, not of problems.
const ANSWERS: [&str; 1] = ["feature_not_in_plan"];

/// Each code with the statuses it comes with, in the rows of the table: `| 404 | `code` | meaning |`.
fn listed() -> BTreeMap<String, BTreeSet<u16>> {
    let page = std::fs::read_to_string(at("docs/http-api.md")).unwrap();
    let mut listed: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, statuses, code, _, ""] = cells.as_slice() else { continue };
        let Some(code) = code.strip_prefix('`').and_then(|it| it.strip_suffix('`')) else {
            continue;
        };
        let statuses: Option<BTreeSet<u16>> =
            statuses.split(", ").map(|status| status.parse().ok()).collect();
        if let Some(statuses) = statuses {
            assert!(listed.insert(code.to_owned(), statuses).is_none(), "{code} is listed twice");
        }
    }
    listed
}

/// Each code of the document with its statuses.
pub(crate) fn documented() -> BTreeMap<String, BTreeSet<u16>> {
    let mut codes: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let contract = contract();
    for operations in contract["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let schema = &response["content"]["application/problem+json"]["schema"];
                let known = schema.pointer("/allOf/1/properties/code/enum");
                for code in known.and_then(Value::as_array).into_iter().flatten() {
                    let code = code.as_str().unwrap().to_owned();
                    codes.entry(code).or_default().insert(status.parse().unwrap());
                }
            }
        }
    }
    codes
}

/// The files below a folder, tests left out.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(at(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if at(&path).is_dir() {
            found.extend(sources(&path));
        } else if !name.contains("tests") {
            let text = std::fs::read_to_string(at(&path)).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, code));
        }
    }
    found
}

/// Every code that the code can put into a problem: the first text in `snake_case` after a constructor of problems,
/// and every such text in a function that answers codes.
fn written() -> BTreeSet<String> {
    const CONSTRUCTORS: [&str; 6] = [
        "::new(",
        "::bad_request(",
        "::unauthorized(",
        "::forbidden(",
        "::conflict(",
        "::unprocessable(",
    ];
    let mut codes = BTreeSet::new();
    for folder in [
        "functions/registration/src",
        "functions/subscription-api/src",
        "functions/webhook/src",
        "crates/lambda-shell/src",
        "crates/app/src",
        "crates/domain/src",
        "crates/sns-https/src",
    ] {
        for (_, text) in sources(folder) {
            for (place, _) in text.match_indices("Problem::").chain(text.match_indices("Self::")) {
                let rest = &text[place..];
                let called = rest.split_once("::").map(|(_, rest)| format!("::{rest}")).unwrap();
                if CONSTRUCTORS.iter().any(|name| called.starts_with(name)) {
                    let end = rest.find(';').unwrap_or(rest.len()).min(300).min(rest.len());
                    let call: String = rest.chars().take(end).collect();
                    codes.extend(snake_case_texts(&call).into_iter().next());
                }
            }
            for (place, _) in text
                .match_indices("fn code(")
                .chain(text.match_indices("fn denial("))
                .chain(text.match_indices("let (code, detail) = match"))
                .chain(text.match_indices(".unwrap_or(\""))
            {
                let body = &text[place..];
                let end = body.find("\n    }").or_else(|| body.find("\n}")).unwrap_or(body.len());
                codes.extend(snake_case_texts(&body[..end]));
            }
        }
    }
    codes
}

/// The texts in a piece of code that look like a code.
fn snake_case_texts(code: &str) -> Vec<String> {
    let looks = |text: &&str| {
        text.contains('_')
            && text
                .split('_')
                .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
            || *text == "unavailable"
            || *text == "forbidden"
            || *text == "unauthenticated"
    };
    code.split('"').skip(1).step_by(2).filter(looks).map(ToOwned::to_owned).collect()
}

#[test]
fn the_list_of_codes_is_the_documents_with_what_is_answered_everywhere() {
    let mut documented = documented();
    documented.insert(EVERYWHERE[0].to_owned(), BTreeSet::from([404]));
    documented.insert(EVERYWHERE[1].to_owned(), BTreeSet::from([405]));
    let listed = listed();
    for (code, statuses) in &documented {
        assert_eq!(listed.get(code), Some(statuses), "{code} in docs/http-api.md");
    }
    for code in listed.keys() {
        assert!(documented.contains_key(code), "{code} is listed and nothing answers it");
    }
}

#[test]
fn the_list_of_codes_is_what_the_code_can_answer() {
    let listed: BTreeSet<String> = listed().into_keys().collect();
    let written = written();
    let unlisted: Vec<_> =
        written.difference(&listed).filter(|code| !ANSWERS.contains(&code.as_str())).collect();
    assert!(unlisted.is_empty(), "not in docs/http-api.md: {unlisted:?}");
    let unwritten: Vec<_> = listed.difference(&written).collect();
    assert!(unwritten.is_empty(), "listed, and nowhere in the code: {unwritten:?}");
}
