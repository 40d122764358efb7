//! The problems of this API, each with its code.

use app::subscriptions::{Cancellation, Updated};
use domain::entitlement::Decision;
use domain::metering::RetryRefusal;
use domain::subscription::Subscription;
use http::StatusCode;
use lambda_shell::problem::Problem;

/// The same for an id that names nothing, an id that is none, and another tenant's subscription.
pub(crate) fn unknown_subscription() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_subscription", "There is no such subscription.")
}

pub(crate) fn unknown_plan() -> Problem {
    Problem::unprocessable("unknown_plan", "The catalog has no such plan.")
}

pub(crate) fn key_conflict() -> Problem {
    Problem::conflict("key_conflict", "The key belongs to another report of usage.")
}

pub(crate) fn unknown_item() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_item", "There is no such parked item.")
}

pub(crate) fn retry_refused(refusal: RetryRefusal) -> Problem {
    let advice = match refusal {
        RetryRefusal::NotParked => "Somebody retried or closed it.",
        RetryRefusal::RecordUnderWay => "Try again when it is settled.",
        RetryRefusal::HeldDifferently | RetryRefusal::WindowClosed | RetryRefusal::LicenseOver => {
            "Settle it with the buyer and close it."
        }
    };
    Problem::conflict(refusal.code(), format!("Not retried: {refusal}. {advice}"))
}

fn ended() -> Problem {
    Problem::conflict("subscription_ended", "The subscription is ending or has ended.")
}

fn overtaken(revision: u64) -> Problem {
    let detail = format!("The subscription has changed: its ETag is now \"{revision}\".");
    Problem::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail)
}

/// The subscription after a change, or why it was not changed.
pub(crate) fn updated(outcome: Updated) -> Result<Box<Subscription>, Problem> {
    match outcome {
        Updated::Done(subscription) => Ok(subscription),
        Updated::NotFound => Err(unknown_subscription()),
        Updated::Overtaken { revision } => Err(overtaken(revision)),
        Updated::UnknownPlan => Err(unknown_plan()),
        Updated::PlanFromEntitlement => Err(Problem::conflict(
            "plan_from_entitlement",
            "The buyer's entitlement names the plan. Amend the agreement in AWS Marketplace instead.",
        )),
        Updated::Ended => Err(ended()),
    }
}

/// The subscription whose cancellation was asked for, or why not.
pub(crate) fn cancellation(outcome: Cancellation) -> Result<Box<Subscription>, Problem> {
    match outcome {
        Cancellation::Asked(subscription) => Ok(subscription),
        Cancellation::NotFound => Err(unknown_subscription()),
        Cancellation::Overtaken { revision } => Err(overtaken(revision)),
        Cancellation::NoAgreement => Err(Problem::conflict(
            "no_agreement",
            "AWS has told no agreement that could be cancelled. The buyer cancels in AWS Marketplace.",
        )),
        Cancellation::Ended => Err(ended()),
    }
}

/// A decision as code and sentence; `None` for a yes.
pub(crate) fn denial(decision: Decision) -> Option<(&'static str, String)> {
    match decision {
        Decision::Allowed => None,
        Decision::NoAccess(access) => {
            Some(("no_access", format!("The subscription gives no access: {}.", access.as_str())))
        }
        Decision::FeatureNotInPlan => {
            Some(("feature_not_in_plan", "The plan has no such feature.".to_owned()))
        }
        Decision::QuotaExceeded => {
            Some(("quota_exceeded", "The quota does not hold so much more.".to_owned()))
        }
    }
}
