//! Messages: from AWS to the seller, from the seller to the platform, and those that were set aside.

use axum::extract::{Query, State};
use axum::response::Response;
use domain::subscription::TenantNotice;
use maud::{Markup, html};
use pages::component::{Column, Tone, badge, card, table};
use pages::format;

use super::acts::{NotDone, back};
use super::frame::{Sheet, refused};
use super::note::Noted;
use crate::bus::Queue;
use crate::mail::Mail;
use crate::system::Handle;

/// Notices shown; the newest.
const SHOWN: usize = 50;

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    match content(&system) {
        Ok(content) => Sheet {
            system: &system,
            path: "/box/messages",
            title: "Messages",
            lead: html! { "AWS tells the seller what happens; the seller tells the platform what to do. Both may come late, twice, or in another order." },
            note: noted.note(),
            content,
        }
        .page(),
        Err(NotDone(why)) => refused(&system, "/", &why),
    }
}

fn content(system: &Handle) -> Result<Markup, NotDone> {
    let notices = system.tenant_notices()?;
    Ok(html! {
        div.pair {
            (card("On their way from AWS", &on_their_way(system)))
            (card("Queues", &queues(system)?))
        }
        (card("What the platform was told", &told(&notices)))
        (card("What the platform wrote to buyers", &written(&system.mails())))
        (card("Dead letters", &dead(system)?))
    })
}

fn on_their_way(system: &Handle) -> Markup {
    let all = system.simulator().notifications();
    if all.is_empty() {
        return html! { p { "None. AWS sends one about a minute after something changes." } };
    }
    let rows = html! {
        @for notification in &all {
            tr {
                td { (format::brief(notification.due)) }
                th scope="row" { (notification.body.get("detail-type").and_then(serde_json::Value::as_str).unwrap_or("SNS message")) }
            }
        }
    };
    table("Not delivered yet", &[Column::Text("Due (UTC)"), Column::Text("What")], &rows, &html! {})
}

fn queues(system: &Handle) -> Result<Markup, NotDone> {
    let mut depths = Vec::new();
    for queue in Queue::ALL {
        depths.push((queue, system.bus().depth(queue, system.now())?));
    }
    let rows = html! {
        @for (queue, depth) in &depths {
            tr {
                th scope="row" { (queue) }
                td.number { (depth.visible) }
                td.number { (depth.hidden) }
                td.number { (depth.dead) }
            }
        }
    };
    let columns = [
        Column::Text("Queue"),
        Column::Number("Ready"),
        Column::Number("Delayed"),
        Column::Number("Dead"),
    ];
    Ok(table("Messages in each queue", &columns, &rows, &html! {}))
}

fn told(notices: &[TenantNotice]) -> Markup {
    if notices.is_empty() {
        return html! { p { "Nothing yet. The first is to make a workspace, when a buyer has registered and AWS has activated the license." } };
    }
    let rows = html! {
        @for notice in notices.iter().rev().take(SHOWN) {
            tr {
                td { (format::brief(notice.at)) }
                th scope="row" { (notice.kind.as_str()) }
                td { code.small { (notice.subscription_id) } }
                td { @if let Some(id) = &notice.tenant_id { (id) } @else { "none yet" } }
                td { @if let Some(plan) = &notice.plan { (plan) } }
            }
        }
    };
    let columns = ["At (UTC)", "Do this", "Subscription", "Workspace", "Plan"];
    table("Tenant notices, newest first", &columns.map(Column::Text), &rows, &html! {})
}

fn written(mails: &[Mail]) -> Markup {
    if mails.is_empty() {
        return html! { p { "Nothing yet. A buyer who has registered gets a mail with what comes next." } };
    }
    html! {
        @for mail in mails.iter().rev().take(SHOWN) {
            details {
                summary { (format::brief(mail.at)) " · " b { (mail.to) } " · " code.small { (mail.subscription) } }
                @for paragraph in &mail.text { p { (paragraph) } }
            }
        }
        p.quiet.small { "The notice carries no address. The platform asks the API for it, and nothing is really sent from this machine." }
    }
}

fn dead(system: &Handle) -> Result<Markup, NotDone> {
    let letters = system.bus().dead_letters()?;
    if letters.is_empty() {
        return Ok(
            html! { p { (badge(Tone::Good, "none")) " A message is set aside when it was delivered five times in vain." } },
        );
    }
    Ok(html! {
        @for letter in &letters {
            details {
                summary { (format::brief(letter.sent_at)) " · " b { (letter.queue) } " · " (letter.failure.as_deref().unwrap_or("no reason was given")) }
                pre tabindex="0" aria-label="Message" { (serde_json::to_string_pretty(&letter.body).unwrap_or_default()) }
            }
        }
        form method="post" action="/box/redrive" { button type="submit" { "Deliver them again" } }
    })
}

pub(super) async fn redrive(State(system): State<Handle>) -> Response {
    let done = system.bus().redrive(None, system.now());
    match done {
        Ok(_) => match system.deliver().await {
            Ok(()) => back("/box/messages", "redriven"),
            Err(error) => refused(&system, "/box/messages", &NotDone::from(error).0),
        },
        Err(error) => refused(&system, "/box/messages", &NotDone::from(error).0),
    }
}
