//! Agreements as the buyer sees them, and what a buyer can do with them.

use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, Render, html};
use pages::component::{Tone, badge, card, note, status};
use pages::{Brand, Page, Width, format};
use serde::Deserialize;
use simulator::{Agreement, AgreementStatus};

use super::acts::{NotDone, back, entitlements, subscription, tail};
use super::frame::refused;
use super::visit;
use crate::system::Handle;

/// All agreements, newest first.
pub(super) async fn list(system: &Handle) -> Result<Markup, NotDone> {
    let mut all = system.simulator().agreements();
    all.sort_by_key(|agreement| std::cmp::Reverse((agreement.accepted, agreement.id.clone())));
    if all.is_empty() {
        return Ok(card(
            "No agreements yet",
            &html! { p { "Subscribe above, and the agreement appears here." } },
        ));
    }
    let mut cards = Vec::new();
    for agreement in &all {
        cards.push(one(system, agreement).await?);
    }
    Ok(html! { @for card in cards { (card) } })
}

async fn one(system: &Handle, agreement: &Agreement) -> Result<Markup, NotDone> {
    let known = subscription(system, agreement).await?;
    let active = agreement.status == AgreementStatus::Active;
    let contents = agreement.grants.last().map(|grant| {
        let parts: Vec<String> = grant
            .entitlements
            .iter()
            .map(|(name, quantity)| format!("{name} × {quantity}"))
            .collect();
        parts.join(", ")
    });
    Ok(html! {
        article.card aria-label={ "Agreement " (agreement.id) } {
            div.row.apart {
                h3 { "Account " (agreement.account) }
                (badge(if active { Tone::Good } else { Tone::Plain }, &said(agreement.status)))
            }
            dl.facts {
                dt { "Agreement" } dd { code { (agreement.id) } }
                dt { "License" } dd { code { (tail(&agreement.license_arn)) } }
                dt { "Bought" } dd { @match contents.filter(|text| !text.is_empty()) { Some(text) => (text), None => "pay as you go" } }
                @if let Some(end) = agreement.ends { dt { "Until" } dd { (format::day(end)) @if agreement.auto_renew { ", renews" } } }
                @if let Some(end) = agreement.free_trial_ends { dt { "Trial until" } dd { (format::day(end)) } }
                dt { "The seller says" } dd {
                    @match &known {
                        Some(state) => { (status(state.status(system.now()))) " " @if state.registered.is_none() { "not registered" } @else { "registered" } }
                        None => "has not heard of it yet",
                    }
                }
            }
            div.row {
                @if active { a.button.compact href={ "/box/agreements/" (agreement.id) "/set-up" } target="_blank" { "Set up your account" span.hidden { " (new tab)" } } }
                @if let Some(state) = &known { (visit::account(&state.id)) }
            }
            @if active { (changes(system, agreement)) }
        }
    })
}

fn changes(system: &Handle, agreement: &Agreement) -> Markup {
    let path = |act: &str| format!("/box/agreements/{}/{act}", agreement.id);
    let select = format!("plan-{}", agreement.id);
    html! {
        details {
            summary { "Change or cancel" }
            @if system.pricing().has_entitlements() {
                form.inline method="post" action=(path("amend")) data-stay {
                    div.field {
                        label for=(select) { "Other plan" }
                        select id=(select) name="plan" {
                            @for plan in system.listing().catalog.plans() { option value=(plan.id) { (plan.title) } }
                        }
                    }
                    button.plain type="submit" formaction=(path("amend")) { "Amend" }
                    button.plain type="submit" formaction=(path("replace")) { "Replace" }
                }
                p.quiet.small { "An amendment changes what the same agreement grants. A replacement is a new agreement with a new license." }
            }
            div.row {
                @if system.pricing().has_entitlements() {
                    form method="post" action=(path("renew")) data-stay { button.plain.compact type="submit" { "Renew" } }
                }
                form method="post" action=(path("cancel")) data-stay { button.danger.compact type="submit" { "Cancel subscription" } }
            }
        }
    }
}

fn said(status: AgreementStatus) -> String {
    match status {
        AgreementStatus::Active => "active",
        AgreementStatus::Cancelled => "cancelled",
        AgreementStatus::Expired => "expired",
        AgreementStatus::Renewed => "renewed by another",
        AgreementStatus::Replaced => "replaced by another",
        AgreementStatus::RolledBack => "rolled back",
        AgreementStatus::Terminated => "terminated by AWS",
    }
    .to_owned()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    plan: String,
}

pub(super) async fn act(
    State(system): State<Handle>,
    Path((id, act)): Path<(String, String)>,
    Form(change): Form<Change>,
) -> Response {
    match try_act(&system, &id, &act, &change).await {
        Ok(note) => back("/box/store", note),
        Err(NotDone(why)) => refused(&system, "/box/store", &why),
    }
}

async fn try_act(
    system: &Handle,
    id: &str,
    act: &str,
    change: &Change,
) -> Result<&'static str, NotDone> {
    let simulator = system.simulator();
    let granted = || entitlements(system, &change.plan);
    let note = match act {
        "amend" => simulator.amend(id, granted()).map(|_| "changed")?,
        "replace" => simulator.replace(id, granted()).map(|_| "changed")?,
        "renew" => simulator.renew(id).map(|_| "changed")?,
        "cancel" => simulator.cancel(id).map(|()| "cancelled")?,
        _ => return Err(NotDone("There is no such button.".to_owned())),
    };
    system.deliver().await?;
    Ok(note)
}

/// What AWS shows behind *Set up your account*: a page that posts the token to the seller.
pub(super) async fn set_up(State(system): State<Handle>, Path(id): Path<String>) -> Response {
    let fields = match system.simulator().fulfilment_form(&id) {
        Ok(fields) => fields,
        Err(error) => {
            let refused = refused(&system, "/box/store", &NotDone::from(error).0);
            return (StatusCode::NOT_FOUND, refused).into_response();
        }
    };
    let mut brand = Brand::default();
    brand.name = Some("AWS Marketplace (simulated)".to_owned());
    let content = html! {
        (note(Tone::Good, &html! { p { b { "You have subscribed." } " One more step: tell the seller who you are." } }))
        section.card {
            p { "In AWS Marketplace this button stands on the page of the subscription. It posts a token of AWS to the seller's registration page." }
            form method="post" action="/marketplace/register" {
                @for (name, value) in &fields { input type="hidden" name=(name) value=(value); }
                button type="submit" { "Set up your account" }
            }
        }
    };
    let page = Page { content, ..Page::new(&brand, "Set up your account", Width::Narrow) };
    Html(page.render().into_string()).into_response()
}
