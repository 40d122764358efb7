//! What an operator wants to know first: is money at risk, and do the books balance?

use app::conservation::{self, Conservation, Pass};
use app::ports::Store;
use maud::{Markup, html};
use pages::component::{Tone, badge, figure};
use pages::format;

use super::super::trouble::Trouble;
use super::parked::{PATH, Parked};
use crate::{Aws, Deps};

/// Parked money and the conservation check's last result.
pub(super) async fn overview<S: Store, A: Aws>(deps: &Deps<S, A>) -> Result<Markup, Trouble> {
    let parked = Parked::read(deps).await?;
    let known = conservation::last(&deps.context).await?;
    let currency = deps.context.listing.catalog.currency();
    let count = parked.items.len();
    let more = if parked.cut { "more than " } else { "" };
    Ok(html! {
        div.grid.even {
            (figure("Money at risk", &html! { (more) (format::money(parked.amount(), currency)) }, &html! {
                "due, and not billed by AWS"
            }))
            (figure("Parked", &html! { (more) (count) @if count == 1 { " item" } @else { " items" } }, &html! {
                @if count > 0 { a href=(PATH) { "Look and retry" } } @else { "nothing for a human to do" }
            }))
            (figure("Conservation check", &verdict(&known), &html! {
                @match &known.last {
                    Some(pass) => (checked(pass)),
                    None => { "every unit used is in the plan, billed, on its way or parked" }
                }
            }))
        }
    })
}

fn verdict(known: &Conservation) -> Markup {
    match (&known.last, &known.under_way) {
        (Some(pass), _) if pass.broken == 0 => badge(Tone::Good, "the books balance"),
        (Some(pass), _) => badge(Tone::Bad, &format!("{} meters are off", pass.broken)),
        (None, Some(_)) => badge(Tone::Plain, "under way"),
        (None, None) => badge(Tone::Plain, "has not run yet"),
    }
}

fn checked(pass: &Pass) -> Markup {
    html! {
        (format::count(pass.meters)) " meters of " (format::count(pass.subscriptions)) " subscriptions, "
        (format::brief(pass.finished_at.unwrap_or(pass.started_at)))
    }
}
