//! The registration form.

use lambda_shell::problem::FieldProblem;
use maud::{Markup, html};

use super::{layout, standing};
use crate::config::Seller;
use crate::wire::{COMPLETE_AT, LandingAnswer, ProfileForm};

/// The page a buyer lands on: what AWS told, and the form.
pub(crate) fn registration(
    seller: &Seller,
    landing: &LandingAnswer,
    typed: &ProfileForm,
    problems: &[FieldProblem],
) -> Markup {
    let title =
        if landing.registered { "You are registered" } else { "Complete your registration" };
    let content = html! {
        @if landing.registered {
            p { "Your registration is complete. This is where your subscription stands." }
        } @else {
            p { "Thank you for subscribing. One short form, and your account is on its way." }
        }
        @if landing.free_trial { p { "You have chosen the free trial." } }
        (bought(landing))
        @if landing.registered {
            h2 { "Change your contact details" }
        }
        (form(typed, problems))
    };
    layout(seller, title, &content)
}

/// The form again, with what was typed and what is to be mended.
pub(crate) fn correction(
    seller: &Seller,
    typed: &ProfileForm,
    problems: &[FieldProblem],
) -> Markup {
    let content = html! {
        div.problem role="alert" {
            p { "Some fields need another entry:" }
            ul {
                @for problem in problems {
                    li { a href={ "#" (problem.field) } { (label(&problem.field)) } ": " (problem.detail) }
                }
            }
        }
        (form(typed, problems))
    };
    layout(seller, "Please check your entries", &content)
}

fn bought(landing: &LandingAnswer) -> Markup {
    html! {
        dl {
            @if let Some(account) = &landing.account { dt { "AWS account" } dd { code { (account) } } }
            @match &landing.subscription {
                Some(known) => (standing(known)),
                None => {
                    dt { "Status" } dd { "AWS Marketplace is still activating your subscription" }
                    @if let Some(agreement) = &landing.agreement_id {
                        dt { "Agreement" } dd { code { (agreement) } }
                    }
                }
            }
        }
    }
}

fn form(typed: &ProfileForm, problems: &[FieldProblem]) -> Markup {
    html! {
        form method="post" action=(COMPLETE_AT) {
            (field("company", "text", "organization", &typed.company, problems))
            (field("contact", "text", "name", &typed.contact, problems))
            (field("email", "email", "email", &typed.email, problems))
            p { "We use these details to set up your account and to reach you about it. No payment data is asked for: AWS bills you." }
            button type="submit" { "Complete registration" }
        }
    }
}

fn label(name: &str) -> &'static str {
    match name {
        "company" => "Company",
        "contact" => "Contact name",
        _ => "E-mail address",
    }
}

fn field(
    name: &str,
    kind: &str,
    autocomplete: &str,
    value: &str,
    problems: &[FieldProblem],
) -> Markup {
    let required = name == "email";
    let problem = problems.iter().find(|problem| problem.field == name);
    let note = format!("{name}-note");
    html! {
        div.field {
            label for=(name) {
                (label(name))
                @if !required { " " span.optional { "(optional)" } }
            }
            input id=(name) name=(name) type=(kind) autocomplete=(autocomplete) value=(value)
                maxlength=(app::registration::LONGEST_FIELD) required[required]
                aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| note.as_str())];
            @if let Some(problem) = problem { p.wrong id=(note) { (problem.detail) } }
        }
    }
}
