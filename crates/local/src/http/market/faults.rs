//! Faults: what goes wrong with AWS, on purpose.

use std::collections::BTreeMap;

use axum::extract::{Form, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pages::component::{Column, Tone, badge, card, table};
use simulator::{Fault, Faults};

use super::acts::back;
use super::frame::Sheet;
use super::note::Noted;
use crate::system::Handle;

/// Name, what happens, and what the seller does about it.
const KNOWN: [(&str, &str, &str); 10] = [
    ("throttle", "AWS throttles the call", "The same record is sent again, later."),
    (
        "internal_error",
        "AWS answers with an error before anything happened",
        "The same record is sent again.",
    ),
    (
        "lost_response",
        "AWS does it, and its answer is lost",
        "The same record is sent again; AWS answers that it has it. Billed once.",
    ),
    (
        "expired_credentials",
        "The seller's credentials have expired",
        "An alarm; buyers are told to wait, not that their link is bad.",
    ),
    (
        "unknown_dimension",
        "The listing lacks the dimension",
        "The record is parked; once the listing is mended, an operator sends it again.",
    ),
    (
        "unprocessed",
        "AWS gives a record back unprocessed",
        "The same record goes with the next call.",
    ),
    ("duplicate", "A notification comes twice", "The second changes nothing."),
    ("delay", "A notification comes two hours late", "It is taken when it comes."),
    ("reorder", "Notifications change places", "Facts are joined in any order."),
    (
        "drop",
        "A notification never comes",
        "The next one, or a reading of the truth, makes up for it.",
    ),
];

/// How long a delayed notification is held back.
const DELAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    let faults = system.simulator().faults(|faults| faults.clone());
    let paused = system.schedule_is_paused();
    Sheet {
        system: &system,
        path: "/box/faults",
        title: "Faults",
        lead: html! { "Make AWS misbehave, then use and let time pass. The bill must still be right to the unit." },
        note: noted.note(),
        content: html! {
            (card("What goes wrong", &form(&faults)))
            (card("Outage of the scheduler", &html! {
                p { "The schedule that sends usage " @if paused { (badge(Tone::Bad, "stands still")) } @else { (badge(Tone::Good, "runs every hour")) } }
                form method="post" action="/box/schedule" {
                    input type="hidden" name="stop" value=(!paused);
                    button.plain type="submit" { @if paused { "Let it run again" } @else { "Stop the schedule" } }
                }
            }))
        },
    }
    .page()
}

fn form(faults: &Faults) -> Markup {
    let rows = html! {
        @for (name, happens, about) in KNOWN {
            @let set = of(faults, name);
            tr {
                th scope="row" { label for=(name) { (happens) } }
                td { input id=(name) name=(name) type="number" min="0" max="100" value=(set); }
                td { @if set > 0 { (badge(Tone::Warn, &format!("the next {set}"))) } @else { (badge(Tone::Plain, "off")) } }
                td { (about) }
            }
        }
    };
    let columns = ["What happens", "How often", "Now", "What the seller does"];
    html! {
        form.fields method="post" action="/box/faults" data-stay {
            (table("Faults of the simulated AWS", &columns.map(Column::Text), &rows, &html! {}))
            div.row {
                button type="submit" { "Set" }
                button.plain type="submit" name="clear" value="yes" { "Nothing goes wrong" }
            }
        }
    }
}

fn of(faults: &Faults, name: &str) -> u32 {
    let fault = match name {
        "throttle" => &faults.throttle,
        "internal_error" => &faults.internal_error,
        "lost_response" => &faults.lost_response,
        "expired_credentials" => &faults.expired_credentials,
        "unknown_dimension" => &faults.unknown_dimension,
        "unprocessed" => &faults.unprocessed,
        "duplicate" => &faults.duplicate,
        "delay" => &faults.delay,
        "reorder" => &faults.reorder,
        _ => &faults.drop,
    };
    fault.next
}

pub(super) async fn set(
    State(system): State<Handle>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    if form.contains_key("clear") {
        system.simulator().faults(|faults| *faults = Faults::default());
        return back("/box/faults", "no-faults");
    }
    let next = |name: &str| {
        let times = form.get(name).and_then(|text| text.trim().parse::<u32>().ok());
        Fault::next(times.unwrap_or(0).min(100))
    };
    system.simulator().faults(|faults| {
        *faults = Faults {
            throttle: next("throttle"),
            internal_error: next("internal_error"),
            lost_response: next("lost_response"),
            expired_credentials: next("expired_credentials"),
            unknown_dimension: next("unknown_dimension"),
            unprocessed: next("unprocessed"),
            duplicate: next("duplicate"),
            delay: next("delay"),
            delay_by: DELAY,
            reorder: next("reorder"),
            drop: next("drop"),
        };
    });
    back("/box/faults", "faults")
}
