//! The JSON of this API: camelCase, decimals as strings, instants in RFC 3339, hours like `2026-11-24T07Z`, months
//! like `2026-11`. Requests refuse fields that they do not know, so that a misspelt one is not silently left out.

mod audit;
mod billing;
mod checks;
mod contact;
mod entitlements;
mod parked;
mod report;
mod subscription;
mod usage;

pub(crate) use audit::AuditEntryBody;
pub(crate) use billing::{BillBody, RecordBody};
pub(crate) use checks::{ConservationBody, NoticesBody};
pub(crate) use contact::ContactBody;
pub(crate) use entitlements::{
    CheckAnswer, CheckBody, ConsumeAnswer, EntitlementsBody, KeepAnswer, ReleaseAnswer,
    ReservationBody,
};
pub(crate) use parked::{CloseBody, ItemId, LONGEST_NOTE, ParkedAnswer, ParkedBody, noted};
pub(crate) use report::{ConsumeBody, ReportBody, ReportShape, Results, ResultsShape};
pub(crate) use subscription::{CreateBody, SubscriptionBody, TenantBody, UpdateBody};
pub(crate) use usage::{UsageBody, UsageEventBody};

use lambda_shell::problem::Problem;

/// A body whose parts are each well-formed but do not go together.
fn invalid_body(field: impl Into<String>, detail: &str) -> Problem {
    Problem::unprocessable("invalid_body", "A part of the body is not what it must be.")
        .field(field, detail)
}

/// The one name of a dimension: either its own or the platform metric's.
fn dimension_name(
    dimension: Option<String>,
    metric: Option<String>,
    prefix: &str,
) -> Result<Option<String>, Problem> {
    match (dimension, metric) {
        (Some(_), Some(_)) => Err(invalid_body(
            format!("{prefix}metric"),
            "name either dimension or metric, not both",
        )),
        (name, None) | (None, name) => Ok(name),
    }
}
