//! The pages. Everything that comes from outside is escaped by the template; only our own style sheet is not.

mod confirmation;
mod form;
mod trouble;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::config::Seller;
use crate::wire::Standing;

pub(crate) use confirmation::confirmation;
pub(crate) use form::{correction, registration};
pub(crate) use trouble::{how_to_come_back, trouble};

/// The style sheet of all pages.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Where buyers manage what they bought.
const MARKETPLACE_CONSOLE: &str = "https://console.aws.amazon.com/marketplace";

/// The frame of every page: what AWS asks for stands on each (fact sheet §9).
fn layout(seller: &Seller, title: &str, content: &Markup) -> Markup {
    let product = product(seller);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · " (product) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { p { (product) } }
                main {
                    h1 { (title) }
                    (content)
                }
                footer {
                    @if let Some(url) = &seller.login_url {
                        p { "Already a customer? " a href=(url) { "Log in" } }
                    }
                    @if seller.support_url.is_some() || seller.support_email.is_some() {
                        p {
                            "Need help? "
                            @if let Some(url) = &seller.support_url { a href=(url) { "Visit support" } }
                            @if seller.support_url.is_some() && seller.support_email.is_some() { " or write to " }
                            @if let Some(email) = &seller.support_email {
                                a href={ "mailto:" (email) } { (email) }
                            }
                        }
                    }
                    p {
                        "Billing goes through your AWS account. You can see and cancel the subscription in "
                        a href=(MARKETPLACE_CONSOLE) { "AWS Marketplace" } "."
                    }
                }
            }
        }
    }
}

fn product(seller: &Seller) -> &str {
    seller.product.as_deref().unwrap_or("Subscription registration")
}

/// The steps back to a fresh token.
fn come_again() -> Markup {
    html! {
        ol {
            li { "Open " a href=(MARKETPLACE_CONSOLE) { "AWS Marketplace" } " with the AWS account that subscribed." }
            li { "Choose " b { "Manage subscriptions" } " and then this product." }
            li { "Choose " b { "Set up your account" } ". You come back here, signed on again." }
        }
        p { "You do not need to subscribe again, and nothing is charged twice." }
    }
}

/// What is known of the subscription, as a list of terms.
fn standing(standing: &Standing) -> Markup {
    html! {
        dt { "Status" } dd { (status(standing)) }
        @if let Some(plan) = &standing.plan { dt { "Plan" } dd { (plan.title) } }
        @if let Some(agreement) = &standing.agreement_id { dt { "Agreement" } dd { code { (agreement) } } }
        @if let Some(ends) = standing.agreement_ends_at {
            dt { "Runs until" } dd { time datetime=(ends) { (ends.strftime("%-d %B %Y, %H:%M UTC")) } }
        }
        dt { "Reference" } dd { code { (standing.id) } }
    }
}

fn status(standing: &Standing) -> &'static str {
    use domain::subscription::Status;
    match standing.status {
        Status::Pending => "Waiting",
        Status::Active => "Active",
        Status::Suspended => "On hold",
        Status::Cancelling | Status::Cancelled => "Cancelled",
        Status::Expired => "Expired",
    }
}
