//! From the box to the product's own pages: as the platform would, with a link that works once.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use http::StatusCode;
use http::header::LOCATION;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::acts::{NotDone, page_link};
use super::frame::refused;
use crate::system::Handle;

#[derive(Deserialize)]
pub(super) struct Visit {
    page: String,
    #[serde(default)]
    subscription: String,
}

pub(super) async fn open(State(system): State<Handle>, Form(form): Form<Visit>) -> Response {
    match link(&system, &form).await {
        Ok(url) => (StatusCode::SEE_OTHER, [(LOCATION, url)]).into_response(),
        Err(NotDone(why)) => refused(&system, "/box/store", &why),
    }
}

async fn link(system: &Handle, form: &Visit) -> Result<String, NotDone> {
    use app::ports::Subscriptions;
    if form.page == "desk" {
        return page_link(system, "operator", &json!({ "page": "desk" })).await;
    }
    let id: SubscriptionId =
        form.subscription.parse().map_err(|_| NotDone("There is no such subscription.".into()))?;
    let state = system.store().subscription(&id).await?;
    // The buyer's own workspace asks; before there is one, the seller looks.
    let role = state.as_ref().and_then(|state| state.tenant.id()).map(|id| format!("tenant:{id}"));
    let wanted = json!({ "page": "account", "subscriptionId": id });
    page_link(system, role.as_deref().unwrap_or("operator"), &wanted).await
}

/// A button that opens the operator's desk.
pub(super) fn desk() -> Markup {
    html! {
        form method="post" action="/box/visit" target="_blank" {
            input type="hidden" name="page" value="desk";
            button.plain type="submit" { "Open the desk" span.hidden { " (new tab)" } }
        }
    }
}

/// A button that opens a buyer's account page.
pub(super) fn account(id: &SubscriptionId) -> Markup {
    html! {
        form method="post" action="/box/visit" target="_blank" {
            input type="hidden" name="page" value="account";
            input type="hidden" name="subscription" value=(id);
            button.plain.compact type="submit" { "Account page" span.hidden { " of " (id) " (new tab)" } }
        }
    }
}
