//! Agreements begin and end, and their licenses with them (F§8.2, 8.6).

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::clock::later;
use crate::records::{Agreement, AgreementStatus, Customer, Grant, Intent, License, Metering};
use crate::state::{State, customer_row};
use crate::switches::{EndedOnChain, FutureDatedCreated, RenewalCreatedEvent};

use super::purchase::Bought;

/// The license of a new agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LicensePlan {
    /// A new one.
    New,
    /// That of the agreement before, without a break.
    Keep(String),
    /// That of a buyer who left and came back.
    Reopen(String),
}

impl State {
    /// Puts a signed agreement into force and tells of it.
    pub(crate) fn sign(
        &mut self,
        mut agreement: Agreement,
        entitlements: BTreeMap<String, Decimal>,
        plan: LicensePlan,
        now: Timestamp,
    ) -> Bought {
        let begins = agreement.starts.max(now);
        let effective = later(begins, self.switches.license_updated_delay);
        agreement.grants.push(Grant { signed: now, effective, entitlements });
        self.attach_license(&mut agreement, plan, effective);
        if let Some(identifier) = agreement.customer_identifier.clone() {
            self.withdraw(&identifier, "unsubscribe-success", now);
            self.remember_customer(identifier, &agreement);
        }

        let told = match self.switches.future_dated_created {
            FutureDatedCreated::Start => begins,
            FutureDatedCreated::Sign => now,
        };
        let silent = agreement.intent == Intent::Renew
            && self.switches.renewal_created_event == RenewalCreatedEvent::Off;
        if !silent {
            self.tell_created(&agreement, told);
        }
        self.tell_license("License Updated", &agreement, effective);
        self.tell_subscription("subscribe-success", &agreement, effective);
        self.tell_entitlement(&agreement, effective);

        let bought = Bought::from(&agreement);
        self.plan_end(&agreement);
        self.agreements.insert(agreement.id.clone(), agreement);
        bought
    }

    /// Records an agreement whose payment fails: its license never works, and only legacy
    /// products are told (F§6.2).
    pub(crate) fn sign_in_vain(
        &mut self,
        mut agreement: Agreement,
        entitlements: BTreeMap<String, Decimal>,
        now: Timestamp,
    ) -> Bought {
        let effective = later(now, self.switches.license_updated_delay);
        agreement.status = AgreementStatus::RolledBack;
        agreement.grants.push(Grant { signed: now, effective, entitlements });
        self.attach_license(&mut agreement, LicensePlan::New, effective);
        self.licenses.update(&agreement.license_arn, |license| license.active_from = None);
        if let Some(identifier) = agreement.customer_identifier.clone() {
            self.remember_customer(identifier, &agreement);
        }
        self.tell_subscription("subscribe-fail", &agreement, effective);
        let bought = Bought::from(&agreement);
        self.agreements.insert(agreement.id.clone(), agreement);
        bought
    }

    /// Ends an agreement at `at`; `successor_keeps_license` leaves its license alone.
    pub(crate) fn end(
        &mut self,
        id: &str,
        status: AgreementStatus,
        successor_keeps_license: bool,
        at: Timestamp,
    ) {
        self.agreements.update(id, |agreement| {
            agreement.status = status;
            agreement.updated = at;
        });
        let Some(agreement) = self.agreements.get(id).cloned() else { return };
        // A license updated after its end would look like a new subscription.
        if !successor_keeps_license {
            for served in self.served_by(&agreement.license_arn) {
                self.withdraw(&served, "License Updated", at);
            }
        }
        self.withdraw(id, "Purchase Agreement Created", at);
        // What was never told to begin is not told to end.
        let untold = agreement.starts > at
            && self.switches.future_dated_created == FutureDatedCreated::Start;
        let chained = status.continues();
        let silent = chained && self.switches.ended_on_chain == EndedOnChain::Off;
        if !untold && !silent {
            self.tell_ended(&agreement, at);
        }
        if successor_keeps_license {
            return;
        }
        let deprovisioned = later(at, self.switches.deprovision_delay);
        self.licenses.update(&agreement.license_arn, |license| {
            license.ended = Some(at);
            license.active_from = license.active_from.filter(|from| *from <= at);
            license.deprovisioned = Some(deprovisioned);
        });
        if !chained && let Some(identifier) = &agreement.customer_identifier {
            self.withdraw(identifier, "subscribe-success", at);
            self.withdraw(identifier, "entitlement-updated", at);
        }
        // The license of a buyer who came back served an agreement before: its end is told.
        let first = self.served_by(&agreement.license_arn).len() == 1;
        if untold && first {
            return;
        }
        self.tell_license("License Deprovisioned", &agreement, deprovisioned);
        if !chained {
            self.tell_subscription("unsubscribe-pending", &agreement, at);
            let over = later(at, self.switches.final_window);
            self.tell_subscription("unsubscribe-success", &agreement, over);
            self.tell_entitlement(&agreement, deprovisioned);
        }
    }

    /// The agreements that a license serves or served.
    fn served_by(&self, license_arn: &str) -> Vec<String> {
        let served = self.agreements.values().filter(|it| it.license_arn == license_arn);
        served.map(|it| it.id.clone()).collect()
    }

    fn attach_license(
        &mut self,
        agreement: &mut Agreement,
        plan: LicensePlan,
        effective: Timestamp,
    ) {
        let reopens = matches!(plan, LicensePlan::Reopen(_));
        let arn = match plan {
            LicensePlan::New => {
                let arn = self.ids.license_arn();
                let license = License {
                    arn: arn.clone(),
                    product_code: agreement.product_code.clone(),
                    account: agreement.account.clone(),
                    agreement_id: agreement.id.clone(),
                    starts: agreement.starts,
                    active_from: Some(effective),
                    ended: None,
                    deprovisioned: None,
                };
                self.licenses.insert(arn.clone(), license);
                arn
            }
            LicensePlan::Keep(arn) | LicensePlan::Reopen(arn) => {
                let switches = self.switches.clone();
                // A license that is kept is active already, or will be when it was to be at the latest.
                self.licenses.update(&arn, |license| {
                    let open = license.metering(agreement.accepted, &switches) == Metering::Open;
                    let planned = license.active_from.filter(|_| !reopens || open);
                    license.active_from = Some(planned.map_or(effective, |at| at.min(effective)));
                    license.agreement_id.clone_from(&agreement.id);
                    license.starts = license.starts.min(agreement.starts);
                    license.ended = None;
                    license.deprovisioned = None;
                });
                // What goes on is not deprovisioned, as an older listing's subscription then is not over (F§7.3).
                for earlier in self.served_by(&arn) {
                    self.withdraw(&earlier, "License Deprovisioned", agreement.accepted);
                }
                arn
            }
        };
        agreement.license_arn = arn;
    }

    fn remember_customer(&mut self, identifier: String, agreement: &Agreement) {
        let row = customer_row(&agreement.product_code, &identifier);
        let mut customer = self.customers.get(&row).cloned().unwrap_or_else(|| Customer {
            identifier,
            product_code: agreement.product_code.clone(),
            account: agreement.account.clone(),
            licenses: Vec::new(),
        });
        if !customer.licenses.contains(&agreement.license_arn) {
            customer.licenses.push(agreement.license_arn.clone());
        }
        self.customers.insert(row, customer);
    }
}
