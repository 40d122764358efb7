//! The page after the form: where things stand and what comes next.

use domain::subscription::Status;
use maud::{Markup, html};

use super::{layout, standing};
use crate::config::Seller;
use crate::wire::{CompletionAnswer, Standing};

/// Confirms a registration.
pub(crate) fn confirmation(seller: &Seller, answer: &CompletionAnswer) -> Markup {
    let content = html! {
        p { "Thank you. Your details are saved." }
        @match &answer.subscription {
            Some(known) => {
                h2 { "What happens next" }
                (next_steps(seller, known))
                h2 { "Your subscription" }
                dl { (standing(known)) }
            }
            None => {
                h2 { "What happens next" }
                p {
                    "AWS Marketplace is still activating your subscription, which usually takes a few minutes. "
                    "Your account is prepared as soon as it is active; there is nothing more for you to do."
                }
            }
        }
    };
    layout(seller, "Registration complete", &content)
}

fn next_steps(seller: &Seller, known: &Standing) -> Markup {
    html! {
        @match known.status {
            Status::Active if known.tenant_ready => {
                p {
                    "Your account is ready."
                    @if let Some(url) = &seller.login_url { " " a href=(url) { "Log in" } " to begin." }
                }
            }
            Status::Active => {
                p { "Your account is being prepared. You can log in as soon as it is ready." }
            }
            Status::Pending => {
                p {
                    "AWS Marketplace is still activating your subscription, which usually takes a few minutes. "
                    "Your account is prepared as soon as it is active; there is nothing more for you to do."
                }
            }
            Status::Suspended => {
                p { "Your subscription is on hold. Please contact support to have it lifted." }
            }
            Status::Cancelling | Status::Cancelled | Status::Expired => {
                p {
                    "This subscription has ended, so no account is prepared for it. "
                    "You can subscribe again in AWS Marketplace at any time."
                }
            }
        }
    }
}
