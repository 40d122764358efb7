//! The wire log: every call of the simulated AWS, with its request and answer.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pages::component::{Tone, badge, card};
use pages::format;
use serde::Deserialize;
use serde_json::Value;
use simulator::Call;

use super::frame::Sheet;
use crate::system::Handle;

/// Calls shown; the newest.
const SHOWN: usize = 40;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    operation: String,
}

pub(super) async fn show(State(system): State<Handle>, Query(which): Query<Which>) -> Response {
    let calls = system.simulator().calls();
    let mut operations: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    let fits = |call: &&Call| which.operation.is_empty() || call.operation == which.operation;
    let shown: Vec<&Call> = calls.iter().rev().filter(fits).take(SHOWN).collect();
    Sheet {
        system: &system,
        path: "/box/wire",
        title: "Wire log",
        lead: html! { "What the seller asked of AWS, and what AWS answered, as it went over the wire." },
        note: None,
        content: html! {
            (card("Calls", &html! {
                form.inline method="get" action="/box/wire" {
                    div.field {
                        label for="operation" { "Operation" }
                        select id="operation" name="operation" {
                            option value="" { "All" }
                            @for name in operations { option value=(name) selected[which.operation == name] { (name) } }
                        }
                    }
                    button.plain type="submit" { "Show" }
                }
                @if shown.is_empty() { p { "AWS has not been asked anything yet." } }
                @for call in &shown { (one(call)) }
                @if calls.len() > SHOWN { p.quiet.small { "The newest " (shown.len()) " of " (calls.len()) " calls that are remembered." } }
            }))
        },
    }
    .page()
}

/// One call, folded.
pub(super) fn one(call: &Call) -> Markup {
    let tone = if call.status < 300 { Tone::Good } else { Tone::Bad };
    html! {
        details {
            summary {
                (format::brief(call.at)) " · " b { (call.operation) } " " (badge(tone, &call.status.to_string()))
                @if call.lost { " " (badge(Tone::Warn, "the answer was lost")) }
            }
            p.quiet.small { "Request" }
            pre tabindex="0" aria-label={ "Request of " (call.operation) } { (pretty(&call.request)) }
            p.quiet.small { "Answer" }
            pre tabindex="0" aria-label={ "Answer to " (call.operation) } { (pretty(&call.answer)) }
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
