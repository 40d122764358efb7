//! The page after the form: where things stand and what comes next.

use domain::subscription::Status;
use maud::{Markup, html};
use pages::component::{Tone, note};
use pages::{Brand, Width};

use super::form::form;
use super::page;
use super::summary::{bought, progress};
use crate::wire::{COMPLETE_AT, LandingAnswer, ProfileForm, Standing};

/// Confirms a registration.
pub(crate) fn confirmation(brand: &Brand, landing: &LandingAnswer) -> Markup {
    let known = landing.subscription.as_ref();
    let (tone, title, message) = headline(brand, known);
    let again =
        ProfileForm { registration: landing.registration.clone(), ..ProfileForm::default() };
    let going_on = !known.is_some_and(|known| is_over(known.status));
    let content = html! {
        (note(tone, &message))
        div.pair {
            @if going_on {
                section.card aria-labelledby="next" {
                    h2 id="next" { "What happens next" }
                    (progress(brand, landing))
                    @if !brand.next_steps.is_empty() {
                        ul { @for step in &brand.next_steps { li { (step) } } }
                    }
                    @if !known.is_some_and(|known| known.tenant_ready) {
                        p.quiet.small {
                            "You may close this page. To see how far it is, "
                            a href={ (COMPLETE_AT) "?registration=" (landing.registration) } { "look again" } "."
                        }
                    }
                }
            }
            (bought(brand, landing))
        }
        section.card { details { summary { "Change the contact details" } (form(brand, &again, &[])) } }
    };
    let lead = html! {
        "Thank you. Your details are saved."
        @if going_on { " An e-mail with the next steps goes to the address you gave." }
    };
    page(brand, title, Width::Middle, lead, content)
}

fn headline(brand: &Brand, known: Option<&Standing>) -> (Tone, &'static str, Markup) {
    let waiting = html! {
        p { "AWS Marketplace is still activating your subscription, which usually takes a few minutes. "
            "Your account is prepared as soon as it is active; there is nothing more for you to do." }
    };
    let Some(known) = known else { return (Tone::Info, "Registration complete", waiting) };
    match known.status {
        Status::Active if known.tenant_ready => (
            Tone::Good,
            "Your account is ready",
            html! {
                p { "Your account is ready."
                    @if let Some(url) = &brand.sign_in_url { " " a href=(url) { "Sign in" } " to begin." } }
            },
        ),
        Status::Active => (
            Tone::Good,
            "Registration complete",
            html! {
                p { "Your account is being prepared, which usually takes a few minutes." }
            },
        ),
        Status::Pending => (Tone::Info, "Registration complete", waiting),
        Status::Suspended => (
            Tone::Warn,
            "Your subscription is on hold",
            html! {
                p { "Your details are saved, but the subscription is on hold. Please contact support to have it lifted." }
            },
        ),
        Status::Cancelling | Status::Cancelled | Status::Expired => (
            Tone::Warn,
            "This subscription has ended",
            html! {
                p { "No account is prepared for it. You can subscribe again in AWS Marketplace at any time." }
            },
        ),
    }
}

fn is_over(status: Status) -> bool {
    match status {
        Status::Cancelling | Status::Cancelled | Status::Expired => true,
        Status::Pending | Status::Active | Status::Suspended => false,
    }
}
