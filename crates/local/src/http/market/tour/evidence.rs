//! What a step brought about, read from the system itself.

use app::{Context, billing};
use domain::time::Month;
use maud::{Markup, html};
use pages::component::status;
use pages::format;
use simulator::Agreement;

use super::super::acts::{NotDone, subscription, tail};
use super::super::{money, visit, wire};
use super::Step;
use crate::system::Handle;

/// The evidence of the steps before this one.
pub(super) async fn of(
    system: &Handle,
    step: Step,
    agreement: &Agreement,
) -> Result<Markup, NotDone> {
    Ok(match step {
        Step::Buy => html! {},
        Step::SetUp => html! {
            dl.facts {
                dt { "Agreement" } dd { code { (agreement.id) } }
                dt { "License" } dd { code { (tail(&agreement.license_arn)) } }
                dt { "Buyer" } dd { "AWS account " (agreement.account) }
            }
        },
        Step::Activate => {
            html! { (standing(system, agreement).await?) (calls(system, "ResolveCustomer", 1)) }
        }
        Step::Use => html! {
            (standing(system, agreement).await?)
            @for notice in system.tenant_notices()?.iter().rev().take(1) {
                p { "The platform was told: " b { (notice.kind.as_str()) } "." }
            }
            (calls(system, "GetEntitlements", 1))
        },
        Step::Meter => {
            html! { (books(system, agreement).await?) (charges(system, agreement).await?) }
        }
        Step::End => {
            html! { (books(system, agreement).await?) (charges(system, agreement).await?) (glossary()) }
        }
        Step::Lose => {
            html! { (books(system, agreement).await?) (calls(system, "BatchMeterUsage", 1)) }
        }
        Step::Look => {
            html! { (books(system, agreement).await?) (calls(system, "BatchMeterUsage", 2)) (doors(system, agreement).await?) }
        }
        Step::Cancel => standing(system, agreement).await?,
    })
}

async fn standing(system: &Handle, agreement: &Agreement) -> Result<Markup, NotDone> {
    let known = subscription(system, agreement).await?;
    Ok(html! {
        @if let Some(state) = known {
            dl.facts {
                dt { "Subscription" } dd { (status(state.status(system.now()))) " " code { (state.id) } }
                dt { "Registered" } dd { @if state.registered.is_some() { "yes" } @else { "not yet" } }
                dt { "Workspace" } dd { (state.tenant) }
                dt { "Plan" } dd { (state.plan(&system.listing().catalog).map_or("none", |plan| plan.title.as_str())) }
            }
        } @else { p { "The seller has not heard of it yet." } }
    })
}

async fn books(system: &Handle, agreement: &Agreement) -> Result<Markup, NotDone> {
    let rows = system.reconciliation().await?;
    let license = tail(&agreement.license_arn);
    let ours: Vec<_> =
        rows.into_iter().filter(|row| row.license == license && !row.used.is_zero()).collect();
    Ok(html! { div.snug { (money::compared(system, &ours, false)) } })
}

/// The same in money, as the buyer's account page estimates it.
async fn charges(system: &Handle, agreement: &Agreement) -> Result<Markup, NotDone> {
    let Some(state) = subscription(system, agreement).await? else { return Ok(html! {}) };
    let now = system.now();
    let context =
        Context { listing: system.listing().clone(), store: system.store().clone(), aws: () };
    let bill = billing::bill(&context, &state.id, Month::of(now), now).await?;
    let Some(bill) = bill else { return Ok(html! {}) };
    Ok(html! {
        @for line in bill.lines.iter().filter(|line| !line.amount.is_zero()) {
            p {
                (format::quantity(line.due)) " " (line.dimension) " × " (format::money(line.unit_price, &bill.currency))
                " = " b { (format::money(line.amount, &bill.currency)) }
                @if let Some(base) = bill.base_price { ", beside " (format::money(base, &bill.currency)) " for the plan" }
                "."
            }
        }
    })
}

fn glossary() -> Markup {
    html! {
        h3 { "The words you have met" }
        dl.facts { @for (word, meaning) in Step::GLOSSARY { dt { (word) } dd { (meaning) } } }
    }
}

fn calls(system: &Handle, operation: &str, count: usize) -> Markup {
    let all = system.simulator().calls();
    let ours = all.iter().rev().filter(|call| call.operation == operation).take(count);
    html! { @for call in ours { (wire::one(call)) } }
}

async fn doors(system: &Handle, agreement: &Agreement) -> Result<Markup, NotDone> {
    let known = subscription(system, agreement).await?;
    Ok(html! {
        div.row {
            @if let Some(state) = known { (visit::account(&state.id)) }
            (visit::desk())
        }
    })
}
