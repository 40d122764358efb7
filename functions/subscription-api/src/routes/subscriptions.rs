//! Subscriptions themselves.

use std::sync::Arc;

use app::ports::{ListFilter, Store};
use app::subscriptions::{self as use_case, Created};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::subscription::{Status, Subscription};
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use lambda_shell::contract::{Routes, shapes};
use lambda_shell::extract::{Json, Query};
use lambda_shell::metrics::{
    CANCELLATIONS_REQUESTED, Metric, ONBOARDING_TIME, SUBSCRIPTION_CREATION_FAILED,
    SUBSCRIPTIONS_CREATED, SUBSCRIPTIONS_UPDATED,
};
use lambda_shell::problem::Problem;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Id, Of, visible};
use crate::caller::{May, ToAdminister, ToRead, ToReadAll};
use crate::paging::{Asked, Limit, ListName, Listed};
use crate::precondition::{IfMatch, etag};
use crate::refusal::{cancellation, unknown_plan, unknown_subscription, updated};
use crate::wire::{CreateBody, SubscriptionBody, TenantBody, UpdateBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

const ALL: &str = "/marketplace/subscriptions";
const ONE: &str = "/marketplace/subscriptions/{id}";
const ETAG_ABOUT: &str = "The revision, for If-Match.";

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get(ALL, list::<S, A>, |it| {
            it.named("listSubscriptions", "subscriptions", "Lists subscriptions")
                .explained("Filter by status or by customer, not by both.")
                .answers::<Listed<SubscriptionBody>>(200, "A page of subscriptions")
                .refuses(400, &["invalid_status", "invalid_cursor", "invalid_limit"]);
        })
        .post(ALL, create::<S, A>, |it| {
            it.named(
                "createSubscription",
                "subscriptions",
                "Takes up a license that AWS has not told of",
            )
            .answers::<SubscriptionBody>(201, "It is taken up")
            .with_header(201, "ETag", ETAG_ABOUT)
            .with_header(201, "Location", "Where the subscription is.")
            .answers::<SubscriptionBody>(200, "It was known")
            .with_header(200, "ETag", ETAG_ABOUT)
            .refuses(422, &["unknown_plan"]);
        })
        .get(ONE, read::<S, A>, |it| {
            it.named("readSubscription", "subscriptions", "Reads one subscription")
                .answers::<SubscriptionBody>(200, "The subscription")
                .with_header(200, "ETag", ETAG_ABOUT);
        })
        .put(ONE, update::<S, A>, |it| {
            it.named("updateSubscription", "subscriptions", "Sets plan and suspension")
                .explained("What is left out stays as it is; one of the two must be there.")
                .answers::<SubscriptionBody>(200, "The subscription after the change")
                .with_header(200, "ETag", ETAG_ABOUT)
                .refuses(409, &["plan_from_entitlement", "subscription_ended"])
                .refuses(422, &["unknown_plan"]);
        })
        .delete(ONE, cancel::<S, A>, |it| {
            it.named("cancelSubscription", "subscriptions", "Asks AWS to cancel the agreement")
                .explained("Access goes on until AWS says that the agreement has ended.")
                .answers::<SubscriptionBody>(202, "AWS was asked")
                .with_header(202, "ETag", ETAG_ABOUT)
                .refuses(409, &["subscription_ended", "no_agreement"]);
        })
        .put("/marketplace/subscriptions/{id}/tenant", confirm_tenant::<S, A>, |it| {
            it.named(
                "confirmTenant",
                "subscriptions",
                "Confirms the workspace that serves a subscription",
            )
            .answers::<SubscriptionBody>(200, "The subscription with its workspace")
            .with_header(200, "ETag", ETAG_ABOUT)
            .refuses(409, &["plan_from_entitlement", "subscription_ended"])
            .refuses(412, &["precondition_failed"])
            .refuses(422, &["unknown_plan"]);
        })
}

/// `?status= | customer=`, `&cursor=&limit=`. A customer is an AWS account id or a legacy customer identifier.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only those of a status.
    #[schemars(with = "Option<shapes::SubscriptionStatus>")]
    status: Option<String>,
    /// Only those of an AWS account or legacy customer identifier.
    customer: Option<String>,
    /// Where to go on: the `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many at most, 1 to 100; usually 50.
    #[schemars(with = "Option<Limit>")]
    limit: Option<String>,
}

impl ListQuery {
    fn filter(&self) -> Result<ListFilter, Problem> {
        match (&self.status, &self.customer) {
            (None, None) => Ok(ListFilter::All),
            (None, Some(customer)) => Ok(ListFilter::Customer(customer.clone())),
            (Some(status), None) => Status::ALL
                .into_iter()
                .find(|known| known.as_str() == status)
                .map(ListFilter::Status)
                .ok_or_else(|| {
                    let names = Status::ALL.map(Status::as_str).join(", ");
                    Problem::bad_request("invalid_status", format!("A status is one of {names}."))
                }),
            (Some(_), Some(_)) => {
                let detail = "Filter by status or by customer, not by both.";
                Err(Problem::bad_request("invalid_query", detail))
            }
        }
    }
}

/// 200 with a page of subscriptions; 400 `invalid_query`, `invalid_status`, `invalid_cursor`, `invalid_limit`.
pub(crate) async fn list<S: Store, A: Aws>(
    by: May<ToReadAll>,
    State(deps): Shared<S, A>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let filter = query.filter()?;
    let list = match &filter {
        ListFilter::All => ListName::of(&deps.secrets, &by.caller, &["subscriptions"]),
        ListFilter::Status(status) => {
            ListName::of(&deps.secrets, &by.caller, &["subscriptions", "status", status.as_str()])
        }
        ListFilter::Customer(customer) => {
            ListName::of(&deps.secrets, &by.caller, &["subscriptions", "customer", customer])
        }
    };
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    let page = deps.context.store.list(&filter, asked.after.as_ref(), asked.limit).await?;
    let catalog = &deps.context.listing.catalog;
    let body = Listed::of(&list, page, |state| SubscriptionBody::of(&state, catalog, now));
    Ok(axum::Json(body).into_response())
}

/// 201 for a license that is taken up, 200 for one that was known; 422 `invalid_body`, `unknown_plan`.
pub(crate) async fn create<S: Store, A: Aws>(
    by: May<ToAdminister>,
    State(deps): Shared<S, A>,
    Json(body): Json<CreateBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let created = use_case::create(&deps.context, body.try_into()?, by.caller.actor(), now)
        .await
        .inspect_err(|_| deps.metrics.emit(now, &[(SUBSCRIPTION_CREATION_FAILED, 1)]))?;
    match created {
        Created::New(state) => {
            deps.metrics.emit(now, &[(SUBSCRIPTIONS_CREATED, 1)]);
            let at = format!("/marketplace/subscriptions/{}", state.id);
            Ok(([(LOCATION, at)], shown(&deps, StatusCode::CREATED, &state, now)).into_response())
        }
        Created::Existing(state) => Ok(shown(&deps, StatusCode::OK, &state, now)),
        Created::UnknownPlan => Err(unknown_plan()),
    }
}

/// 200; 404 `unknown_subscription`.
pub(crate) async fn read<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): Shared<S, A>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let state = visible(&deps, &by.caller, &id).await?;
    Ok(shown(&deps, StatusCode::OK, &state, now))
}

/// 200; 404 `unknown_subscription`, 409 `plan_from_entitlement`, `subscription_ended`, 412 `precondition_failed`,
/// 422 `invalid_body`, `unknown_plan`, 428 `precondition_required`.
pub(crate) async fn update<S: Store, A: Aws>(
    by: May<ToAdminister>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Json(body): Json<UpdateBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let actor = by.caller.actor();
    let change = body.try_into()?;
    let outcome = use_case::update(&deps.context, &id, change, expected, actor, now).await?;
    let state = updated(outcome)?;
    count_change(&deps, SUBSCRIPTIONS_UPDATED, &state, now);
    Ok(shown(&deps, StatusCode::OK, &state, now))
}

/// 202 with the cancellation that AWS was asked for; 404 `unknown_subscription`, 409 `subscription_ended`,
/// `no_agreement`, 412 `precondition_failed`, 428 `precondition_required`.
pub(crate) async fn cancel<S: Store, A: Aws>(
    by: May<ToAdminister>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let actor = by.caller.actor();
    let outcome = use_case::request_cancellation(&deps.context, &id, expected, actor, now).await?;
    let state = cancellation(outcome)?;
    count_change(&deps, CANCELLATIONS_REQUESTED, &state, now);
    Ok(shown(&deps, StatusCode::ACCEPTED, &state, now))
}

/// 200; 404 `unknown_subscription`. The platform's word counts whatever the revision.
pub(crate) async fn confirm_tenant<S: Store, A: Aws>(
    by: May<ToAdminister>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Json(body): Json<TenantBody>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let before = deps.context.store.subscription(&id).await?.ok_or_else(unknown_subscription)?;
    let actor = by.caller.actor();
    let outcome = use_case::confirm_tenant(&deps.context, &id, body.tenant_id, actor, now).await?;
    let state = updated(outcome)?;
    if before.tenant.id().is_none() {
        let taken = now.duration_since(state.created_at).as_millis();
        deps.metrics.emit(now, &[(ONBOARDING_TIME, u64::try_from(taken).unwrap_or_default())]);
    }
    Ok(shown(&deps, StatusCode::OK, &state, now))
}

/// Counts what was changed now; a request that found everything done is no change.
fn count_change<S, A>(deps: &Deps<S, A>, metric: Metric, state: &Subscription, now: Timestamp) {
    if state.updated_at == now {
        deps.metrics.emit(now, &[(metric, 1)]);
    }
}

fn shown<S, A>(
    deps: &Deps<S, A>,
    status: StatusCode,
    state: &Subscription,
    now: Timestamp,
) -> Response {
    let body = SubscriptionBody::of(state, &deps.context.listing.catalog, now);
    (status, etag(state.revision), axum::Json(body)).into_response()
}
