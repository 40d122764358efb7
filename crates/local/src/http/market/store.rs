//! The storefront: what AWS Marketplace shows to buyers.

use axum::extract::{Form, Query, State};
use axum::response::Response;
use domain::catalog::PricingModel;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pages::component::card;
use pages::format;
use serde::Deserialize;
use simulator::Purchase;

use super::acts::{NotDone, back, entitlements};
use super::agreements;
use super::frame::{Sheet, refused};
use super::note::Noted;
use crate::bus::later;
use crate::system::Handle;

/// Buyers to choose from. Any account may be typed.
const BUYERS: [(&str, &str); 3] =
    [("111122223333", "Acme"), ("222233334444", "Globex"), ("333344445555", "Initech")];

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    let agreements = match agreements::list(&system).await {
        Ok(agreements) => agreements,
        Err(NotDone(why)) => return refused(&system, "/", &why),
    };
    Sheet {
        system: &system,
        path: "/box/store",
        title: "Storefront",
        lead: html! { "What buyers see in AWS Marketplace. You can be any buyer." },
        note: noted.note(),
        content: html! {
            div.pair {
                (card("AI Compliance Shepherd", &offer(&system)))
                (card("What happens when you subscribe", &html! {
                    ol.steps {
                        li { span { "AWS makes an agreement and, about a minute later, an active license. The seller is told of both." } }
                        li { span { "The buyer chooses " b { "Set up your account" } ". The browser carries a token to the seller's registration page." } }
                        li { span { "The seller asks AWS who that is, takes the contact details, and has a workspace made." } }
                        li { span { "Usage is counted, and what goes beyond the plan is sent to AWS every hour." } }
                    }
                }))
            }
            section.grid aria-label="Agreements" { (agreements) }
        },
    }
    .page()
}

fn offer(system: &Handle) -> Markup {
    let catalog = &system.listing().catalog;
    let contract = system.pricing() != PricingModel::Usage;
    html! {
        form.fields method="post" action="/box/store" {
            @if contract {
                fieldset {
                    legend { "Plan" }
                    @for plan in catalog.plans() {
                        label.choice {
                            input type="radio" name="plan" value=(plan.id) checked[plan.id.as_str() == "STANDARD"];
                            span {
                                b { (plan.title) }
                                span.quiet.small {
                                    @match plan.monthly_price {
                                        Some(price) => { (format::money(price, catalog.currency())) " a month, " }
                                        None => "price by agreement, ",
                                    }
                                    (plan.features.len()) " features"
                                }
                            }
                        }
                    }
                }
            } @else { p { "Pay as you go: nothing up front, every unit is billed." } }
            div.inline {
                div.field {
                    label for="account" { "Buyer's AWS account" }
                    input id="account" name="account" value=(BUYERS[0].0) inputmode="numeric" pattern="[0-9]{12}" maxlength="12" list="buyers" required;
                    datalist id="buyers" { @for (account, name) in BUYERS { option value=(account) { (name) } } }
                }
                @if contract {
                    div.field {
                        label for="term" { "Term" }
                        select id="term" name="term" {
                            option value="30" { "1 month" } option value="365" selected { "12 months" }
                        }
                    }
                }
                div.field {
                    label for="trial" { "Free trial" }
                    select id="trial" name="trial" {
                        option value="0" selected { "No" } option value="14" { "14 days" }
                    }
                }
            }
            @if contract {
                label.row { input type="checkbox" name="auto_renew" value="true" checked; "Renew at the end of the term" }
            }
            button type="submit" data-busy="Subscribing…" { "Subscribe" }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Order {
    account: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    term: i64,
    #[serde(default)]
    trial: u32,
    #[serde(default)]
    auto_renew: bool,
}

pub(super) async fn buy(State(system): State<Handle>, Form(order): Form<Order>) -> Response {
    match purchase(&system, &order) {
        Ok(_) => match system.deliver().await {
            Ok(()) => back("/box/store", "bought"),
            Err(error) => refused(&system, "/box/store", &NotDone::from(error).0),
        },
        Err(NotDone(why)) => refused(&system, "/box/store", &why),
    }
}

fn purchase(system: &Handle, order: &Order) -> Result<simulator::Bought, NotDone> {
    let contract = system.pricing() != PricingModel::Usage;
    let free_trial = (order.trial > 0).then_some(order.trial.min(90));
    let ends = (contract && free_trial.is_none()).then(|| term(system.now(), order.term));
    let purchase = Purchase {
        account: order.account.trim().to_owned(),
        entitlements: entitlements(system, &order.plan),
        free_trial,
        ends,
        auto_renew: contract && free_trial.is_none() && order.auto_renew,
        ..Purchase::default()
    };
    Ok(system.simulator().buy(purchase)?)
}

fn term(now: Timestamp, days: i64) -> Timestamp {
    later(now, SignedDuration::from_hours(days.clamp(1, 1095).saturating_mul(24)))
}

/// Buys a plan for a year, as the tour does.
pub(super) fn buy_plan(
    system: &Handle,
    account: &str,
    plan: &str,
) -> Result<simulator::Bought, NotDone> {
    let order = Order {
        account: account.to_owned(),
        plan: plan.to_owned(),
        term: 365,
        trial: 0,
        auto_renew: true,
    };
    purchase(system, &order)
}
