//! Pages for when there is no token or it did not help.

use maud::{Markup, html};

use super::{come_again, layout};
use crate::config::Seller;
use crate::refusal::{Refusal, Remedy};

/// What a visitor without a token reads: it is not an error.
pub(crate) fn how_to_come_back(seller: &Seller) -> Markup {
    let content = html! {
        p { "Registration starts in AWS Marketplace, which tells us securely which subscription is yours." }
        (come_again())
    };
    layout(seller, "Start from AWS Marketplace", &content)
}

/// What a buyer reads when it did not go on.
pub(crate) fn trouble(seller: &Seller, refusal: &Refusal) -> Markup {
    let content = html! {
        p { (refusal.problem.detail) }
        @match refusal.remedy {
            Remedy::ComeAgain => {
                h2 { "How to go on" }
                (come_again())
            }
            Remedy::Wait => {
                p { "If you see this page again after a few minutes:" }
                (come_again())
            }
            Remedy::AskSupport => {
                p { "Please ask support and mention the code " code { (refusal.problem.code) } "." }
            }
        }
    };
    layout(seller, refusal.heading, &content)
}
