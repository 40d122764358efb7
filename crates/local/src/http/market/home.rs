//! The first page: what this is, how it stands, and where to go.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pages::component::{Tone, badge, card, figure};
use pages::format;

use super::acts::NotDone;
use super::frame::{Sheet, refused};
use super::note::Noted;
use super::visit;
use crate::bus::Queue;
use crate::guide;
use crate::system::Handle;

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    match content(&system).await {
        Ok(content) => Sheet {
            system: &system,
            path: "/",
            title: "Sell software through AWS Marketplace, on your machine",
            lead: html! {
                "A buyer, AWS Marketplace, the seller's service and the bill: all of it runs here, with a clock you can turn. "
                "No AWS account, no network, no money."
            },
            note: noted.note(),
            content,
        }
        .page(),
        Err(NotDone(why)) => refused(&system, "/", &why),
    }
}

async fn content(system: &Handle) -> Result<Markup, NotDone> {
    Ok(html! {
        div.pair {
            (card("New here?", &html! {
                p { "The tour goes through the life of one subscription: bought, set up, used, billed, cancelled. It takes ten minutes, and each step is one button." }
                p { a.button href="/box/tour" { "Take the tour" } }
            }))
            (card("Who is who", &html! {
                dl.facts {
                    dt { "The buyer" } dd { "subscribes in AWS Marketplace and pays through the AWS bill." }
                    dt { "AWS" } dd { "keeps agreements, tells the seller what happens, takes metering records, and bills." }
                    dt { "The seller" } dd { "that is this product: it registers buyers, counts usage, and sends AWS exactly what is due." }
                    dt { "The platform" } dd { "is the seller's application. It makes workspaces and reports usage." }
                }
            }))
        }
        (figures(system).await?)
        div.grid.even.four {
            (way_in("Be the buyer", "Accept an offer, amend, renew, replace, cancel.", &html! {
                p { a.button.plain href="/box/store" { "Open the storefront" } }
            }))
            (way_in("Be the platform", "Report usage, once or a hundred times, now or hours ago.", &html! {
                p { a.button.plain href="/box/usage" { "Generate usage" } }
            }))
            (way_in("Be the operator", "Find a subscription, see what happened to it, act.", &visit::desk()))
            (way_in("Be bad luck", "AWS throttles, fails, or loses its answer. The bill stays right.", &html! {
                p { a.button.plain href="/box/faults" { "Set faults" } }
            }))
        }
        (card("For engineers", &engineers(system)))
    })
}

/// A card that leads somewhere; the ways stand in one line, however long their words are.
fn way_in(title: &str, what: &str, way: &Markup) -> Markup {
    html! { section.card.way-in { h2 { (title) } p { (what) } (way) } }
}

async fn figures(system: &Handle) -> Result<Markup, NotDone> {
    let rows = system.reconciliation().await?;
    let (mut due, mut billed) = (rust_decimal::Decimal::ZERO, rust_decimal::Decimal::ZERO);
    for row in &rows {
        due = due.saturating_add(rust_decimal::Decimal::from(row.due.floor()));
        billed = billed.saturating_add(row.invoiced);
    }
    let agrees = rows.iter().all(|row| row.agrees);
    let (mut waiting, mut dead) = (0_u64, 0_u64);
    for queue in Queue::ALL {
        let depth = system.bus().depth(queue, system.now())?;
        waiting = waiting.saturating_add(depth.visible).saturating_add(depth.hidden);
        dead = dead.saturating_add(depth.dead);
    }
    let agreements = system.simulator().agreements();
    let active = agreements
        .iter()
        .filter(|agreement| agreement.status == simulator::AgreementStatus::Active)
        .count();
    Ok(html! {
        div.grid.even.four {
            (figure("Active agreements", &html! { (active) }, &html! { "of " (agreements.len()) " so far" }))
            (figure("Due, in whole units", &html! { (format::decimal(due)) }, &html! { "what buyers owe beyond their plans" }))
            (figure("Billed by AWS", &html! { (format::decimal(billed)) }, &html! {
                @if agrees { (badge(Tone::Good, "the same everywhere")) } @else { (badge(Tone::Warn, "not everything is sent yet")) }
            }))
            (figure("Messages", &html! { (waiting) }, &html! { "waiting, " (dead) " dead" }))
        }
    })
}

fn engineers(system: &Handle) -> Markup {
    let links = [
        ("/_local/state", "queues and clock"),
        ("/_local/reconciliation", "invoice beside due"),
        ("/_local/tenant-notices", "what the platform was told"),
        ("/_local/dead-letters", "messages set aside"),
        ("/_sim/agreements", "agreements, as AWS sees them"),
        ("/_sim/invoice", "what AWS would bill"),
        ("/marketplace/register", "the registration page, as seen without a token"),
        ("/marketplace/health", "health of the API"),
    ];
    html! {
        p { "The listing charges by " code { (system.pricing()) } ". Everything on these pages is also an API:" }
        ul { @for (path, what) in links { li { a href=(path) { code { (path) } } " " (what) } } }
        details {
            summary { "A subscription's life in command lines" }
            ol {
                @for step in guide::steps(system) {
                    li { (step.title) pre tabindex="0" { (step.commands.join("\n")) } }
                }
            }
        }
    }
}
