//! What may be used: the overview, the question, the reservation and its release.

use std::sync::Arc;

use app::entitlements::{self as use_case, Checked};
use app::ports::Store;
use app::usage::{self, Consumed, Kept, Refusal, Released};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::time::Month;
use http::StatusCode;
use jiff::Timestamp;
use lambda_shell::contract::Routes;
use lambda_shell::extract::Json;
use lambda_shell::problem::Problem;

use super::{Id, Of};
use crate::caller::{May, ToCheck, ToRead, ToReport};
use crate::refusal::{denial, key_conflict, unknown_subscription};
use crate::wire::{
    CheckAnswer, CheckBody, ConsumeAnswer, ConsumeBody, EntitlementsBody, KeepAnswer,
    ReleaseAnswer, ReservationBody,
};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get("/marketplace/subscriptions/{id}/entitlements", overview::<S, A>, |it| {
            it.named(
                "readEntitlements",
                "entitlements",
                "Tells plan, features, and what may still be used",
            )
            .answers::<EntitlementsBody>(200, "The entitlements");
        })
        .post("/marketplace/subscriptions/{id}/entitlements/check", check::<S, A>, |it| {
            it.named("checkEntitlement", "entitlements", "Asks whether something may be used")
                .explained("An empty question asks for access alone. Nothing is counted.")
                .answers::<CheckAnswer>(200, "Yes or no")
                .refuses(422, &["unknown_feature", "unknown_dimension", "invalid_quantity"]);
        })
        .post("/marketplace/subscriptions/{id}/entitlements/consume", consume::<S, A>, |it| {
            it.named("consumeEntitlement", "entitlements", "Counts usage if the quota holds it")
                .answers::<ConsumeAnswer>(200, "It is counted, now or before")
                .refuses(409, &["no_access", "quota_exceeded", "key_conflict"])
                .refuses(422, &super::usage::REFUSED)
                .refuses(422, &["not_reversible"]);
        })
        .post("/marketplace/subscriptions/{id}/entitlements/keep", keep::<S, A>, |it| {
            it.named("keepEntitlement", "entitlements", "Makes a held reservation count for good")
                .answers::<KeepAnswer>(200, "It counts for good")
                .refuses(404, &["unknown_reservation"])
                .refuses(409, &["reservation_lapsed"]);
        })
        .post("/marketplace/subscriptions/{id}/entitlements/release", release::<S, A>, |it| {
            it.named(
                "releaseEntitlement",
                "entitlements",
                "Gives a reservation back that was not used",
            )
            .answers::<ReleaseAnswer>(200, "It counts nothing any more")
            .refuses(404, &["unknown_reservation"])
            .refuses(409, &["not_reversible"]);
        })
}

/// 200; 404 `unknown_subscription`.
pub(crate) async fn overview<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): Shared<S, A>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let overview = use_case::overview(&deps.context, &id, now)
        .await?
        .filter(|overview| by.caller.sees(&overview.subscription))
        .ok_or_else(unknown_subscription)?;
    let body = EntitlementsBody::of(overview, &deps.context.listing.catalog, now);
    Ok(axum::Json(body).into_response())
}

/// 200 with yes or no; 404 `unknown_subscription`, 422 `unknown_feature`, `unknown_dimension`, `invalid_quantity`.
pub(crate) async fn check<S: Store, A: Aws>(
    _: May<ToCheck>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<CheckBody>,
) -> Result<Response, Problem> {
    let question = body.try_into()?;
    match use_case::check(&deps.context, &id, &question, deps.clock.now()).await? {
        Checked::NoSuchSubscription => Err(unknown_subscription()),
        Checked::Refused(refusal) => Err(refused(&refusal)),
        Checked::Decided { decision, usage } => {
            Ok(axum::Json(CheckAnswer::of(decision, usage)).into_response())
        }
    }
}

/// 200 when it is counted, now or before; 404 `unknown_subscription`, 409 `no_access`, `quota_exceeded`,
/// `key_conflict`, 422 with the code of a refused report.
pub(crate) async fn consume<S: Store, A: Aws>(
    _: May<ToReport>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<ConsumeBody>,
) -> Result<Response, Problem> {
    let (report, hold) = body.read()?;
    let now = deps.clock.now();
    let (status, usage, held_until) = match usage::consume(&deps.context, &id, &report, hold, now)
        .await?
    {
        Consumed::Reserved { usage, held_until } => ("reserved", Some(usage.into()), held_until),
        Consumed::Duplicate => ("duplicate", None, None),
        Consumed::NoSuchSubscription => return Err(unknown_subscription()),
        Consumed::Conflict => return Err(key_conflict()),
        Consumed::Refused(refusal) => return Err(refused(&refusal)),
        Consumed::Denied(decision) => {
            return Err(denial(decision)
                .map_or_else(Problem::internal, |(code, detail)| Problem::conflict(code, detail)));
        }
    };
    let month = report.at.parse::<Timestamp>().ok().map(Month::of);
    let answer = ConsumeAnswer { status, key: report.key, month, held_until, usage };
    Ok(axum::Json(answer).into_response())
}

/// 200 when a held reservation counts for good; 404 `unknown_reservation`, 409 `reservation_lapsed`.
pub(crate) async fn keep<S: Store, A: Aws>(
    _: May<ToReport>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<ReservationBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let status = match usage::keep(&deps.context, &id, &body.key, body.month, now).await? {
        Kept::Done => "kept",
        Kept::AlreadyKept => "already-kept",
        Kept::NotFound => return Err(unknown_reservation()),
        Kept::Lapsed => {
            let detail = "The reservation was given back, or its time is over: it counts nothing.";
            return Err(Problem::conflict("reservation_lapsed", detail));
        }
    };
    Ok(axum::Json(KeepAnswer { status }).into_response())
}

/// 200 when it counts nothing any more; 404 `unknown_reservation`, 409 `not_reversible`.
pub(crate) async fn release<S: Store, A: Aws>(
    _: May<ToReport>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<ReservationBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let status = match usage::release(&deps.context, &id, &body.key, body.month, now).await? {
        Released::Done => "released",
        Released::AlreadyReleased => "already-released",
        Released::NotFound => return Err(unknown_reservation()),
        Released::NotReversible => {
            let detail = "What this dimension counted stays counted.";
            return Err(Problem::conflict("not_reversible", detail));
        }
    };
    Ok(axum::Json(ReleaseAnswer { status }).into_response())
}

fn unknown_reservation() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_reservation",
        "There is no such subscription, or no reservation with this key in this month.",
    )
}

fn refused(refusal: &Refusal) -> Problem {
    Problem::unprocessable(refusal.code(), format!("Refused: {refusal}."))
}
