//! What comes back: one answer per record, matched by key and not by place, since AWS promises no order and may round
//! the echoed time to its hour (fact sheet §3.2, §3.3).

use app::ports::{OutgoingRecord, RecordAnswer};
use aws_sdk_marketplacemetering::operation::batch_meter_usage::BatchMeterUsageOutput;
use aws_sdk_marketplacemetering::types::{UsageRecord, UsageRecordResult, UsageRecordResultStatus};
use domain::ids::{AccountId, LicenseRef};
use domain::time::Hour;
use jiff::Timestamp;

/// One answer per record, in the order of the records.
pub(super) fn read(
    records: &[OutgoingRecord],
    answer: &BatchMeterUsageOutput,
) -> Vec<RecordAnswer> {
    records
        .iter()
        .map(|record| {
            let result = answer.results().iter().find(|result| {
                result.usage_record.as_ref().is_some_and(|echoed| is_about(echoed, record))
            });
            result.map_or(RecordAnswer::Unprocessed, |result| told(record, result))
        })
        .collect()
}

fn told(record: &OutgoingRecord, result: &UsageRecordResult) -> RecordAnswer {
    match result.status.as_ref() {
        Some(UsageRecordResultStatus::Success) => RecordAnswer::Accepted(
            result.metering_record_id.as_deref().and_then(|id| id.parse().ok()),
        ),
        Some(UsageRecordResultStatus::CustomerNotSubscribed) => RecordAnswer::NotSubscribed,
        Some(UsageRecordResultStatus::DuplicateRecord) => {
            let echoed = result.usage_record.as_ref().and_then(|echoed| echoed.quantity);
            // AWS documents the echo as what was sent, so it can only differ if AWS shows what it holds instead. A
            // frozen record never changes: what we sent under this hour before was this quantity (fact sheet §3.3).
            if echoed.is_none_or(|echoed| u64::try_from(echoed) == Ok(record.quantity)) {
                RecordAnswer::AlreadyHeld
            } else {
                RecordAnswer::HeldDifferently
            }
        }
        // A status that AWS adds one day is not known to be billed.
        Some(_) | None => RecordAnswer::Unprocessed,
    }
}

fn is_about(echoed: &UsageRecord, record: &OutgoingRecord) -> bool {
    let same_buyer = match &record.license {
        LicenseRef::License { arn } => {
            let license = echoed.license_arn.as_deref().and_then(|arn| arn.rsplit(':').next());
            let account = record.account.as_ref().map(AccountId::as_str);
            license == Some(arn.tail())
                && echoed.customer_aws_account_id.as_deref().is_none_or(|it| Some(it) == account)
        }
        LicenseRef::Legacy { customer, .. } => echoed.customer_identifier == customer.as_str(),
    };
    let hour = Timestamp::from_second(echoed.timestamp.secs()).ok().map(Hour::of);
    same_buyer && echoed.dimension == record.dimension.as_str() && hour == Some(record.hour)
}
