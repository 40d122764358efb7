//! What an operator may do: each act is asked once more, and done only from a page of the same session.

use std::sync::Arc;

use app::ports::Store;
use app::subscriptions::{Update, Updated, request_settlement, update};
use axum::extract::{Path, State};
use axum::response::Response;
use domain::ids::SubscriptionId;
use http::HeaderMap;
use lambda_shell::extract::Form;
use lambda_shell::problem::Problem;
use maud::html;
use pages::Width;
use serde::Deserialize;

use super::super::ticket::enter_account;
use super::super::trouble::Trouble;
use super::super::visitor::Visitor;
use super::super::{see_other, shown};
use super::list::{buyer, detail_of};
use crate::caller::Right;
use crate::{Aws, Deps};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Hold,
    Release,
    Settle,
    /// Opens the buyer's account page; changes nothing.
    Account,
}

impl Act {
    fn named(name: &str) -> Result<Self, Trouble> {
        match name {
            "hold" => Ok(Self::Hold),
            "release" => Ok(Self::Release),
            "settle" => Ok(Self::Settle),
            "account" => Ok(Self::Account),
            _ => Err(Trouble::NotFound),
        }
    }

    fn right(self) -> Right {
        match self {
            Self::Hold | Self::Release => Right::Hold,
            Self::Settle => Right::Settle,
            Self::Account => Right::ReadAll,
        }
    }

    /// Title, what it means, and the button.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Hold => (
                "Withhold access?",
                "The buyer can use nothing until access is given back. AWS goes on billing the subscription. The platform is told to suspend the workspace.",
                "Withhold access",
            ),
            Self::Release => (
                "Give access back?",
                "The buyer can use everything again that the plan includes. The platform is told to resume the workspace.",
                "Give access back",
            ),
            Self::Settle => (
                "Settle now?",
                "What is due is sent to AWS at once instead of at the next run. Nothing is billed twice.",
                "Settle now",
            ),
            Self::Account => {
                ("See the buyer's account page?", "You see what the buyer sees.", "Open it")
            }
        }
    }
}

/// Asks whether an act is meant.
pub(crate) async fn ask<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path((id, act)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let done = try_ask(&deps, &id, &act, &headers).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_ask<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    id: &str,
    act: &str,
    headers: &HeaderMap,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    Visitor::at_desk(&deps.secrets, headers, Right::ReadAll, now)?;
    let act = Act::named(act)?;
    let visitor = Visitor::at_desk(&deps.secrets, headers, act.right(), now)?;
    let id: SubscriptionId = id.parse().map_err(|_| Trouble::NotFound)?;
    let state = deps.context.store.subscription(&id).await?.ok_or(Trouble::NotFound)?;
    let (title, meaning, button) = act.words();
    let content = html! {
        section.card {
            p { (meaning) }
            dl.facts { dt { "Subscription" } dd { code { (id) } } dt { "Buyer" } dd { (buyer(&state)) } }
            form.row method="post" {
                input type="hidden" name="form_key" value=(visitor.form_key);
                input type="hidden" name="revision" value=(state.revision);
                button.danger[act == Act::Hold] type="submit" data-busy="Doing it…" { (button) }
                a.button.plain href=(detail_of(&id)) { "Back" }
            }
        }
    };
    Ok(shown(&super::page(&deps.brand, title, Width::Narrow, html! {}, content)))
}

/// A confirmed act.
#[derive(Debug, Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    form_key: String,
    revision: Option<u64>,
}

/// Does what was confirmed.
pub(crate) async fn act<S: Store, A: Aws>(
    State(deps): State<Arc<Deps<S, A>>>,
    Path((id, act)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Form<Confirmed>, Problem>,
) -> Response {
    let done = try_act(&deps, &id, &act, &headers, form).await;
    done.unwrap_or_else(|trouble| trouble.page(&deps.brand))
}

async fn try_act<S: Store, A: Aws>(
    deps: &Deps<S, A>,
    id: &str,
    name: &str,
    headers: &HeaderMap,
    form: Result<Form<Confirmed>, Problem>,
) -> Result<Response, Trouble> {
    let now = deps.clock.now();
    Visitor::at_desk(&deps.secrets, headers, Right::ReadAll, now)?;
    let act = Act::named(name)?;
    let visitor = Visitor::at_desk(&deps.secrets, headers, act.right(), now)?;
    let Form(form) = form.map_err(|_| Trouble::ForeignForm)?;
    visitor.sent(&form.form_key)?;
    let id: SubscriptionId = id.parse().map_err(|_| Trouble::NotFound)?;
    match act {
        Act::Account => return enter_account(deps, &visitor.caller, &id, now).await,
        Act::Settle => {
            let actor = visitor.caller.actor();
            if !request_settlement(&deps.context, &id, actor, now).await? {
                return Err(Trouble::NotFound);
            }
        }
        Act::Hold | Act::Release => {
            let suspended = Some(act == Act::Hold);
            let change = Update { plan: None, suspended };
            let actor = visitor.caller.actor();
            match update(&deps.context, &id, change, form.revision, actor, now).await? {
                Updated::Done(_) => {}
                Updated::NotFound => return Err(Trouble::NotFound),
                Updated::Overtaken { .. } => return Err(Trouble::Overtaken),
                Updated::Ended => return Err(Trouble::Ended),
                Updated::UnknownPlan | Updated::PlanFromEntitlement => {
                    return Err(Trouble::Refused("The plan cannot be changed here."));
                }
            }
        }
    }
    Ok(see_other(&format!("{}?done={name}", detail_of(&id))))
}
