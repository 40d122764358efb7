//! Taking notices: what AWS tells changes subscriptions, once, whatever the order and however often it comes.
//!
//! Each notice is one read and one transaction. The transaction holds the notice's mark, so a repeat writes nothing; a
//! crash before it leaves nothing behind, a crash after it is repaired by the repeat, which asks for the final flush
//! again when one is due.

mod agreement;
mod legacy;
mod license;

use domain::audit::Actor;
use domain::ids::SubscriptionId;
use domain::notice::{AgreementChange, LegacyChange, LicenseChange, Notice, NoticeBody};
use domain::subscription::{LicensePhase, Subscription};
use jiff::Timestamp;

use crate::change::{ATTEMPTS, Deed};
use crate::ports::{
    AgreementService, Change, Committed, EntitlementService, SeenNotice, SettlementQueue,
    SettlementRequest, Store,
};
use crate::{Context, Error};

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// A subscription knows it now.
    Applied {
        /// Which.
        subscription: SubscriptionId,
        /// What that changed.
        effect: Effect,
    },
    /// It was processed before.
    AlreadySeen,
    /// It is about an agreement whose license is not known yet; kept until it is.
    Parked,
    /// It is of a kind that nothing acts on; its arrival is recorded.
    Stored,
    /// It is about another listing of the same seller.
    OtherListing,
}

/// What a notice changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The subscription was taken up.
    Created,
    /// Its license ended.
    Ended,
    /// Something else about it.
    Updated,
    /// Nothing.
    None,
}

impl Effect {
    pub(crate) fn of(before: Option<&Subscription>, after: &Subscription) -> Self {
        match before {
            None => Self::Created,
            Some(before) if before.closing_since().is_none() && after.closing_since().is_some() => {
                Self::Ended
            }
            Some(before) if before != after => Self::Updated,
            Some(_) => Self::None,
        }
    }
}

/// What one try to apply a notice came to.
struct Decision {
    change: Change,
    outcome: NoticeOutcome,
    /// The subscription as it will be, to flush it when it closes.
    state: Option<Subscription>,
}

/// What the store held before.
enum Tried {
    Decided(Box<Decision>),
    Seen(Option<Box<Subscription>>),
}

/// Applies a notice.
///
/// # Errors
/// When the store, AWS or the settlement queue cannot be reached, or others keep changing the same subscription:
/// deliver the notice again.
pub async fn take_notice<S, A>(
    ctx: &Context<S, A>,
    notice: &Notice,
    now: Timestamp,
) -> Result<NoticeOutcome, Error>
where
    S: Store,
    A: EntitlementService + AgreementService + SettlementQueue + Sync,
{
    for _ in 0..ATTEMPTS {
        let tried = match &notice.body {
            NoticeBody::License { product, .. } | NoticeBody::Legacy { product, .. }
                if *product != ctx.listing.product =>
            {
                return Ok(NoticeOutcome::OtherListing);
            }
            NoticeBody::License { license, agreement, account, change, .. } => {
                license::decide(ctx, notice, (license, agreement, account), *change, now).await?
            }
            NoticeBody::Agreement { agreement, account, change } => {
                agreement::decide(ctx, notice, agreement, account.as_ref(), change, now).await?
            }
            NoticeBody::Legacy { customer, change, .. } => {
                legacy::decide(ctx, notice, customer, change, now).await?
            }
            NoticeBody::Unknown { .. } => Tried::Decided(Box::new(Decision {
                change: Change::default(),
                outcome: NoticeOutcome::Stored,
                state: None,
            })),
        };
        let mut decision = match tried {
            Tried::Decided(decision) => *decision,
            Tried::Seen(state) => {
                flush_if_closing(ctx, state.as_deref(), now).await?;
                return Ok(NoticeOutcome::AlreadySeen);
            }
        };
        decision.change.notice = Some(seen(notice, now));
        match ctx.store.commit(&decision.change).await? {
            Committed::Done => {
                flush_if_closing(ctx, decision.state.as_ref(), now).await?;
                return Ok(decision.outcome);
            }
            Committed::AlreadySeen => {
                flush_if_closing(ctx, decision.state.as_ref(), now).await?;
                return Ok(NoticeOutcome::AlreadySeen);
            }
            Committed::Overtaken => {}
        }
    }
    Err(Error::Contended { what: "the subscription of a notice" })
}

/// A closing license is flushed at once; asking twice does no harm.
pub(crate) async fn flush_if_closing<S, A: SettlementQueue>(
    ctx: &Context<S, A>,
    state: Option<&Subscription>,
    now: Timestamp,
) -> Result<(), Error> {
    match state {
        Some(state) if matches!(state.phase(now), LicensePhase::Closing { .. }) => {
            ctx.aws.send(&SettlementRequest::Flush { subscription: state.id.clone() }, 0).await
        }
        Some(_) | None => Ok(()),
    }
}

fn seen(notice: &Notice, now: Timestamp) -> SeenNotice {
    let kind = match &notice.body {
        NoticeBody::Unknown { kind } => kind.clone(),
        NoticeBody::Agreement { change, .. } => agreement_action(change).to_owned(),
        NoticeBody::License { change, .. } => license_action(*change).to_owned(),
        NoticeBody::Legacy { change, .. } => legacy_action(change).to_owned(),
    };
    SeenNotice { channel: notice.channel, id: notice.id.clone(), kind, at: now }
}

fn deed(notice: &Notice, action: &'static str) -> Deed {
    Deed { actor: Actor::Marketplace(format!("{}/{}", notice.channel, notice.id)), action }
}

fn agreement_action(change: &AgreementChange) -> &'static str {
    match change {
        AgreementChange::Created { .. } => "agreement.created",
        AgreementChange::Amended { .. } => "agreement.amended",
        AgreementChange::Ended { .. } => "agreement.ended",
        AgreementChange::AdvisoryIssued => "agreement.advisory-issued",
        AgreementChange::AdvisoryResolved => "agreement.advisory-resolved",
    }
}

fn license_action(change: LicenseChange) -> &'static str {
    match change {
        LicenseChange::Updated => "license.updated",
        LicenseChange::Deprovisioned => "license.deprovisioned",
    }
}

fn legacy_action(change: &LegacyChange) -> &'static str {
    match change {
        LegacyChange::Subscribed { .. } => "legacy.subscribed",
        LegacyChange::Failed => "legacy.failed",
        LegacyChange::Unsubscribing => "legacy.unsubscribing",
        LegacyChange::Unsubscribed => "legacy.unsubscribed",
        LegacyChange::EntitlementUpdated => "legacy.entitlement-updated",
    }
}
