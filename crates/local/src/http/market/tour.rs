//! The guided tour: one subscription's life, a button a step, and what each step brought about.

mod evidence;
mod words;

use axum::extract::{Form, Query, State};
use axum::response::Response;
use domain::catalog::PricingModel;
use domain::quantity::Quantity;
use jiff::SignedDuration;
use maud::{Markup, html};
use pages::component::{Tone, card, note};
use serde::Deserialize;
use simulator::{Agreement, Fault};

use super::acts::{self, NotDone, back, subscription};
use super::frame::{Sheet, refused};
use super::note::Noted;
use super::store;
use super::usage::events;
use crate::system::Handle;

pub(super) use words::Step;

/// The note that says how far the tour is, and with which agreement.
const WHERE: &str = "tour";
/// The buyer of the tour.
const BUYER: &str = "111122223333";

/// How far the tour is.
struct Tour {
    step: Step,
    agreement: Option<Agreement>,
}

impl Tour {
    fn of(system: &Handle) -> Result<Self, NotDone> {
        let kept = system.bus().note(WHERE)?.unwrap_or_default();
        let (step, id) = kept.split_once(' ').unwrap_or(("buy", ""));
        let all = system.simulator().agreements();
        let agreement = all.into_iter().find(|agreement| agreement.id == id);
        let step = if agreement.is_some() { Step::named(step) } else { Step::Buy };
        Ok(Self { step, agreement })
    }

    fn keep(system: &Handle, step: Step, agreement: &str) -> Result<(), NotDone> {
        Ok(system.bus().set_note(WHERE, &format!("{} {agreement}", step.name()))?)
    }
}

pub(super) async fn show(State(system): State<Handle>, Query(noted): Query<Noted>) -> Response {
    match content(&system).await {
        Ok((title, content)) => Sheet {
            system: &system,
            path: "/box/tour",
            title,
            lead: html! { "One subscription, from the first click to the last cent." },
            note: noted.note(),
            content,
        }
        .page(),
        Err(NotDone(why)) => refused(&system, "/", &why),
    }
}

async fn content(system: &Handle) -> Result<(&'static str, Markup), NotDone> {
    let tour = Tour::of(system)?;
    let step = tour.step;
    let mut evidence = html! {};
    if let Some(agreement) = &tour.agreement {
        evidence = evidence::of(system, step, agreement).await?;
    }
    let content = html! {
        @if system.pricing() != PricingModel::ContractWithConsumption {
            (note(Tone::Info, &html! {
                p { "The tour's numbers are those of a contract with usage beyond it. This listing charges by " code { (system.pricing()) } ", so what is due differs; the steps are the same." }
            }))
        }
        div.pair {
            div.stack {
                (card("Now", &html! {
                    @for line in step.explains() { p { (line) } }
                    (button(&tour))
                }))
                @if !evidence.0.is_empty() { (card("What the last step brought about", &evidence)) }
            }
            (card("The way", &html! {
                ol.steps {
                    @for other in Step::ALL {
                        li.done[other < step] aria-current=[(other == step).then_some("step")] {
                            span { (other.title()) @if other < step { span.hidden { " (done)" } } }
                        }
                    }
                }
            }))
        }
    };
    Ok((step.title(), content))
}

fn button(tour: &Tour) -> Markup {
    let step = tour.step;
    html! {
        @if let (Step::SetUp, Some(agreement)) = (step, &tour.agreement) {
            p { a.button href={ "/box/agreements/" (agreement.id) "/set-up" } target="_blank" { "Set up your account" span.hidden { " (new tab)" } } }
            p.quiet.small { "It opens in a new tab. Complete the form there, then come back here." }
        }
        form.row method="post" action="/box/tour" {
            input type="hidden" name="step" value=(step.name());
            button.plain[step == Step::SetUp] type="submit" data-busy="Just a moment…" { (step.button()) }
            @if step != Step::Buy && step != Step::End {
                button.plain.compact type="submit" name="again" value="yes" { "Begin again" }
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Taken {
    step: String,
    #[serde(default)]
    again: String,
}

pub(super) async fn act(State(system): State<Handle>, Form(taken): Form<Taken>) -> Response {
    match Box::pin(try_act(&system, &taken)).await {
        Ok(()) => back("/box/tour", "tour"),
        Err(NotDone(why)) => refused(&system, "/box/tour", &why),
    }
}

async fn try_act(system: &Handle, taken: &Taken) -> Result<(), NotDone> {
    let tour = Tour::of(system)?;
    if !taken.again.is_empty() || tour.step == Step::End {
        return Tour::keep(system, Step::Buy, "");
    }
    // A second click, or an old page: the step was taken already.
    if taken.step != tour.step.name() {
        return Ok(());
    }
    let agreement = match (&tour.agreement, tour.step) {
        (_, Step::Buy) => {
            let bought = store::buy_plan(system, BUYER, "STANDARD")?;
            system.deliver().await?;
            return Tour::keep(system, Step::Buy.next(), &bought.agreement_id);
        }
        (Some(agreement), _) => agreement,
        (None, _) => return Tour::keep(system, Step::Buy, ""),
    };
    take(system, tour.step, agreement).await?;
    Tour::keep(system, tour.step.next(), &agreement.id)
}

async fn take(system: &Handle, step: Step, agreement: &Agreement) -> Result<(), NotDone> {
    let hours = SignedDuration::from_hours;
    match step {
        Step::SetUp => {
            let registered = subscription(system, agreement)
                .await?
                .is_some_and(|state| state.registered.is_some());
            if !registered {
                return Err(NotDone(
                    "The buyer has not registered yet. Open the page with Set up your account, fill in an e-mail address, and send the form."
                        .to_owned(),
                ));
            }
        }
        Step::Activate => acts::advance(system, SignedDuration::from_mins(2)).await?,
        Step::Use => report(system, agreement, 620).await?,
        Step::Meter => acts::advance(system, hours(2)).await?,
        Step::Lose => {
            let lost = Fault::next(1).only("BatchMeterUsage");
            system.simulator().faults(|faults| faults.lost_response = lost);
            report(system, agreement, 30).await?;
            acts::advance(system, hours(2)).await?;
        }
        Step::Cancel => {
            report(system, agreement, 7).await?;
            system.simulator().cancel(&agreement.id)?;
            acts::advance(system, hours(2)).await?;
        }
        Step::Buy | Step::Look | Step::End => {}
    }
    Ok(())
}

async fn report(system: &Handle, agreement: &Agreement, scans: u64) -> Result<(), NotDone> {
    let state = subscription(system, agreement).await?;
    let id = state.map(|state| state.id);
    let id = id.ok_or_else(|| NotDone("The seller has not heard of this license yet.".into()))?;
    let events = events(system, "scans", &[Quantity::whole(scans)], 0);
    let taken = acts::report(system, &id, &events).await?;
    match taken.why {
        Some(why) if taken.accepted == 0 => Err(NotDone(format!("Nothing was counted: {why}."))),
        Some(_) | None => Ok(()),
    }
}
