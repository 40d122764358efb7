//! The registration form.

use app::registration::LONGEST_FIELD;
use lambda_shell::problem::FieldProblem;
use maud::{Markup, Render, html};
use pages::brand::Presence;
use pages::component::{Field, Tone, note};
use pages::{Brand, Width};

use super::page;
use super::summary::{bought, progress};
use crate::wire::{COMPLETE_AT, LandingAnswer, ProfileForm};

/// The page a buyer lands on: what AWS told, and the form.
pub(crate) fn registration(
    brand: &Brand,
    landing: &LandingAnswer,
    typed: &ProfileForm,
    problems: &[FieldProblem],
) -> Markup {
    let title =
        if landing.registered { "You are registered" } else { "Complete your registration" };
    let lead = if landing.registered {
        html! { "This is where your subscription stands. You can change the contact details at any time." }
    } else {
        let usual = "Thank you for subscribing. One short form, and your account is on its way.";
        html! { (brand.welcome.as_deref().unwrap_or(usual)) }
    };
    let heading = if landing.registered { "Contact details" } else { "Whom may we set it up for?" };
    let content = html! {
        div.pair {
            section.card aria-labelledby="form" { h2 id="form" { (heading) } (form(brand, typed, problems)) }
            div.stack {
                (bought(brand, landing))
                section.card aria-labelledby="next" { h2 id="next" { "What happens next" } (progress(brand, landing)) }
            }
        }
    };
    page(brand, title, Width::Middle, lead, content)
}

/// The form again, with what was typed and what is to be mended.
pub(crate) fn correction(brand: &Brand, typed: &ProfileForm, problems: &[FieldProblem]) -> Markup {
    let content = html! {
        (note(Tone::Bad, &html! {
            p { b { "Please check " (if problems.len() == 1 { "one entry" } else { "these entries" }) "." } }
            ul {
                @for problem in problems {
                    li { a href={ "#" (problem.field) } { (label(brand, &problem.field)) } ": " (problem.detail) }
                }
            }
        }))
        section.card { (form(brand, typed, problems)) }
    };
    page(brand, "Please check your entries", Width::Narrow, html! {}, content)
}

pub(super) fn form(brand: &Brand, typed: &ProfileForm, problems: &[FieldProblem]) -> Markup {
    let fields = &brand.form;
    let problem = |name: &str| {
        problems.iter().find(|problem| problem.field == name).map(|problem| problem.detail.as_str())
    };
    let field = |name, kind, autocomplete, value, required| Field {
        name,
        label: label(brand, name),
        kind,
        autocomplete,
        value,
        required,
        longest: LONGEST_FIELD,
        problem: problem(name),
    };
    html! {
        form.fields method="post" action=(COMPLETE_AT) novalidate {
            input type="hidden" name="registration" value=(typed.registration);
            @if fields.company != Presence::Hidden {
                (field("company", "text", "organization", &typed.company, fields.company == Presence::Required).render())
            }
            @if fields.contact != Presence::Hidden {
                (field("contact", "text", "name", &typed.contact, fields.contact == Presence::Required).render())
            }
            (field("email", "email", "email", &typed.email, true).render())
            @for extra in &fields.extra {
                @let value = typed.extra.get(&extra.id).map_or("", String::as_str);
                (field(&extra.id, "text", "on", value, extra.required).render())
            }
            p.quiet.small {
                "We use these details to set up your account and to reach you about it. "
                "No payment data is asked for: AWS bills you."
            }
            button type="submit" data-busy="Sending…" { "Complete registration" }
        }
    }
}

fn label<'a>(brand: &'a Brand, name: &str) -> &'a str {
    match name {
        "company" => "Company",
        "contact" => "Contact name",
        "email" => "E-mail address",
        other => {
            let extra = brand.form.extra.iter().find(|field| field.id == other);
            extra.map_or("Entry", |field| field.label.as_str())
        }
    }
}
