//! What an operator wants to know first: is money at risk, and do the books balance?
//!
//! What is parked is read now. What waits to be sent is what the reconciler measured last: to weigh it takes a look at
//! every unsettled meter.

use app::conservation::{self, Conservation, Pass};
use app::ports::Store;
use app::risk::{self, Measured};
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
    let measured = risk::last(&deps.context).await?;
    let currency = deps.context.listing.catalog.currency();
    let count = parked.items.len();
    let more = if parked.cut { "more than " } else { "" };
    Ok(html! {
        div.grid.even {
            (waiting(&measured, currency))
            (figure("Parked", &html! { (more) (format::money(parked.amount(), currency)) }, &html! {
                @if count > 0 {
                    (count) @if count == 1 { " item" } @else { " items" } " that AWS did not take: "
                    a href=(PATH) { "look and act" }
                } @else { "nothing for a human to do" }
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

fn waiting(measured: &Measured, currency: &str) -> Markup {
    let Some((at, risk)) = &measured.last else {
        let hint = html! { "what is due and not billed yet; measured once an hour" };
        return figure("Money at risk", &badge(Tone::Plain, "not measured yet"), &hint);
    };
    let at_least = if risk.complete { "" } else { "at least " };
    let value = html! { (at_least) (format::money(risk.money, currency)) };
    let hint = html! {
        @match risk.oldest_unsettled {
            Some(hour) => {
                "on " (format::count(risk.meters)) @if risk.meters == 1 { " meter" } @else { " meters" }
                ", due and not known to be billed since " (format::brief(hour.start()))
            }
            None => { "everything that was due has been billed or parked" }
        }
        "; measured " (format::brief(*at))
    };
    figure("Money at risk", &value, &hint)
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
