//! The reconcile: notifications are hints, and some are lost. What AWS says of an agreement or a license is read again
//! on schedule, and what differs is repaired, with an audit entry that says who did it.
//!
//! Agreements are read in the order of their last change, from a watermark that is kept in the store. It moves over an
//! agreement when that is as it should be, or is kept by name to be looked at again: one that is not provisioned yet,
//! begins later, or could not be looked at. Once a day every license that is not over is looked at as well, so that
//! nothing depends on AWS telling all changes in order.
//!
//! Three things cannot be repaired, because nothing tells the truth about them (fact sheet §5.4, §6.2, §7): an advisory
//! about an account; a reseller's pay-as-you-go agreement, which is hidden from us; and a pay-as-you-go subscription of
//! an older listing, which has neither agreement nor entitlement. Their notifications are kept by their queues alone.

mod look;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::AgreementId;
use domain::time::before;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::memo::{Remembered, recall, remember};
use crate::notices::Effect;
use crate::ports::{
    AgreementDirectory, AgreementSearch, AgreementService, AgreementSummary, Cursor,
    EntitlementService, Saved, SettlementQueue, Store, Task,
};
use crate::settlement::Budget;
use crate::{Chain, Clock, Context, Error};

use look::{Looked, look};

/// What a reconcile needs of AWS.
pub trait Truth:
    AgreementDirectory + AgreementService + EntitlementService + SettlementQueue + Sync
{
}

impl<T> Truth for T where
    T: AgreementDirectory + AgreementService + EntitlementService + SettlementQueue + Sync
{
}

/// How far before the watermark a search begins: AWS may show a change a little later than the next one.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// How often every license that is not over is looked at.
const SWEEP: SignedDuration = SignedDuration::from_hours(20);

/// Agreements kept by name at most; with more, the watermark stops.
const MOST_WAITING: usize = 1000;

/// What was repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// A license was active and we did not know.
    LicenseUpdated,
    /// A license was over and we did not know.
    LicenseDeprovisioned,
    /// An agreement had ended and we did not know.
    AgreementEnded,
    /// An agreement had been made and we did not know.
    AgreementCreated,
    /// An agreement had changed and we did not know.
    AgreementAmended,
    /// What was bought had changed and we did not know.
    Entitlements,
}

impl Repair {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LicenseUpdated => "license-updated",
            Self::LicenseDeprovisioned => "license-deprovisioned",
            Self::AgreementEnded => "agreement-ended",
            Self::AgreementCreated => "agreement-created",
            Self::AgreementAmended => "agreement-amended",
            Self::Entitlements => "entitlements",
        }
    }

    /// How the audit trail calls it.
    fn action(self) -> &'static str {
        match self {
            Self::LicenseUpdated => "reconciled.license-updated",
            Self::LicenseDeprovisioned => "reconciled.license-deprovisioned",
            Self::AgreementEnded => "reconciled.agreement-ended",
            Self::AgreementCreated => "reconciled.agreement-created",
            Self::AgreementAmended => "reconciled.agreement-amended",
            Self::Entitlements => "reconciled.entitlements",
        }
    }
}

/// What the reconcile remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reconciliation {
    /// Every change of an agreement until then is known, or kept below.
    pub watermark: Option<Timestamp>,
    /// Agreements to look at again, each with the first of its chain.
    pub waiting: BTreeMap<AgreementId, AgreementId>,
    /// When everything AWS had to tell was last read to its end.
    pub completed_at: Option<Timestamp>,
    /// When every license was last looked at.
    pub swept_at: Option<Timestamp>,
    /// Repairs so far.
    pub repairs: u64,
    /// The search under way: from where, and its next page in AWS's words.
    search: Option<SearchUnderWay>,
    /// Where the sweep under way goes on.
    sweep: Option<Cursor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SearchUnderWay {
    after: Option<Timestamp>,
    page: String,
}

/// What one invocation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileReport {
    /// Whether everything AWS has to tell was read; else the next invocation goes on.
    pub finished: bool,
    /// Agreements and licenses looked at.
    pub looked_at: u64,
    /// Repairs, by what was repaired.
    pub repairs: BTreeMap<Repair, u64>,
    /// Subscriptions taken up by a repair.
    pub created: u64,
    /// Subscriptions changed otherwise by a repair.
    pub updated: u64,
    /// Subscriptions whose license ended by a repair.
    pub ended: u64,
    /// Agreements and licenses that could not be looked at.
    pub failed: u64,
    /// Agreements kept by name to be looked at again.
    pub waiting: u64,
}

impl ReconcileReport {
    fn repaired(&mut self, repair: Option<Repair>, effect: Effect) {
        let Some(repair) = repair else { return };
        let of_effect = match effect {
            Effect::Created => Some(&mut self.created),
            Effect::Updated => Some(&mut self.updated),
            Effect::Ended => Some(&mut self.ended),
            Effect::None => None,
        };
        for count in of_effect.into_iter().chain([self.repairs.entry(repair).or_default()]) {
            *count = count.saturating_add(1);
        }
    }
}

/// What the reconcile knows.
///
/// # Errors
/// When the store cannot be read.
pub async fn known<S: Store, A>(ctx: &Context<S, A>) -> Result<Reconciliation, Error> {
    Ok(recall(&ctx.store, Task::Notices).await?.value)
}

/// Goes on from the watermark until everything AWS has to tell is read or the budget is spent.
///
/// # Errors
/// When the store, or AWS altogether, cannot be asked; the next invocation goes on after the last page that was done.
pub async fn reconcile<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
) -> Result<ReconcileReport, Error> {
    let mut memo: Remembered<Reconciliation> = recall(&ctx.store, Task::Notices).await?;
    let mut report = ReconcileReport::default();
    look_again(ctx, clock, budget, &mut memo.value, &mut report).await?;
    let searched = changes(ctx, clock, budget, &mut memo, &mut report).await?;
    report.finished = searched && sweep::sweep(ctx, clock, budget, &mut memo, &mut report).await?;
    if report.finished {
        memo.value.completed_at = Some(clock.now());
    }
    note(ctx, &mut memo, &mut report).await?;
    report.waiting = u64::try_from(memo.value.waiting.len()).unwrap_or(u64::MAX);
    Ok(report)
}

/// Notes how far it got. Answers false when another invocation is at it, and goes on.
async fn note<S: Store, A>(
    ctx: &Context<S, A>,
    memo: &mut Remembered<Reconciliation>,
    report: &mut ReconcileReport,
) -> Result<bool, Error> {
    memo.value.repairs =
        report.repairs.values().fold(memo.value.repairs, |sum, n| sum.saturating_add(*n));
    let saved = remember(&ctx.store, Task::Notices, memo).await?;
    report.finished &= saved == Saved::Done;
    Ok(saved == Saved::Done)
}

/// Looks at the agreements that are kept by name, chain by chain.
async fn look_again<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    known: &mut Reconciliation,
    report: &mut ReconcileReport,
) -> Result<(), Error> {
    let chains: BTreeSet<AgreementId> = known.waiting.values().cloned().collect();
    for chain in chains {
        if budget.is_spent() {
            return Ok(());
        }
        let found = all(ctx, &AgreementSearch::Chain(chain)).await?;
        for summary in found {
            if known.waiting.contains_key(&summary.agreement) {
                attend(ctx, clock, &summary, known, report).await;
            }
        }
    }
    Ok(())
}

/// Every agreement of a search.
async fn all<S, A: AgreementDirectory>(
    ctx: &Context<S, A>,
    search: &AgreementSearch,
) -> Result<Vec<AgreementSummary>, Error> {
    let (mut found, mut next): (Vec<_>, Option<String>) = (Vec::new(), None);
    loop {
        let page = ctx.aws.search(search, next.as_deref()).await?;
        found.extend(page.items);
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
}

/// Reads what changed since the watermark. Answers whether it came to the end.
async fn changes<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    budget: &Budget,
    memo: &mut Remembered<Reconciliation>,
    report: &mut ReconcileReport,
) -> Result<bool, Error> {
    let from_watermark = memo.value.watermark.map(|watermark| before(watermark, OVERLAP));
    let (after, mut page) = match memo.value.search.take() {
        Some(under_way) => (under_way.after, Some(under_way.page)),
        None => (from_watermark, None),
    };
    let search = AgreementSearch::ChangedAfter(after);
    loop {
        if budget.is_spent() || memo.value.waiting.len() > MOST_WAITING {
            memo.value.search = page.map(|page| SearchUnderWay { after, page });
            return Ok(false);
        }
        // A page that AWS does not know any more: the next invocation begins at the watermark.
        let found = ctx.aws.search(&search, page.as_deref()).await?;
        for summary in &found.items {
            attend(ctx, clock, summary, &mut memo.value, report).await;
            memo.value.watermark = memo.value.watermark.max(Some(summary.changed));
        }
        page = found.next;
        if page.is_none() {
            return Ok(true);
        }
        if !note(ctx, memo, report).await? {
            return Ok(false);
        }
    }
}

/// Looks at one agreement, and keeps it by name when it is to be looked at again.
async fn attend<S: Store, A: Truth>(
    ctx: &Context<S, A>,
    clock: &Clock,
    summary: &AgreementSummary,
    known: &mut Reconciliation,
    report: &mut ReconcileReport,
) {
    report.looked_at = report.looked_at.saturating_add(1);
    let settled = match look(ctx, summary, clock.now()).await {
        Ok(Looked { repair, effect, settled }) => {
            report.repaired(repair, effect);
            settled
        }
        Err(error) => {
            report.failed = report.failed.saturating_add(1);
            tracing::error!(
                agreement.id = %summary.agreement,
                error = %Chain(&error),
                "An agreement could not be reconciled; it is looked at again in the next run"
            );
            false
        }
    };
    if settled {
        known.waiting.remove(&summary.agreement);
    } else {
        let chain = summary.initial.clone().unwrap_or_else(|| summary.agreement.clone());
        known.waiting.insert(summary.agreement.clone(), chain);
    }
}
