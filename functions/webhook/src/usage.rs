//! The platform's own report: `usage.reported`.

use app::ports::Store;
use app::usage::{LARGEST_BATCH, Report, Reported, report};
use axum::response::{IntoResponse, Response};
use domain::ids::SubscriptionId;
use http::StatusCode;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use lambda_shell::problem::Problem;
use lambda_shell::usage::{UsageAnswer, UsageItem, UsageResult, count};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Deps;

/// Usage of one subscription.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageReported {
    subscription_id: SubscriptionId,
    events: Vec<UsageItem>,
}

lambda_shell::words! {
    UsageOutcomeWord ["answered"]
}

/// What became of reports of usage, in the order given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UsageTaken")]
pub(crate) struct Answered {
    #[schemars(with = "UsageOutcomeWord")]
    outcome: &'static str,
    events: Vec<UsageAnswer>,
}

impl UsageReported {
    /// Checks how many reports there are.
    ///
    /// # Errors
    /// 400 for none or too many.
    pub(crate) fn checked(self) -> Result<Self, Problem> {
        if (1..=LARGEST_BATCH).contains(&self.events.len()) {
            return Ok(self);
        }
        let detail = format!("One message carries 1 to {LARGEST_BATCH} events.");
        Err(Problem::bad_request("invalid_batch", detail))
    }
}

/// Counts the reports. 200 when each has its final answer, 503 when some must be sent again.
pub(crate) async fn take<S: Store, A: Sync>(
    deps: &Deps<S, A>,
    reported: UsageReported,
    now: Timestamp,
) -> Result<Response, Problem> {
    let UsageReported { subscription_id, events } = reported;
    let keys: Vec<String> = events.iter().map(|event| event.key.clone()).collect();
    let reports: Vec<Report> = events.into_iter().map(Report::from).collect();
    let answers = match report(&deps.context, &subscription_id, &reports, now).await? {
        Reported::Answers(answers) => answers,
        Reported::NoSuchSubscription => {
            return Err(Problem::not_found("There is no such subscription."));
        }
    };
    let events: Vec<_> =
        keys.into_iter().zip(answers).map(|(key, answer)| UsageAnswer::new(key, answer)).collect();
    count(&deps.metrics, now, &events);
    let again = events.iter().any(|event| event.result == UsageResult::Failed);
    let answered = axum::Json(Answered { outcome: "answered", events });
    Ok(if again {
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], answered).into_response()
    } else {
        answered.into_response()
    })
}
