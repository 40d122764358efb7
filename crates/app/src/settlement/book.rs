//! The third step: what AWS said of a record becomes part of the meter and the ledger, in one transaction.

use domain::ids::MeteringRecordId;
use domain::metering::{Meter, MeteringRecord, ParkReason, Pending, RecordStatus};
use domain::time::Hour;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::RunReport;
use super::freeze::Ready;
use crate::change::ATTEMPTS;
use crate::ports::{Saved, Usage};
use crate::{Context, Error};

/// What AWS said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted(Option<MeteringRecordId>),
    AlreadyHeld,
    HeldDifferently,
    NotSubscribed,
    NoAnswer,
    Bad(String),
}

/// What became of the record in our ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    AlreadyHeld,
    Parked(ParkReason),
    Pending,
    /// Another scheduler booked it meanwhile.
    BookedElsewhere,
}

impl Outcome {
    pub(super) fn count(self, report: &mut RunReport, since: Hour, worth: Decimal) {
        if matches!(self, Self::Accepted | Self::AlreadyHeld) {
            report.earned = report.earned.saturating_add(worth);
        }
        let counter = match self {
            Self::Accepted => &mut report.accepted,
            Self::AlreadyHeld => &mut report.already_held,
            Self::Parked(reason) => return report.parked(reason),
            Self::Pending => {
                report.still_waiting(since);
                &mut report.pending
            }
            Self::BookedElsewhere => return,
        };
        *counter = counter.saturating_add(1);
    }
}

/// Books one record. What is not known to be accepted, nor sure to be refused for good, stays pending.
pub(super) async fn book<S: Usage, A>(
    ctx: &Context<S, A>,
    ready: Ready,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let answer = match verdict {
        Verdict::Accepted(record_id) => Answer::Accepted(record_id),
        Verdict::AlreadyHeld => Answer::Held { unsent: ready.unsent },
        Verdict::HeldDifferently => Answer::Refused(ParkReason::Mismatched, None),
        Verdict::Bad(code) if is_about_tags(&code) && !ready.record.allocations.is_empty() => {
            return without_tags(ctx, ready, &code).await;
        }
        Verdict::Bad(code) if is_for_good(&code) => {
            Answer::Refused(ParkReason::Rejected, Some(code))
        }
        Verdict::Bad(code) => {
            log_refused(&ready, &code);
            return Ok(Outcome::Pending);
        }
        // Not terminal while the license is active: AWS may lag behind its own events. Once it is over, or the window
        // has closed, the next look at the meter gives the record up.
        Verdict::NotSubscribed => {
            log_refused(&ready, "CustomerNotSubscribed");
            return Ok(Outcome::Pending);
        }
        Verdict::NoAnswer => return Ok(Outcome::Pending),
    };
    write(ctx, ready, answer, now).await
}

/// What AWS said of a record, for good.
enum Answer {
    Accepted(Option<MeteringRecordId>),
    /// It is a duplicate, of the same quantity as far as AWS shows.
    Held {
        /// Whether this run has sent it once only, and froze it itself.
        unsent: bool,
    },
    Refused(ParkReason, Option<String>),
}

impl Answer {
    /// What it means for a record under way. AWS shows of a duplicate what was sent, not what it holds (fact sheet
    /// §3.2). If it cannot be a record of ours that it holds, somebody else's is billed under this hour, and ours is
    /// not.
    fn meaning(&self, pending: Pending) -> (RecordStatus, Outcome) {
        match self {
            Self::Accepted(id) => {
                (RecordStatus::Accepted { record_id: id.clone() }, Outcome::Accepted)
            }
            Self::Held { unsent: true } if !pending.sent_before => {
                refused(ParkReason::Mismatched, Some("DuplicateRecord".to_owned()))
            }
            Self::Held { .. } => (RecordStatus::Accepted { record_id: None }, Outcome::AlreadyHeld),
            Self::Refused(reason, code) => refused(*reason, code.clone()),
        }
    }
}

/// A license or time that AWS does not take now may be right later, or be given up with its window; everything else
/// about a record is wrong whenever it is sent.
fn is_for_good(code: &str) -> bool {
    !matches!(
        code,
        "InvalidLicenseException"
            | "TimestampOutOfBoundsException"
            | "InvalidCustomerIdentifierException"
    )
}

/// What AWS says of a record whose quantity is right and whose allocation it does not take.
fn is_about_tags(code: &str) -> bool {
    matches!(code, "InvalidTagException" | "InvalidUsageAllocationsException")
}

/// Billing comes before allocation: AWS refused the record whole, so the same hour and quantity go out without tags in
/// the next run.
async fn without_tags<S: Usage, A>(
    ctx: &Context<S, A>,
    ready: Ready,
    code: &str,
) -> Result<Outcome, Error> {
    let mut meter = ready.meter;
    let expected = meter.revision;
    meter.allocations.pending.clear();
    meter.revision = expected.saturating_add(1);
    // Overtaken is fine: the record is still under way, and is refused and mended again.
    let _: Saved = ctx.store.save_meter(&meter, expected).await?;
    tracing::error!(
        subscription.id = %meter.key.subscription,
        usage.dimension = %meter.key.dimension,
        usage.hour = %ready.pending.hour,
        aws.code = code,
        "AWS refuses the tags of a metering record; it is sent again without them"
    );
    Ok(Outcome::Pending)
}

fn refused(reason: ParkReason, code: Option<String>) -> (RecordStatus, Outcome) {
    (RecordStatus::Parked { reason, code }, Outcome::Parked(reason))
}

async fn write<S: Usage, A>(
    ctx: &Context<S, A>,
    ready: Ready,
    answer: Answer,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let Ready { meter, pending, record: sent, .. } = ready;
    let key = meter.key.clone();
    let mut known = Some(meter);
    for _ in 0..ATTEMPTS {
        let meter = match known.take() {
            Some(meter) => meter,
            None => match read_again(ctx, &key).await? {
                Some(meter) => meter,
                None => return Ok(Outcome::BookedElsewhere),
            },
        };
        let Some(under_way) = meter.pending.filter(|it| it.is(&pending)) else {
            return Ok(Outcome::BookedElsewhere);
        };
        let (status, outcome) = answer.meaning(under_way);
        let record = MeteringRecord {
            key: key.clone(),
            hour: Some(pending.hour),
            quantity: pending.quantity,
            status,
            booked_at: now,
            allocations: sent.allocations.clone(),
        };
        let expected = meter.revision;
        let after = booked(meter, &record.status);
        if ctx.store.book(&after, expected, &record).await? == Saved::Done {
            if record.status.is_parked() {
                log_parked(&record);
            }
            return Ok(outcome);
        }
    }
    Err(Error::Contended { what: "the meter" })
}

fn booked(mut meter: Meter, status: &RecordStatus) -> Meter {
    match status {
        RecordStatus::Accepted { .. } => meter.accept_pending(),
        RecordStatus::Parked { .. }
        | RecordStatus::Retried { .. }
        | RecordStatus::Closed { .. } => meter.park_pending(),
    };
    meter.revision = meter.revision.saturating_add(1);
    meter
}

async fn read_again<S: Usage, A>(
    ctx: &Context<S, A>,
    key: &domain::metering::MeterKey,
) -> Result<Option<Meter>, Error> {
    let mut read = ctx.store.read_usage(&key.subscription, std::slice::from_ref(key)).await?;
    Ok(read.meters.pop())
}

fn log_refused(ready: &Ready, code: &str) {
    tracing::warn!(
        subscription.id = %ready.meter.key.subscription,
        usage.dimension = %ready.meter.key.dimension,
        usage.hour = %ready.pending.hour,
        aws.code = code,
        "AWS did not take a metering record; it stays pending and is sent again"
    );
}

/// Money that AWS will not bill: the line that an alarm counts.
pub(super) fn log_parked(record: &MeteringRecord) {
    let (reason, code) = match &record.status {
        RecordStatus::Parked { reason, code } => (reason.as_str(), code.as_deref().unwrap_or("")),
        RecordStatus::Accepted { .. }
        | RecordStatus::Retried { .. }
        | RecordStatus::Closed { .. } => return,
    };
    tracing::error!(
        subscription.id = %record.key.subscription,
        usage.dimension = %record.key.dimension,
        usage.month = %record.key.month,
        usage.quantity = record.quantity,
        record.reason = reason,
        aws.code = code,
        "Due usage will not be billed by AWS and is parked for a human"
    );
}
