//! What a month costs, and what AWS was told of it.

use std::sync::Arc;

use app::billing as use_case;
use app::ports::Store;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use lambda_shell::contract::Routes;
use lambda_shell::extract::Query;
use lambda_shell::problem::Problem;

use super::{Id, MonthPageQuery, MonthQuery, Of, month, only_own, visible};
use crate::caller::{May, ToRead};
use crate::paging::{Asked, ListName, Listed};
use crate::refusal::unknown_subscription;
use crate::wire::{BillBody, RecordBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get("/marketplace/subscriptions/{id}/billing", bill::<S, A>, |it| {
            it.named("readBill", "billing", "Estimates what a month costs")
                .answers::<BillBody>(200, "The estimate; AWS computes the bill")
                .refuses(400, &["invalid_month"]);
        })
        .get("/marketplace/subscriptions/{id}/records", records::<S, A>, |it| {
            it.named("listRecords", "billing", "Lists what AWS was told in a month, oldest first")
                .answers::<Listed<RecordBody>>(200, "A page of metering records")
                .refuses(400, &["invalid_month", "invalid_cursor", "invalid_limit"]);
        })
}

/// 200 with the estimate of a month; 400 `invalid_month`, 404 `unknown_subscription`.
pub(crate) async fn bill<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<MonthQuery>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let month = month(query.month.as_deref(), now)?;
    only_own(&deps, &by.caller, &id).await?;
    let bill = use_case::bill(&deps.context, &id, month, now).await?;
    Ok(axum::Json(BillBody::from(bill.ok_or_else(unknown_subscription)?)).into_response())
}

/// 200 with a page of metering records of a month; 400 `invalid_month`, `invalid_cursor`, `invalid_limit`,
/// 404 `unknown_subscription`.
pub(crate) async fn records<S: Store, A: Aws>(
    by: May<ToRead>,
    State(deps): Shared<S, A>,
    Id(id): Id,
    Query(query): Query<MonthPageQuery>,
) -> Result<Response, Problem> {
    let month = month(query.month.as_deref(), deps.clock.now())?;
    let list =
        ListName::of(&deps.secrets, &by.caller, &["records", id.as_str(), &month.to_string()]);
    let asked = Asked::read(&list, query.cursor.as_deref(), query.limit.as_deref())?;
    visible(&deps, &by.caller, &id).await?;
    let store = &deps.context.store;
    let page = store.records(&id, month, asked.after.as_ref(), asked.limit).await?;
    Ok(axum::Json(Listed::of(&list, page, RecordBody::from)).into_response())
}
