//! What happens to an agreement after its purchase: amendments, renewals, replacements, ends,
//! advisories (F§8).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::clock::later;
use crate::records::{Agreement, AgreementStatus, Grant, Intent};
use crate::state::State;
use crate::storage::StorageError;
use crate::switches::{LicenseOnRenew, LicenseOnReplace};

use super::purchase::{Bought, BuyError};
use super::sign::LicensePlan;

/// Why an agreement cannot be changed that way.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No agreement or cancellation request has this id.
    #[error("nothing has the id {0}")]
    Unknown(String),
    /// It is over.
    #[error("the agreement is {0}, not ACTIVE")]
    NotActive(&'static str),
    /// Pay as you go has nothing to amend or renew (F§8.6).
    #[error("a pay-as-you-go agreement cannot be amended or renewed")]
    NotAContract,
    /// The license has already been updated: too late for the payment to fail.
    #[error("the subscription has already succeeded")]
    AlreadyActive,
    /// The new terms are refused.
    #[error("the new terms are refused")]
    Refused(#[from] BuyError),
    /// The storage failed; nothing is certain.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
}

impl State {
    fn active(&self, id: &str) -> Result<Agreement, ChangeError> {
        let agreement = self.agreements.get(id).ok_or_else(|| ChangeError::Unknown(id.into()))?;
        if agreement.is_active() {
            Ok(agreement.clone())
        } else {
            Err(ChangeError::NotActive(agreement.status.as_str()))
        }
    }

    fn active_contract(&self, id: &str) -> Result<Agreement, ChangeError> {
        let agreement = self.active(id)?;
        let contract = self.product_of(&agreement).is_some_and(|it| it.pricing.has_contract());
        if contract { Ok(agreement) } else { Err(ChangeError::NotAContract) }
    }

    pub(crate) fn amend(
        &mut self,
        id: &str,
        entitlements: BTreeMap<String, Decimal>,
        now: Timestamp,
    ) -> Result<Bought, ChangeError> {
        let mut agreement = self.active_contract(id)?;
        if let Some(product) = self.product_of(&agreement) {
            self.check_entitlements(product, &entitlements)?;
        }
        let begins = agreement.starts.max(now);
        let effective = later(begins, self.switches.license_updated_delay);
        agreement.grants.push(Grant { signed: now, effective, entitlements });
        agreement.offer_id = self.ids.offer();
        agreement.updated = now;
        self.tell_amended(&agreement, None, now);
        self.tell_license("License Updated", &agreement, effective);
        self.tell_subscription("subscribe-success", &agreement, effective);
        self.tell_entitlement(&agreement, effective);
        let bought = Bought::from(&agreement);
        self.agreements.insert(agreement.id.clone(), agreement);
        Ok(bought)
    }

    pub(crate) fn set_auto_renew(
        &mut self,
        id: &str,
        auto_renew: bool,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let mut agreement = self.active_contract(id)?;
        agreement.auto_renew = auto_renew;
        agreement.updated = now;
        self.tell_amended(&agreement, (!auto_renew).then_some("ACCEPTOR"), now);
        self.agreements.insert(agreement.id.clone(), agreement);
        Ok(())
    }

    pub(crate) fn renew(&mut self, id: &str, now: Timestamp) -> Result<Bought, ChangeError> {
        let old = self.active_contract(id)?;
        let keep = self.switches.license_on_renew == LicenseOnRenew::Same;
        let entitlements = old.signed_entitlements();
        Ok(self.continue_as(old, Intent::Renew, entitlements, keep, now))
    }

    pub(crate) fn replace(
        &mut self,
        id: &str,
        entitlements: BTreeMap<String, Decimal>,
        now: Timestamp,
    ) -> Result<Bought, ChangeError> {
        let old = self.active(id)?;
        if let Some(product) = self.product_of(&old) {
            self.check_entitlements(product, &entitlements)?;
        }
        let keep = self.switches.license_on_replace == LicenseOnReplace::Same;
        Ok(self.continue_as(old, Intent::Replace, entitlements, keep, now))
    }

    fn continue_as(
        &mut self,
        old: Agreement,
        intent: Intent,
        entitlements: BTreeMap<String, Decimal>,
        keep: bool,
        now: Timestamp,
    ) -> Bought {
        let status = match intent {
            Intent::Renew => AgreementStatus::Renewed,
            Intent::New | Intent::Replace => AgreementStatus::Replaced,
        };
        self.end(&old.id, status, keep, now);
        let term = old.ends.map(|ends| ends.duration_since(old.starts));
        let plan = if keep { LicensePlan::Keep(old.license_arn) } else { LicensePlan::New };
        let successor = Agreement {
            id: self.ids.agreement(),
            previous_id: Some(old.id),
            intent,
            license_arn: String::new(),
            offer_id: if intent == Intent::Renew { old.offer_id } else { self.ids.offer() },
            accepted: now,
            starts: now,
            ends: term.map(|term| later(now, paid_term(term, old.free_trial_ends.is_some()))),
            free_trial_ends: None,
            status: AgreementStatus::Active,
            updated: now,
            // Kept with a kept license: what was granted stays granted until the license is updated.
            grants: if keep { old.grants } else { Vec::new() },
            initial_id: old.initial_id,
            product_code: old.product_code,
            account: old.account,
            proposer: old.proposer,
            resale_authorization: old.resale_authorization,
            customer_identifier: old.customer_identifier,
            auto_renew: old.auto_renew,
        };
        self.sign(successor, entitlements, plan, now)
    }

    /// Ends an agreement as its buyer, its end date or AWS would.
    pub(crate) fn finish(
        &mut self,
        id: &str,
        status: AgreementStatus,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        self.active(id)?;
        self.end(id, status, false, now);
        Ok(())
    }

    /// The agreement's end date has come.
    pub(crate) fn reach_end(&mut self, id: &str, at: Timestamp) {
        let Ok(agreement) = self.active(id) else { return };
        if agreement.ends != Some(at) {
            return;
        }
        if agreement.auto_renew && self.renew(id, at).is_ok() {
            return;
        }
        self.end(id, AgreementStatus::Expired, false, at);
    }

    /// The payment of a purchase fails before its license was ever updated.
    pub(crate) fn fail_subscription(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let agreement = self.active(id)?;
        let license = self.license_of(&agreement);
        if license.and_then(|it| it.active_from).is_some_and(|from| from <= now) {
            return Err(ChangeError::AlreadyActive);
        }
        // A failed agreement tells neither `Created` nor `License Updated` (F§6.2).
        self.notices.remove_where(|it| it.subject == agreement.id);
        if let Some(identifier) = &agreement.customer_identifier {
            self.withdraw(identifier, "subscribe-success", now);
            self.withdraw(identifier, "entitlement-updated", now);
        }
        self.licenses.update(&agreement.license_arn, |license| license.active_from = None);
        self.tell_subscription("subscribe-fail", &agreement, now);
        self.agreements.update(id, |agreement| {
            agreement.status = AgreementStatus::RolledBack;
            agreement.updated = now;
        });
        Ok(())
    }

    pub(crate) fn advise(
        &mut self,
        id: &str,
        resolved: bool,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let agreement = self.active(id)?;
        let (what, stamp) =
            if resolved { ("Resolved", "resolvedAt") } else { ("Issued", "issuedAt") };
        self.tell_advisory(what, stamp, &agreement, now);
        self.agreements.update(id, |agreement| agreement.updated = now);
        Ok(())
    }
}

/// The successor of a trial runs a year, that of any other agreement as long as it did.
fn paid_term(term: SignedDuration, after_trial: bool) -> SignedDuration {
    if after_trial { SignedDuration::from_hours(24 * 365) } else { term }
}
