//! Answers of POST requests.

use app::Error;
use app::ports::{Begun, Idempotency, RequestKey, SavedResponse};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::time::after as later;
use jiff::{SignedDuration, Timestamp};

use crate::DynamoStore;
use crate::error::failed;
use crate::item::{
    CLAIMED_UNTIL, DOC, EXPIRES_AT, FINGERPRINT, Item, PK, document, idempotency_key, missing,
    number, read_document, text, text_of,
};
use crate::subscriptions::sortable;

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Idempotency for DynamoStore {
    async fn begin(
        &self,
        request: &RequestKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Begun, Error> {
        let mut item = idempotency_key(request).into_item();
        item.insert(FINGERPRINT.to_owned(), text(request.fingerprint.clone()));
        item.insert(CLAIMED_UNTIL.to_owned(), text(sortable(until)));
        item.insert(EXPIRES_AT.to_owned(), number(later(now, KEPT).as_second()));
        // Free, or claimed for the same request by one whose time has passed, or kept for longer than promised.
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.subscription)
            .set_item(Some(item))
            .condition_expression(
                "attribute_not_exists(#key) OR #expires <= :now_seconds OR \
                 (attribute_not_exists(#doc) AND #until <= :now AND #fingerprint = :fingerprint)",
            )
            .expression_attribute_names("#key", PK)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#until", CLAIMED_UNTIL)
            .expression_attribute_names("#fingerprint", FINGERPRINT)
            .expression_attribute_values(":now", text(sortable(now)))
            .expression_attribute_values(":now_seconds", number(now.as_second()))
            .expression_attribute_values(":fingerprint", text(request.fingerprint.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Begun::Started) };
        let found = error.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) => {
                Some(refused.item.clone())
            }
            _ => None,
        });
        match found {
            Some(Some(item)) => read_claim(request, &item),
            // Told nothing of what is there: it is surely under way.
            Some(None) => Ok(Begun::InProgress { until }),
            None => Err(failed(error)),
        }
    }

    async fn finish(
        &self,
        request: &RequestKey,
        response: &SavedResponse,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut item = document(idempotency_key(request), "a saved response", response)?;
        item.insert(FINGERPRINT.to_owned(), text(request.fingerprint.clone()));
        item.insert(EXPIRES_AT.to_owned(), number(later(now, KEPT).as_second()));
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.subscription)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#key) OR #fingerprint = :fingerprint")
            .expression_attribute_names("#key", PK)
            .expression_attribute_names("#fingerprint", FINGERPRINT)
            .expression_attribute_values(":fingerprint", text(request.fingerprint.clone()));
        put.send().await.map_err(failed)?;
        Ok(())
    }

    async fn abandon(&self, request: &RequestKey) -> Result<(), Error> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.subscription)
            .set_key(Some(idempotency_key(request).into_item()))
            .condition_expression("attribute_not_exists(#doc) AND #fingerprint = :fingerprint")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#fingerprint", FINGERPRINT)
            .expression_attribute_values(":fingerprint", text(request.fingerprint.clone()));
        match delete.send().await {
            Ok(_) => Ok(()),
            // Finished or taken over meanwhile: it is not ours to give back.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn read_claim(request: &RequestKey, item: &Item) -> Result<Begun, Error> {
    const WHAT: &str = "a claimed request";
    if text_of(item, FINGERPRINT) != Some(request.fingerprint.as_str()) {
        return Ok(Begun::OtherRequest);
    }
    if item.contains_key(DOC) {
        return Ok(Begun::Finished(read_document(WHAT, item)?));
    }
    let until = text_of(item, CLAIMED_UNTIL).and_then(|until| until.parse().ok());
    Ok(Begun::InProgress { until: until.ok_or_else(|| missing(WHAT, CLAIMED_UNTIL))? })
}
