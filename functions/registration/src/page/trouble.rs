//! Pages for when there is no token or it did not help.

use maud::{Markup, html};
use pages::component::{Tone, note};
use pages::{Brand, Width};

use super::{come_again, page};
use crate::refusal::{Refusal, Remedy};

/// What a visitor without a token reads: it is not an error.
pub(crate) fn how_to_come_back(brand: &Brand) -> Markup {
    let lead = html! {
        "Registration starts in AWS Marketplace, which tells us securely which subscription is yours."
    };
    let content = html! { section.card { h2 { "How to get here" } (come_again()) } };
    page(brand, "Start from AWS Marketplace", Width::Narrow, lead, content)
}

/// What a buyer reads when it did not go on.
pub(crate) fn trouble(brand: &Brand, refusal: &Refusal) -> Markup {
    let tone = if refusal.ours { Tone::Warn } else { Tone::Bad };
    let content = html! {
        (note(tone, &html! { p { (refusal.problem.detail) } }))
        section.card {
            @match refusal.remedy {
                Remedy::ComeAgain => { h2 { "How to go on" } (come_again()) }
                Remedy::Wait => {
                    h2 { "What to do" }
                    p {
                        "Wait " (wait(refusal.problem.retry_after)) ", then reload this page. "
                        "If you see it again after a few minutes:"
                    }
                    (come_again())
                }
                Remedy::AskSupport => {
                    h2 { "What to do" }
                    p { "Please ask support" @if brand.support_email.is_some() || brand.support_url.is_some() { " (the address is below)" }
                        " and mention the code " code { (refusal.problem.code) } "." }
                    p { "If you subscribed to this product as well, open it in AWS Marketplace and choose " b { "Set up your account" } " there." }
                }
            }
        }
    };
    page(brand, refusal.heading, Width::Narrow, html! {}, content)
}

fn wait(seconds: Option<u16>) -> &'static str {
    match seconds {
        Some(60..) => "a minute",
        Some(20..) => "half a minute",
        Some(_) | None => "a moment",
    }
}
