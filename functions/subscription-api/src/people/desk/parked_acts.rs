//! What an operator may do about a parked item: have it sent once more, or close it. Each is asked once more, done only
//! from a page of the same session, and audited.

use std::sync::Arc;

use app::parked::{Closed, Retried, close as settle_otherwise, retry as send_again};
use app::ports::Store;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::metering::{Closing, MeteringRecord, RecordKey, RetryRefusal};
use http::{HeaderMap, StatusCode};
use lambda_shell::extract::Form;
use lambda_shell::problem::Problem;
use maud::{Markup, html};
use pages::component::{Tone, note};
use pages::{Width, format};
use serde::Deserialize;

use super::super::trouble::Trouble;
use super::super::visitor::Visitor;
use super::super::{see_other, shown};
use super::list::detail_of;
use super::parked::{PATH, why};
use crate::caller::Right;
use crate::wire::{ItemId, LONGEST_NOTE, noted};
use crate::{Aws, Deps};

/// Asks whether an item is to be sent again.
pub(crate) async fn ask_retry<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(item): Path<String>,
    headers: HeaderMap,
) -> Response {
    let done = try_ask_retry(&deps, &item, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_ask_retry<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    item: &str,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::Settle, deps.clock.now())?;
    let record = still_parked(deps, item).await?;
    let content = html! {
        section.card {
            p { "It goes to AWS once more, now. Whatever AWS answered before, it is billed once." }
            (facts(&record))
            form.row method="post" {
                input type="hidden" name="form_key" value=(visitor.form_key);
                button type="submit" data-busy="Sending…" { "Send again" }
                a.button.plain href=(PATH) { "Back" }
            }
        }
    };
    Ok(shown(&super::page(&deps.brand, "Send it again?", Width::Narrow, html! {}, content)))
}

/// Asks how an item was settled, and why it is closed.
pub(crate) async fn ask_close<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(item): Path<String>,
    headers: HeaderMap,
) -> Response {
    let done = try_ask_close(&deps, &item, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_ask_close<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    item: &str,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::Settle, deps.clock.now())?;
    let record = still_parked(deps, item).await?;
    let empty = CloseForm { form_key: visitor.form_key, ..CloseForm::default() };
    Ok(shown(&super::page(
        &deps.brand,
        CLOSE_TITLE,
        Width::Narrow,
        html! {},
        close_form(&record, &empty, None),
    )))
}

const CLOSE_TITLE: &str = "Close it?";

fn close_form(record: &MeteringRecord, form: &CloseForm, problem: Option<&str>) -> Markup {
    let choices = [
        (Closing::BilledOtherwise, "Billed outside of AWS Marketplace"),
        (Closing::WrittenOff, "Written off: nobody pays for it"),
    ];
    html! {
        @if problem.is_some() { (note(Tone::Bad, &html! { p { "Nothing was closed yet." } })) }
        section.card {
            p { "It is never sent to AWS any more, and leaves this list. Its units stay in the books, with what you say here." }
            (facts(record))
            form.fields method="post" {
                input type="hidden" name="form_key" value=(form.form_key);
                div.field {
                    label for="how" { "How it was settled" }
                    select id="how" name="how" {
                        @for (how, words) in choices {
                            option value=(how.as_str()) selected[form.how == how.as_str()] { (words) }
                        }
                    }
                }
                div.field {
                    label for="note" { "Why, for whoever reads the audit trail" }
                    input id="note" name="note" type="text" value=(form.note) required maxlength=(LONGEST_NOTE) placeholder="Invoice 2026-117"
                        aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "note-problem")];
                    @if let Some(problem) = problem { p.wrong id="note-problem" { (problem) } }
                }
                div.row {
                    button.danger type="submit" data-busy="Closing…" { "Close it" }
                    a.button.plain href=(PATH) { "Back" }
                }
            }
        }
    }
}

fn facts(record: &MeteringRecord) -> Markup {
    html! {
        dl.facts {
            dt { "Subscription" } dd { code { (record.key.subscription) } }
            dt { "What" } dd { (format::count(record.quantity)) " × " (record.key.dimension) ", " (format::month(record.key.month)) }
            dt { "Why it is parked" } dd { (why(&record.status)) }
        }
    }
}

/// The item that is asked about. One that was taken up meanwhile is not asked about again.
async fn still_parked<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    item: &str,
) -> Result<MeteringRecord, Trouble> {
    let record = deps.context.store.record(&key(item)?).await?.ok_or(Trouble::NotFound)?;
    if record.status.is_parked() { Ok(record) } else { Err(Trouble::Refused(NOT_PARKED)) }
}

fn key(item: &str) -> Result<RecordKey, Trouble> {
    ItemId::read(item).map(|ItemId(key)| key).ok_or(Trouble::NotFound)
}

/// A confirmed retry.
#[derive(Debug, Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    form_key: String,
}

/// Has an item sent once more.
pub(crate) async fn retry<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(item): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Confirmed>, Problem>,
) -> Response {
    let done = try_retry(&deps, &item, &headers, form).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_retry<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    item: &str,
    headers: &HeaderMap,
    form: Result<Form<Confirmed>, Problem>,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::Settle, now)?;
    let Form(form) = form.map_err(|_| Trouble::ForeignForm)?;
    visitor.sent(&form.form_key)?;
    let key = key(item)?;
    match send_again(&deps.context, &key, visitor.caller.actor(), now).await? {
        Retried::Done(_) => {
            Ok(see_other(&format!("{}?done=retry", detail_of(&key.meter.subscription))))
        }
        Retried::NotFound => Err(Trouble::NotFound),
        Retried::Refused(refusal) => Err(Trouble::Refused(refused(refusal))),
    }
}

/// How an item was settled.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CloseForm {
    form_key: String,
    how: String,
    note: String,
}

/// Closes an item that was settled outside of metering.
pub(crate) async fn close<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path(item): Path<String>,
    headers: HeaderMap,
    form: Result<Form<CloseForm>, Problem>,
) -> Response {
    let done = try_close(&deps, &item, &headers, form).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_close<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    item: &str,
    headers: &HeaderMap,
    form: Result<Form<CloseForm>, Problem>,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    let visitor = Visitor::at_desk(&deps.secrets, headers, Right::Settle, now)?;
    let Form(form) = form.map_err(|_| Trouble::ForeignForm)?;
    visitor.sent(&form.form_key)?;
    let how = [Closing::WrittenOff, Closing::BilledOtherwise]
        .into_iter()
        .find(|how| how.as_str() == form.how)
        .ok_or(Trouble::ForeignForm)?;
    let Some(why) = noted(&form.note) else {
        let record = still_parked(deps, item).await?;
        let content = close_form(&record, &form, Some("Say why, in one line of plain text."));
        let page = super::page(&deps.brand, CLOSE_TITLE, Width::Narrow, html! {}, content);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, shown(&page)).into_response());
    };
    let (key, actor) = (key(item)?, visitor.caller.actor());
    match settle_otherwise(&deps.context, &key, how, why, actor, now).await? {
        Closed::Done => Ok(see_other(&format!("{PATH}?done=close"))),
        Closed::NotFound => Err(Trouble::NotFound),
        Closed::NotParked => Err(Trouble::Refused(NOT_PARKED)),
    }
}

const NOT_PARKED: &str = "It is not parked any more: it was sent or closed meanwhile.";

fn refused(refusal: RetryRefusal) -> &'static str {
    match refusal {
        RetryRefusal::NotParked => NOT_PARKED,
        RetryRefusal::RecordUnderWay => {
            "Another record of the same meter is under way. Try again when that is answered."
        }
        RetryRefusal::HeldDifferently => {
            "AWS bills another quantity under the same hour, and never amends it."
        }
        RetryRefusal::WindowClosed => "AWS takes no record for this usage any more.",
        RetryRefusal::LicenseOver => "AWS takes no record for this license any more: it is over.",
    }
}
