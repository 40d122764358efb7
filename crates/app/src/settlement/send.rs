//! The second step: frozen records in batches, at AWS's pace; a batch that holds a bad record is split until it is
//! alone, so that the others go through.

use backon::{ExponentialBuilder, Retryable};
use domain::ids::LicenseRef;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use tracing::Instrument;

use super::book::{Verdict, book};
use super::freeze::Ready;
use super::{AT_ONCE, Budget, RunReport};
use crate::ports::{MeteringService, OutgoingRecord, RecordAnswer, Store, SubmitError};
use crate::{Context, Error};

/// Most records AWS takes in one call (fact sheet §3.1).
pub(super) const LARGEST_CALL: usize = 25;

/// Calls under way at the same time.
const CALLS_AT_ONCE: usize = 10;

/// How often a record that AWS left unprocessed is sent in one run.
const ROUNDS: usize = 3;

/// Sends and books. One product, and never a license and an older customer in one call: mixed calls are refused.
pub(super) async fn send_all<S, A>(
    ctx: &Context<S, A>,
    budget: &Budget,
    ready: Vec<Ready>,
    now: Timestamp,
    report: &mut RunReport,
) -> Result<(), Error>
where
    S: Store,
    A: MeteringService + Sync,
{
    let (licenses, legacy): (Vec<_>, Vec<_>) = ready
        .into_iter()
        .partition(|ready| matches!(ready.record.license, LicenseRef::License { .. }));
    let batches: Vec<Vec<Ready>> = [licenses, legacy]
        .iter()
        .flat_map(|kind| kind.chunks(LARGEST_CALL).map(<[Ready]>::to_vec))
        .collect();
    let sent: Vec<Sent> = stream::iter(batches)
        .map(|batch| send(ctx, budget, batch))
        .buffer_unordered(CALLS_AT_ONCE)
        .collect()
        .await;
    let mut refused = None;
    let mut verdicts = Vec::new();
    for batch in sent {
        report.calls = report.calls.saturating_add(batch.calls);
        verdicts.extend(batch.verdicts);
        refused = refused.or(batch.refused);
    }
    let booked: Vec<_> = stream::iter(verdicts)
        .map(|(ready, verdict)| async move {
            let (since, worth) = (ready.pending.hour, ready.worth);
            let key = ready.meter.key.clone();
            let around = super::around_meter(&key);
            around.record("license", tracing::field::display(ready.record.license.name()));
            (since, worth, key, book(ctx, ready, verdict, now).instrument(around).await)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    for (since, worth, key, outcome) in booked {
        match outcome {
            Ok(outcome) => outcome.count(report, since, worth),
            Err(error) => {
                super::log_failed(&key, &error);
                report.failed = report.failed.saturating_add(1);
                report.still_waiting(since);
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

/// What a batch came to.
#[derive(Default)]
struct Sent {
    verdicts: Vec<(Ready, Verdict)>,
    calls: u64,
    /// AWS refuses us altogether; no use in going on.
    refused: Option<Error>,
}

async fn send<S, A: MeteringService>(
    ctx: &Context<S, A>,
    budget: &Budget,
    batch: Vec<Ready>,
) -> Sent {
    let mut sent = Sent::default();
    let mut parts = vec![(batch, 1)];
    while let Some((mut part, round)) = parts.pop() {
        let records: Vec<OutgoingRecord> = part.iter().map(|ready| ready.record.clone()).collect();
        let calls_before = sent.calls;
        let answer = submit(ctx, budget, &records, &mut sent.calls).await;
        // A call without an answer may have taken effect.
        let once = sent.calls <= calls_before.saturating_add(1);
        for ready in &mut part {
            ready.unsent &= once;
        }
        match answer {
            Ok(answers) => {
                let mut again = Vec::new();
                for (ready, answer) in part.into_iter().zip(answers) {
                    match (verdict(answer), round < ROUNDS) {
                        (Verdict::NoAnswer, true) => again.push(Ready { unsent: false, ..ready }),
                        (verdict, _) => sent.verdicts.push((ready, verdict)),
                    }
                }
                if !again.is_empty() {
                    parts.push((again, round.saturating_add(1)));
                }
            }
            Err(SubmitError::BadRecord { code, .. }) if part.len() <= 1 => {
                sent.verdicts
                    .extend(part.into_iter().map(|ready| (ready, Verdict::Bad(code.clone()))));
            }
            Err(SubmitError::BadRecord { .. }) => {
                let mut first = part;
                let second = first.split_off(first.len().div_ceil(2));
                parts.push((first, round));
                parts.push((second, round));
            }
            Err(SubmitError::Retry(_)) => {
                sent.verdicts.extend(part.into_iter().map(|ready| (ready, Verdict::NoAnswer)));
            }
            Err(error @ SubmitError::Credentials { .. }) => {
                sent.verdicts.extend(part.into_iter().map(|ready| (ready, Verdict::NoAnswer)));
                let dependency = "AWS Marketplace metering";
                sent.refused = Some(Error::Refused { dependency, source: Box::new(error) });
            }
        }
    }
    sent
}

/// One batch, tried again while AWS throttles, fails or does not answer. Always the same records: whatever took effect
/// the first time is answered the same way.
async fn submit<S, A: MeteringService>(
    ctx: &Context<S, A>,
    budget: &Budget,
    records: &[OutgoingRecord],
    calls: &mut u64,
) -> Result<Vec<RecordAnswer>, SubmitError> {
    let made = std::sync::atomic::AtomicU64::new(0);
    let call = || async {
        budget.a_call().await;
        made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ctx.aws.submit(&ctx.listing.product, records).await
    };
    let backoff = ExponentialBuilder::default()
        .with_min_delay(std::time::Duration::from_millis(100))
        .with_max_times(2)
        .with_jitter();
    let answer = call.retry(backoff).when(|error| matches!(error, SubmitError::Retry(_))).await;
    *calls = calls.saturating_add(made.into_inner());
    if let Err(error) = &answer {
        log_call(records.len(), error);
    }
    answer
}

fn log_call(records: usize, error: &SubmitError) {
    tracing::warn!(
        metering.records = records,
        error = %crate::Chain(error),
        "A metering call was not accepted as a whole"
    );
}

fn verdict(answer: RecordAnswer) -> Verdict {
    match answer {
        RecordAnswer::Accepted(id) => Verdict::Accepted(id),
        RecordAnswer::AlreadyHeld => Verdict::AlreadyHeld,
        RecordAnswer::HeldDifferently => Verdict::HeldDifferently,
        RecordAnswer::NotSubscribed => Verdict::NotSubscribed,
        RecordAnswer::Unprocessed => Verdict::NoAnswer,
    }
}
