//! Guarded writes: single puts and transactions, and what their conditions said.

use app::Error;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use crate::error::{failed, gave_up, unbuildable};
use crate::item::{
    HELD_UNTIL, Item, Key, PARKED_SHARD, PK, RELEASED, REOPENED, REVISION, number, text,
};
use crate::wait::{wait, waits};

/// When a write may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// The item must not exist.
    Absent,
    /// The item must have this revision.
    Revision(u64),
}

impl Guard {
    pub(crate) fn of(expected: Option<u64>) -> Self {
        expected.map_or(Self::Absent, Self::Revision)
    }
}

/// One action of a transaction.
pub(crate) fn put(table: &str, item: Item, guard: Guard) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let put = match guard {
        Guard::Absent => put
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", PK),
        Guard::Revision(revision) => put
            .condition_expression("#revision = :expected")
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_values(":expected", number(revision)),
    };
    Ok(TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build())
}

/// A put that nothing guards: the newest one counts.
pub(crate) fn put_newest(table: &str, item: Item) -> Result<TransactWriteItem, Error> {
    let put = Put::builder().table_name(table).set_item(Some(item)).build().map_err(unbuildable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A guard without a write.
pub(crate) fn check(table: &str, key: Key, guard: Guard) -> Result<TransactWriteItem, Error> {
    let check = ConditionCheck::builder().table_name(table).set_key(Some(key.into_item()));
    let check = match guard {
        Guard::Absent => check
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", PK),
        Guard::Revision(revision) => check
            .condition_expression("#revision = :expected")
            .expression_attribute_names("#revision", REVISION)
            .expression_attribute_values(":expected", number(revision)),
    };
    Ok(TransactWriteItem::builder().condition_check(check.build().map_err(unbuildable)?).build())
}

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted {
    Done,
    /// Nothing was written; for each action whether its guard failed, and the item that was there.
    Refused(Vec<Refused>),
}

/// What a guard said of one action.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    pub(crate) by_guard: bool,
    pub(crate) found: Option<Item>,
}

/// Writes all actions or none. A conflict with another transaction is tried again: its guards decide.
pub(crate) async fn transact(
    client: &Client,
    actions: Vec<TransactWriteItem>,
) -> Result<Transacted, Error> {
    let mut waits = waits();
    loop {
        let request = client.transact_write_items().set_transact_items(Some(actions.clone()));
        let Err(error) = request.send().await else { return Ok(Transacted::Done) };
        let Some(reasons) = reasons(&error) else { return Err(failed(error)) };
        if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
            return Ok(Transacted::Refused(reasons.iter().map(refused).collect()));
        }
        if !reasons.iter().any(may_pass) {
            return Err(failed(error));
        }
        match waits.next() {
            Some(delay) => wait(delay).await,
            None => return Err(gave_up("a transaction kept conflicting with others")),
        }
    }
}

fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

fn refused(reason: &CancellationReason) -> Refused {
    Refused {
        by_guard: reason.code() == Some("ConditionalCheckFailed"),
        found: reason.item.clone(),
    }
}

fn may_pass(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        Some(
            "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded"
                | "RequestLimitExceeded"
        )
    )
}

/// A put over an event that exists, was not given back, and is held until then, or for good.
pub(crate) fn put_unreleased(
    table: &str,
    item: Item,
    held_until: Option<String>,
) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .expression_attribute_names("#key", PK)
        .expression_attribute_names("#released", RELEASED)
        .expression_attribute_names("#held", HELD_UNTIL);
    let put = match held_until {
        Some(until) => put
            .condition_expression(
                "attribute_exists(#key) AND attribute_not_exists(#released) AND #held = :held",
            )
            .expression_attribute_values(":held", text(until)),
        None => put.condition_expression(
            "attribute_exists(#key) AND attribute_not_exists(#released) AND attribute_not_exists(#held)",
        ),
    };
    Ok(TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build())
}

/// A put of a line of the ledger that is not there yet, or was retried.
pub(crate) fn put_booked(table: &str, item: Item) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(#key) OR attribute_exists(#reopened)")
        .expression_attribute_names("#key", PK)
        .expression_attribute_names("#reopened", REOPENED);
    Ok(TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build())
}

/// A put over a line of the ledger that is parked.
pub(crate) fn put_taken_up(table: &str, item: Item) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_exists(#parked)")
        .expression_attribute_names("#parked", PARKED_SHARD);
    Ok(TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build())
}

/// A single put over an event that is held.
pub(crate) async fn put_kept(
    client: &Client,
    table: &str,
    item: Item,
) -> Result<app::ports::Saved, Error> {
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_exists(#held)")
        .expression_attribute_names("#held", HELD_UNTIL);
    saved(put.send().await)
}

/// A single put over the expected revision, or of what is not there.
pub(crate) async fn put_guarded(
    client: &Client,
    table: &str,
    item: Item,
    expected: Option<u64>,
) -> Result<app::ports::Saved, Error> {
    if let Some(expected) = expected {
        return put_alone(client, table, item, expected).await;
    }
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(#key)")
        .expression_attribute_names("#key", PK);
    saved(put.send().await)
}

/// A single put over the expected revision.
pub(crate) async fn put_alone(
    client: &Client,
    table: &str,
    item: Item,
    expected: u64,
) -> Result<app::ports::Saved, Error> {
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("#revision = :expected")
        .expression_attribute_names("#revision", REVISION)
        .expression_attribute_values(":expected", number(expected));
    saved(put.send().await)
}

fn saved(
    answer: Result<PutItemOutput, SdkError<PutItemError>>,
) -> Result<app::ports::Saved, Error> {
    match answer {
        Ok(_) => Ok(app::ports::Saved::Done),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
        {
            Ok(app::ports::Saved::Overtaken)
        }
        Err(error) => Err(failed(error)),
    }
}
