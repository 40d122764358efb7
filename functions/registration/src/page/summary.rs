//! What was bought, and how far setting it up has come.

use domain::subscription::Status;
use maud::{Markup, html};
use pages::{Brand, component, format};

use crate::wire::{LandingAnswer, Standing};

/// What AWS told of the purchase.
pub(super) fn bought(brand: &Brand, landing: &LandingAnswer) -> Markup {
    let known = landing.subscription.as_ref();
    let trial = landing.free_trial || known.is_some_and(|known| known.free_trial);
    html! {
        section.card aria-labelledby="bought" {
            h2 id="bought" { "What you subscribed to" }
            dl.facts {
                dt { "Product" } dd { (brand.product()) @if let Some(tagline) = &brand.tagline { br; span.quiet.small { (tagline) } } }
                @if let Some(plan) = known.and_then(|known| known.plan.as_ref()) { dt { "Plan" } dd { (plan.title) } }
                dt { "Status" } dd { (status(known)) }
                @if let Some(ends) = known.and_then(|known| known.agreement_ends_at) {
                    dt { "Runs until" } dd { (format::day(ends)) }
                }
                @if let Some(account) = &landing.account { dt { "AWS account" } dd { code { (account) } } }
                @if let Some(agreement) = known.and_then(|known| known.agreement_id.as_ref()).or(landing.agreement_id.as_ref()) {
                    dt { "Agreement" } dd { code { (agreement) } }
                }
                @if let Some(known) = known { dt { "Reference" } dd { code { (known.id) } } }
            }
            @if let Some(known) = known.filter(|known| !known.included.is_empty()) {
                div {
                    h3 { "Included" }
                    ul { @for line in &known.included { li { (line) } } }
                    p.quiet.small { "What goes beyond is billed by AWS at the prices of your agreement." }
                }
            }
            @if trial {
                (component::note(component::Tone::Info, &html! {
                    p { b { "This is a free trial." } " AWS charges nothing for it. What happens when it ends stands in your agreement in AWS Marketplace." }
                }))
            }
        }
    }
}

fn status(known: Option<&Standing>) -> Markup {
    match known.map(|known| known.status) {
        // Without registration a subscription waits for its buyer, not for AWS.
        Some(Status::Pending) | None => component::badge(component::Tone::Warn, "Being set up"),
        Some(status) => component::status(status),
    }
}

/// From the purchase to the first sign-in: what is done and what comes.
pub(super) fn progress(brand: &Brand, landing: &LandingAnswer) -> Markup {
    let known = landing.subscription.as_ref();
    let activated = known.is_some_and(|known| known.activated);
    let ready = known.is_some_and(|known| known.tenant_ready);
    let steps = [
        (true, html! { "You subscribe in AWS Marketplace." }),
        (landing.registered, html! { "You tell us whom to set the account up for." }),
        (activated, html! { "AWS activates the subscription. This usually takes a few minutes." }),
        (ready, html! { "We prepare your account and tell you by e-mail." }),
        (
            false,
            html! {
                @match &brand.sign_in_url { Some(url) => { "You " a href=(url) { "sign in" } "." } None => "You sign in." }
            },
        ),
    ];
    let current = steps.iter().position(|(done, _)| !done);
    html! {
        ol.steps {
            @for (place, (done, text)) in steps.iter().enumerate() {
                li.done[*done] aria-current=[(Some(place) == current).then_some("step")] {
                    span { (text) @if *done { span.hidden { " (done)" } } }
                }
            }
        }
    }
}
