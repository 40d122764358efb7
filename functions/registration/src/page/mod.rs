//! The pages. Everything that comes from outside is escaped by the template.

mod confirmation;
mod form;
mod summary;
mod trouble;

use maud::{Markup, Render, html};
use pages::{Brand, MARKETPLACE_CONSOLE, Page, Width};

pub(crate) use confirmation::confirmation;
pub(crate) use form::{correction, registration};
pub(crate) use trouble::{how_to_come_back, trouble};

/// A page of this function, with the words about billing that each of them needs.
fn page(brand: &Brand, title: &str, width: Width, lead: Markup, content: Markup) -> Markup {
    let footer = html! {
        p {
            "Billing goes through your AWS account. You can see and cancel the subscription in "
            a href=(MARKETPLACE_CONSOLE) { "AWS Marketplace" } "."
        }
    };
    Page { lead, content, footer, ..Page::new(brand, title, width) }.render()
}

/// The steps back to a fresh token.
fn come_again() -> Markup {
    html! {
        ol.steps {
            li { span { "Open " a href=(MARKETPLACE_CONSOLE) { "Manage subscriptions" } " in AWS Marketplace, with the AWS account that subscribed." } }
            li { span { "Choose this product." } }
            li { span { "Choose " b { "Set up your account" } ". You come back here, signed on again." } }
        }
        p.quiet { "You do not need to subscribe again, and nothing is charged twice." }
    }
}
