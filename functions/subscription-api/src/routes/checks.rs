//! What the scheduled checks found last.

use std::sync::Arc;

use app::ports::Store;
use app::{conservation, reconcile};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use lambda_shell::contract::Routes;
use lambda_shell::problem::Problem;

use super::Of;
use crate::caller::{May, ToReadAll};
use crate::wire::{ConservationBody, NoticesBody};
use crate::{Aws, Deps};

type Shared<S, A> = State<Arc<Deps<S, A>>>;

pub(super) fn routes<S: Store, A: Aws>() -> Of<S, A> {
    Routes::new()
        .get("/marketplace/checks/conservation", conservation::<S, A>, |it| {
            it.named("readConservation", "operations", "Tells whether every meter adds up")
                .answers::<ConservationBody>(200, "What the check found last");
        })
        .get("/marketplace/checks/notices", notices::<S, A>, |it| {
            it.named("readReconciliation", "operations", "Tells up to when AWS's truth is known")
                .answers::<NoticesBody>(200, "What the reconcile knows");
        })
}

/// 200 with the last result of the conservation check.
pub(crate) async fn conservation<S: Store, A: Aws>(
    _: May<ToReadAll>,
    State(deps): Shared<S, A>,
) -> Result<Response, Problem> {
    let known = conservation::last(&deps.context).await?;
    Ok(axum::Json(ConservationBody::from(known)).into_response())
}

/// 200 with what the reconcile of notices knows.
pub(crate) async fn notices<S: Store, A: Aws>(
    _: May<ToReadAll>,
    State(deps): Shared<S, A>,
) -> Result<Response, Problem> {
    let known = reconcile::known(&deps.context).await?;
    Ok(axum::Json(NoticesBody::from(known)).into_response())
}
