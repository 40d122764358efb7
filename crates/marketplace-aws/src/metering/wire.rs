//! What goes out: records, and a request body without the empty members that the SDK adds.

use std::collections::HashSet;

use app::ports::{OutgoingRecord, SubmitError};
use aws_sdk_marketplacemetering::config::http::HttpRequest;
use aws_sdk_marketplacemetering::error::BuildError;
use aws_sdk_marketplacemetering::types::{Tag, UsageAllocation, UsageRecord};
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use domain::ids::LicenseRef;
use domain::metering::Allocation;
use serde_json::Value;

/// Whether the records belong to an older listing.
pub(super) fn is_legacy(records: &[OutgoingRecord]) -> bool {
    records.iter().any(|record| matches!(record.license, LicenseRef::Legacy { .. }))
}

/// Most records AWS takes in one call (fact sheet §3.1).
const LARGEST_CALL: usize = 25;

/// AWS's word for a license that it does not take; what is said of one that we know too little of.
const INVALID_LICENSE: &str = "InvalidLicenseException";

/// The records as the SDK wants them.
///
/// # Errors
/// Nothing is sent when there are too many records; when licenses and older customers are mixed, which AWS would bill
/// on two paths; when two records have one key, whose answers could not be told apart; when a license comes without its
/// account or whole ARN; or when a quantity does not fit.
pub(super) fn usage_records(records: &[OutgoingRecord]) -> Result<Vec<UsageRecord>, SubmitError> {
    let legacy = is_legacy(records);
    if legacy && records.iter().any(|record| matches!(record.license, LicenseRef::License { .. })) {
        return Err(refused("MixedPaths", "licenses and older customers never go into one call"));
    }
    if records.len() > LARGEST_CALL {
        return Err(refused("TooManyRecords", "AWS takes at most 25 records in one call"));
    }
    let keys: HashSet<_> =
        records.iter().map(|record| (&record.license, &record.dimension, record.hour)).collect();
    if keys.len() < records.len() {
        return Err(refused("RepeatedKey", "a license, dimension and hour has one record"));
    }
    records.iter().map(usage_record).collect()
}

fn usage_record(record: &OutgoingRecord) -> Result<UsageRecord, SubmitError> {
    let quantity = i32::try_from(record.quantity)
        .map_err(|_| refused("QuantityTooLarge", "a record holds at most 2147483647 units"))?;
    let usage = UsageRecord::builder()
        .timestamp(DateTime::from_secs(record.hour.start().as_second()))
        .dimension(record.dimension.as_str())
        .quantity(quantity);
    let usage = match (&record.license, &record.account) {
        (LicenseRef::License { arn }, _) if !arn.is_complete() => {
            return Err(refused(INVALID_LICENSE, "only a part of the license ARN is known yet"));
        }
        (LicenseRef::License { arn }, Some(account)) => {
            usage.license_arn(arn.as_str()).customer_aws_account_id(account.as_str())
        }
        (LicenseRef::License { .. }, None) => {
            return Err(refused(INVALID_LICENSE, "AWS wants the buying account beside a license"));
        }
        (LicenseRef::Legacy { customer, .. }, _) => usage.customer_identifier(customer.as_str()),
    };
    let allocations = match record.allocations.as_slice() {
        [] => None,
        allocations => {
            let all = allocations.iter().map(usage_allocation).collect::<Result<_, _>>();
            Some(all.map_err(unbuildable)?)
        }
    };
    usage.set_usage_allocations(allocations).build().map_err(unbuildable)
}

/// Without tags it is the untagged bucket: its list is left out, an empty one is refused (fact sheet §3.1).
fn usage_allocation(allocation: &Allocation) -> Result<UsageAllocation, BuildError> {
    let tags = allocation.tags.iter();
    let tags: Vec<Tag> = tags
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()?;
    UsageAllocation::builder()
        // The whole fits, so its parts do.
        .allocated_usage_quantity(i32::try_from(allocation.quantity).unwrap_or(i32::MAX))
        .set_tags((!tags.is_empty()).then_some(tags))
        .build()
}

fn unbuildable(error: BuildError) -> SubmitError {
    SubmitError::BadRecord { code: "Unbuildable".to_owned(), source: error.into() }
}

fn refused(code: &str, why: &'static str) -> SubmitError {
    SubmitError::BadRecord { code: code.to_owned(), source: why.into() }
}

/// The SDK always sends `"CustomerIdentifier":""`, even beside a license. Whether AWS tolerates that is not known, so
/// it does not go out. Runs before the request is signed.
pub(super) fn strip_empty_identifiers(request: &mut HttpRequest) {
    let Some(bytes) = request.body().bytes() else { return };
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else { return };
    let Some(records) = body.get_mut("UsageRecords").and_then(Value::as_array_mut) else { return };
    for record in records.iter_mut().filter_map(Value::as_object_mut) {
        record.retain(|_, value| value.as_str() != Some(""));
    }
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}
