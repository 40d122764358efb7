//! Parked items: what AWS does not bill and what a human does about it.

use app::parked::ParkedItem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{Dimension, SubscriptionId};
use domain::metering::{Closing, ParkReason, RecordKey, RecordStatus};
use domain::time::{Hour, Month};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::billing::ParkedBecause;
use super::invalid_body;

/// Longest note, in characters.
pub(crate) const LONGEST_NOTE: usize = 500;

/// Names a parked item in a path; opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemId(pub(crate) RecordKey);

impl ItemId {
    /// Reads what [`ItemId::write`] wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&bytes).ok().map(Self)
    }

    /// `None` never happens: a key is always JSON.
    pub(crate) fn write(&self) -> Option<String> {
        serde_json::to_vec(&self.0).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }
}

lambda_shell::words! {
    ClosedAs ["written-off", "billed-otherwise"]
    ParkedNow ["retrying-same-record", "retrying-fresh-hour", "closed"]
}

/// One item of `GET /marketplace/parked`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ParkedItem")]
pub(crate) struct ParkedBody {
    /// Names it in the routes that retry and close it.
    id: Option<String>,
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    #[schemars(with = "shapes::Dimension")]
    dimension: Dimension,
    #[schemars(with = "shapes::Month")]
    month: Month,
    /// The hour it was sent under; absent for units that were never sent.
    #[schemars(with = "Option<shapes::Hour>")]
    hour: Option<Hour>,
    /// Whole units.
    quantity: u64,
    /// `expired`, `closed`, `rejected`, `mismatched` or `not-subscribed`.
    #[schemars(with = "ParkedBecause")]
    reason: &'static str,
    /// AWS's error code, where it gave one.
    code: Option<String>,
    #[schemars(with = "shapes::Instant")]
    parked_at: Timestamp,
    /// Until when AWS may still take it; absent when it never will.
    #[schemars(with = "Option<shapes::Instant>")]
    sendable_until: Option<Timestamp>,
    /// At the catalog's prices.
    #[schemars(with = "shapes::Decimal")]
    estimated_amount: String,
    currency: String,
}

impl ParkedBody {
    pub(crate) fn of(item: ParkedItem, currency: &str) -> Self {
        let id = ItemId(item.record.name()).write();
        let (reason, code) = match item.record.status {
            RecordStatus::Parked { reason, code } => (reason, code),
            RecordStatus::Retried { reason, .. } | RecordStatus::Closed { reason, .. } => {
                (reason, None)
            }
            // The list holds parked lines only; an index that lags may still show one that was sent since.
            RecordStatus::Accepted { .. } => (ParkReason::Expired, None),
        };
        Self {
            id,
            subscription_id: item.record.key.subscription,
            dimension: item.record.key.dimension,
            month: item.record.key.month,
            hour: item.record.hour,
            quantity: item.record.quantity,
            reason: reason.as_str(),
            code,
            parked_at: item.record.booked_at,
            sendable_until: item.sendable_until,
            estimated_amount: item.estimated_amount.to_string(),
            currency: currency.to_owned(),
        }
    }
}

/// `POST /marketplace/parked/{id}/close`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Close")]
pub(crate) struct CloseBody {
    /// `written-off` or `billed-otherwise`.
    #[serde(rename = "as")]
    #[schemars(with = "ClosedAs")]
    how: Closing,
    /// Why, for whoever reads the audit trail.
    #[schemars(length(min = 1, max = 500))]
    note: String,
}

impl CloseBody {
    /// The two, checked.
    pub(crate) fn read(self) -> Result<(Closing, String), Problem> {
        match noted(&self.note) {
            Some(note) => Ok((self.how, note.to_owned())),
            None => Err(invalid_body("note", "a note is 1 to 500 characters in one line")),
        }
    }
}

/// A note that the audit trail can keep.
pub(crate) fn noted(text: &str) -> Option<&str> {
    let note = text.trim();
    let fits = (1..=LONGEST_NOTE).contains(&note.chars().count());
    (fits && !note.chars().any(char::is_control)).then_some(note)
}

/// What became of a parked item.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ParkedOutcome")]
pub(crate) struct ParkedAnswer {
    pub(crate) id: String,
    #[schemars(with = "shapes::SubscriptionId")]
    pub(crate) subscription_id: SubscriptionId,
    /// `retrying-same-record`, `retrying-fresh-hour` or `closed`.
    #[schemars(with = "ParkedNow")]
    pub(crate) status: &'static str,
}
