//! Taking a notice at any of the doors they come in by, with the same line in the log and the same metrics.

use app::notices::{Effect, NoticeOutcome, take_notice};
use app::ports::{AgreementService, EntitlementService, SettlementQueue, Store};
use app::{Context, Error};
use domain::notice::{LegacyChange, LicenseChange, Notice, NoticeBody};
use jiff::Timestamp;
use tracing::Instrument;

use crate::logs::span;
use crate::metrics::{self, Metrics};

/// Takes a notice, measures what became of it and logs it. Failures are measured here and logged by the caller, who
/// knows what becomes of the notice then.
///
/// # Errors
/// As [`take_notice`]: let it be delivered again.
pub async fn take<S, A>(
    ctx: &Context<S, A>,
    metrics: &Metrics,
    notice: &Notice,
    now: Timestamp,
) -> Result<NoticeOutcome, Error>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    let around = span("notice");
    let taken = take_notice(ctx, notice, now).instrument(around.clone()).await;
    let _about = around.enter();
    let outcome = match taken {
        Ok(outcome) => outcome,
        Err(error) => {
            metrics.emit(now, &[(metrics::NOTICES_FAILED, 1)]);
            if activates(notice) {
                metrics.emit(now, &[(metrics::SUBSCRIPTION_CREATION_FAILED, 1)]);
            }
            return Err(error);
        }
    };
    let word = word(&outcome);
    let subscription = match &outcome {
        NoticeOutcome::Applied { subscription, effect } => {
            metrics.emit(now, &[(metrics::NOTICES_APPLIED, 1)]);
            let changed = match effect {
                Effect::Created => Some(metrics::SUBSCRIPTIONS_CREATED),
                Effect::Ended => Some(metrics::SUBSCRIPTIONS_CANCELLED),
                Effect::Updated => Some(metrics::SUBSCRIPTIONS_UPDATED),
                Effect::None => None,
            };
            metrics.emit(now, &changed.map(|metric| (metric, 1)).into_iter().collect::<Vec<_>>());
            Some(subscription.as_str())
        }
        NoticeOutcome::AlreadySeen
        | NoticeOutcome::Parked
        | NoticeOutcome::Stored
        | NoticeOutcome::OtherListing => {
            metrics.emit_by(now, metrics::NOTICES_PASSED, word, 1);
            None
        }
    };
    tracing::info!(
        notice.id = notice.id.as_str(),
        notice.channel = %notice.channel,
        notice.outcome = word,
        subscription.id = subscription,
        "took a notice"
    );
    Ok(outcome)
}

/// Whether a subscription begins with this notice.
fn activates(notice: &Notice) -> bool {
    matches!(
        notice.body,
        NoticeBody::License { change: LicenseChange::Updated, .. }
            | NoticeBody::Legacy { change: LegacyChange::Subscribed { .. }, .. }
    )
}

/// An outcome's stable name.
pub fn word(outcome: &NoticeOutcome) -> &'static str {
    match outcome {
        NoticeOutcome::Applied { .. } => "applied",
        NoticeOutcome::AlreadySeen => "already_seen",
        NoticeOutcome::Parked => "parked",
        NoticeOutcome::Stored => "stored",
        NoticeOutcome::OtherListing => "other_listing",
    }
}
