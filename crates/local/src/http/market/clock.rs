//! The clock's buttons.

use axum::extract::{Form, State};
use axum::response::Response;
use jiff::SignedDuration;
use serde::Deserialize;

use super::acts::{self, NotDone, back};
use super::frame::refused;
use crate::system::Handle;

#[derive(Deserialize)]
pub(super) struct Advance {
    by: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn advance(State(system): State<Handle>, Form(form): Form<Advance>) -> Response {
    let by = match form.by.as_str() {
        "2m" => SignedDuration::from_mins(2),
        "1d" => SignedDuration::from_hours(24),
        "month" => acts::to_month_end(system.now()),
        _ => SignedDuration::from_hours(1),
    };
    match acts::advance(&system, by).await {
        Ok(()) => back(&form.back, "time"),
        Err(NotDone(why)) => refused(&system, "/", &why),
    }
}

#[derive(Deserialize)]
pub(super) struct Schedule {
    stop: bool,
}

/// Stops the hourly schedule, or lets it run on.
pub(super) async fn schedule(State(system): State<Handle>, Form(form): Form<Schedule>) -> Response {
    match system.pause_schedule(form.stop) {
        Ok(()) => back("/box/faults", if form.stop { "stopped" } else { "runs" }),
        Err(error) => refused(&system, "/box/faults", &NotDone::from(error).0),
    }
}
