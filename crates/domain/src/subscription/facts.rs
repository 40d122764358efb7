//! What notices have told, kept so that their order and number do not matter: every fact is the newest of its kind,
//! and joining facts is commutative, associative and idempotent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::PricingModel;
use crate::ids::{AgreementId, OfferId};
use crate::notice::{AgreementChange, EndStatus, Intent, LegacyChange, LicenseChange};

/// A value and when AWS said so; of two, the newer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dated<T> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: T,
}

fn newest<T: Ord + Clone>(kept: &mut Option<T>, seen: Option<&T>) {
    if let Some(seen) = seen
        && kept.as_ref().is_none_or(|kept| kept < seen)
    {
        *kept = Some(seen.clone());
    }
}

fn earliest(kept: &mut Option<Timestamp>, seen: Option<Timestamp>) {
    *kept = match (*kept, seen) {
        (Some(kept), Some(seen)) => Some(kept.min(seen)),
        (kept, seen) => kept.or(seen),
    };
}

/// What is known of one license, older listings' subscriptions included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LicenseFacts {
    /// The first activation: no record may be stamped before it.
    pub activated: Option<Timestamp>,
    /// The newest activation or change.
    pub updated: Option<Timestamp>,
    /// The newest end of entitlements, or a legacy `unsubscribe-pending`.
    pub deprovisioned: Option<Timestamp>,
    /// The newest legacy `unsubscribe-success`.
    pub over: Option<Timestamp>,
    /// The newest legacy `subscribe-fail`.
    pub failed: Option<Timestamp>,
}

impl LicenseFacts {
    /// Takes over what another set of facts about the same license knows better.
    pub fn join(&mut self, other: &Self) {
        let Self { activated, updated, deprovisioned, over, failed } = other;
        earliest(&mut self.activated, *activated);
        newest(&mut self.updated, updated.as_ref());
        newest(&mut self.deprovisioned, deprovisioned.as_ref());
        newest(&mut self.over, over.as_ref());
        newest(&mut self.failed, failed.as_ref());
    }

    /// The facts that a license notice tells.
    pub fn of(change: LicenseChange, at: Timestamp) -> Self {
        match change {
            LicenseChange::Updated => Self::of_update(at),
            LicenseChange::Deprovisioned => Self { deprovisioned: Some(at), ..Self::default() },
        }
    }

    /// The facts that a legacy notice tells. `entitled` is whether GetEntitlements grants anything: a pure contract
    /// has no `subscribe-success` to wait for, what was bought activates it.
    pub fn of_legacy(
        change: &LegacyChange,
        pricing: PricingModel,
        entitled: bool,
        at: Timestamp,
    ) -> Self {
        let none = Self::default();
        match change {
            LegacyChange::Subscribed { .. } => Self::of_update(at),
            LegacyChange::Failed => Self { failed: Some(at), ..none },
            LegacyChange::Unsubscribing => Self { deprovisioned: Some(at), ..none },
            LegacyChange::Unsubscribed => Self { over: Some(at), ..none },
            LegacyChange::EntitlementUpdated if pricing == PricingModel::Contract && entitled => {
                Self::of_update(at)
            }
            LegacyChange::EntitlementUpdated => none,
        }
    }

    fn of_update(at: Timestamp) -> Self {
        Self { activated: Some(at), updated: Some(at), ..Self::default() }
    }
}

/// How an agreement came to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Why it was made.
    pub intent: Intent,
    /// The agreement that goes on in this one.
    pub previous: Option<AgreementId>,
    /// The accepted offer.
    pub offer: Option<OfferId>,
}

/// What is known of one agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgreementFacts {
    /// How it came to be.
    pub created: Option<Dated<Origin>>,
    /// When it ends by its terms.
    pub ends: Option<Dated<Timestamp>>,
    /// Whether it renews by itself.
    pub auto_renew: Option<Dated<bool>>,
    /// How it ended.
    pub ended: Option<Dated<EndStatus>>,
    /// Whether AWS warns about the account.
    pub advisory: Option<Dated<bool>>,
}

impl AgreementFacts {
    /// The facts that one notice tells.
    pub fn of(change: &AgreementChange, at: Timestamp) -> Self {
        let mut facts = Self::default();
        match change {
            AgreementChange::Created { intent, previous, offer, ends } => {
                let value =
                    Origin { intent: *intent, previous: previous.clone(), offer: offer.clone() };
                facts.created = Some(Dated { at, value });
                facts.ends = ends.map(|value| Dated { at, value });
            }
            AgreementChange::Amended { auto_renew, ends } => {
                facts.auto_renew = auto_renew.map(|value| Dated { at, value });
                facts.ends = ends.map(|value| Dated { at, value });
            }
            AgreementChange::Ended { how } => facts.ended = Some(Dated { at, value: *how }),
            AgreementChange::AdvisoryIssued => facts.advisory = Some(Dated { at, value: true }),
            AgreementChange::AdvisoryResolved => facts.advisory = Some(Dated { at, value: false }),
        }
        facts
    }

    /// Takes over what another set of facts about the same agreement knows better.
    pub fn join(&mut self, other: &Self) {
        let Self { created, ends, auto_renew, ended, advisory } = other;
        newest(&mut self.created, created.as_ref());
        newest(&mut self.ends, ends.as_ref());
        newest(&mut self.auto_renew, auto_renew.as_ref());
        newest(&mut self.ended, ended.as_ref());
        newest(&mut self.advisory, advisory.as_ref());
    }

    /// The agreement that goes on in this one.
    pub fn predecessor(&self) -> Option<&AgreementId> {
        self.created.as_ref()?.value.previous.as_ref()
    }
}

/// The agreements that a license serves or served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Agreements(pub BTreeMap<AgreementId, AgreementFacts>);

impl Agreements {
    /// Joins what is known of one agreement.
    pub fn join(&mut self, id: &AgreementId, facts: &AgreementFacts) {
        self.0.entry(id.clone()).or_default().join(facts);
    }

    /// When the last of them ended for good; absent while one goes on or only renewals and replacements are known. One
    /// that was made after that end opens nothing: the update of its license does, and may never come (fact sheet §6.2).
    pub fn ended(&self) -> Option<Dated<EndStatus>> {
        let ended = self.0.values().filter_map(|facts| facts.ended);
        let last = ended.filter(|ended| ended.value.is_final()).max()?;
        let began_by_then = |facts: &AgreementFacts| {
            facts.created.as_ref().is_none_or(|created| created.at <= last.at)
        };
        let goes_on =
            self.0.iter().any(|(id, facts)| self.goes_on(id, facts) && began_by_then(facts));
        (!goes_on).then_some(last)
    }

    /// Whether AWS warns about the account of an agreement that goes on.
    pub fn has_advisory(&self) -> bool {
        self.0.iter().any(|(id, facts)| {
            self.goes_on(id, facts) && facts.advisory.is_some_and(|advisory| advisory.value)
        })
    }

    /// The newest agreement: the one that goes on, or else the one made last.
    pub fn current(&self) -> Option<&AgreementId> {
        let rank = |id: &AgreementId, facts: &AgreementFacts| {
            (self.goes_on(id, facts), facts.created.as_ref().map(|created| created.at))
        };
        self.0.iter().max_by_key(|(id, facts)| (rank(id, facts), *id)).map(|(id, _)| id)
    }

    /// Whether an agreement neither ended nor goes on in another one: of a renewal or replacement AWS may tell the
    /// successor only (fact sheet §14).
    fn goes_on(&self, id: &AgreementId, facts: &AgreementFacts) -> bool {
        facts.ended.is_none() && !self.0.values().any(|other| other.predecessor() == Some(id))
    }

    /// When the current agreement ends by its terms.
    pub fn current_end(&self) -> Option<Timestamp> {
        self.0.get(self.current()?)?.ends.map(|ends| ends.value)
    }
}
