//! A subscription: our record of one license. Independent facts, each with the time of the newest notice that set it;
//! phase, status and access follow from them and the time (design §5).

mod facts;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::AuditHead;
use crate::catalog::{Catalog, Plan, PricingModel};
use crate::entitlement::EntitlementSnapshot;
use crate::ids::{
    AccountId, AgreementId, CustomerIdentifier, FeatureId, LicenseRef, PlanId, ProductCode,
    SubscriptionId,
};
use crate::metering::MeteringPhase;
use crate::notice::EndStatus;
use crate::time::after;

pub use facts::{AgreementFacts, Agreements, Dated, LicenseFacts, Origin};
pub use tenant::{Tenant, TenantNotice, TenantNoticeKind};

/// How long AWS takes records after the end of a license (fact sheet §8.2).
pub const FINAL_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Where a license is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum LicensePhase {
    /// Bought, not activated yet.
    Pending,
    /// Activated.
    Active,
    /// Ended; AWS takes final usage for an hour.
    Closing {
        /// When AWS stops.
        until: Timestamp,
    },
    /// Over.
    Ended,
}

impl LicensePhase {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Closing { .. } => "closing",
            Self::Ended => "ended",
        }
    }
}

/// What people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not activated or not registered yet.
    Pending,
    /// In use.
    Active,
    /// Held by the seller or because of an AWS advisory.
    Suspended,
    /// Ended; final usage is being billed.
    Cancelling,
    /// Over: cancelled by the buyer, terminated by AWS, or never paid.
    Cancelled,
    /// Over: its term ran out.
    Expired,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Active,
        Self::Suspended,
        Self::Cancelling,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why access is withheld although the license is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// The seller suspended it.
    Seller,
    /// AWS issued an advisory about the account.
    Advisory,
}

/// Whether the buyer may use the product, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Registered, active, not held.
    Granted,
    /// The license is not active yet.
    NotActive,
    /// The buyer has not registered yet.
    NotRegistered,
    /// Held.
    OnHold,
    /// The license ended.
    Ended,
}

impl Access {
    /// Whether the buyer may use the product.
    pub fn is_granted(self) -> bool {
        self == Self::Granted
    }

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::NotActive => "not-active",
            Self::NotRegistered => "not-registered",
            Self::OnHold => "on-hold",
            Self::Ended => "ended",
        }
    }
}

/// A seller-initiated cancellation that was asked of AWS (fact sheet §5.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancellationRequest {
    /// AWS's id, `acr-…`.
    pub id: String,
    /// When it was asked.
    pub at: Timestamp,
}

/// Our record of one license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id, derived from the license.
    pub id: SubscriptionId,
    /// The license.
    pub license: LicenseRef,
    /// The listing.
    pub product: ProductCode,
    /// How the listing charges.
    pub pricing: PricingModel,
    /// The buyer.
    pub account: Option<AccountId>,
    /// The buyer, on older listings.
    pub customer: Option<CustomerIdentifier>,
    /// What is known of the license.
    pub license_facts: LicenseFacts,
    /// What is known of its agreements.
    pub agreements: Agreements,
    /// When the buyer registered, first.
    pub registered: Option<Timestamp>,
    /// Whether the seller suspended it.
    pub suspended: Option<Dated<bool>>,
    /// The plan set by the seller; an entitlement that names a plan wins over it.
    pub plan_set: Option<PlanId>,
    /// What GetEntitlements answered last.
    pub entitlements: Option<EntitlementSnapshot>,
    /// When to ask GetEntitlements again although no notice asks for it: it answered nothing yet.
    pub reread_entitlements: Option<Timestamp>,
    /// Whether a legacy notice spoke of a free trial.
    pub free_trial: bool,
    /// The platform workspace.
    pub tenant: Tenant,
    /// The subscription whose tenant goes on in this one.
    pub continues: Option<SubscriptionId>,
    /// A cancellation asked of AWS by the seller.
    pub cancellation: Option<CancellationRequest>,
    /// When the end was concluded: final usage settled or given up, and audited.
    pub concluded: Option<Timestamp>,
    /// The newest audit entry.
    pub audit: AuditHead,
    /// When we first heard of it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How many changes it has seen; guards every write.
    pub revision: u64,
}

impl Subscription {
    /// A license that was just heard of.
    pub fn new(
        license: LicenseRef,
        product: ProductCode,
        pricing: PricingModel,
        now: Timestamp,
    ) -> Self {
        let customer = match &license {
            LicenseRef::License { .. } => None,
            LicenseRef::Legacy { customer, .. } => Some(customer.clone()),
        };
        Self {
            id: license.subscription_id(),
            license,
            product,
            pricing,
            account: None,
            customer,
            license_facts: LicenseFacts::default(),
            agreements: Agreements::default(),
            registered: None,
            suspended: None,
            plan_set: None,
            entitlements: None,
            reread_entitlements: None,
            free_trial: false,
            tenant: Tenant::None,
            continues: None,
            cancellation: None,
            concluded: None,
            audit: AuditHead::default(),
            created_at: now,
            updated_at: now,
            revision: 0,
        }
    }

    /// When the license ended, as far as its newest notices tell: the earlier of agreement end and deprovisioning,
    /// unless a newer update opened it again. What happens in one second happened in that order: a buyer may cancel in
    /// the second of the activation, while a license that ends is not activated again in the same.
    pub fn closing_since(&self) -> Option<Timestamp> {
        let opened = self.license_facts.updated;
        let as_new = |at: &Timestamp| opened.is_none_or(|opened| *at >= opened);
        let by_license = self.license_facts.deprovisioned.filter(as_new);
        let by_agreement = self.agreements.ended().map(|ended| ended.at).filter(as_new);
        match (by_license, by_agreement) {
            (Some(license), Some(agreement)) => Some(license.min(agreement)),
            (license, agreement) => license.or(agreement),
        }
    }

    /// Where the license is in its life.
    pub fn phase(&self, now: Timestamp) -> LicensePhase {
        let LicenseFacts { updated, over, failed, .. } = self.license_facts;
        if over.is_some_and(|over| updated.is_none_or(|updated| over > updated)) {
            return LicensePhase::Ended;
        }
        match (self.closing_since(), updated) {
            (Some(since), _) => {
                let until = after(since, FINAL_WINDOW);
                if now < until { LicensePhase::Closing { until } } else { LicensePhase::Ended }
            }
            (None, Some(_)) => LicensePhase::Active,
            (None, None) if failed.is_some() => LicensePhase::Ended,
            (None, None) => LicensePhase::Pending,
        }
    }

    /// Whether AWS takes records, and from when.
    pub fn metering_phase(&self, now: Timestamp) -> MeteringPhase {
        match (self.phase(now), self.license_facts.activated) {
            (LicensePhase::Active, Some(since)) => MeteringPhase::Open { since },
            (LicensePhase::Closing { until }, Some(since)) => {
                MeteringPhase::Closing { since, until }
            }
            (LicensePhase::Ended, _) => MeteringPhase::Over,
            (LicensePhase::Pending | LicensePhase::Active | LicensePhase::Closing { .. }, _) => {
                MeteringPhase::NotYet
            }
        }
    }

    /// Why access is withheld, if it is.
    pub fn hold(&self) -> Option<Hold> {
        if self.suspended.is_some_and(|suspended| suspended.value) {
            Some(Hold::Seller)
        } else if self.agreements.has_advisory() {
            Some(Hold::Advisory)
        } else {
            None
        }
    }

    /// Access = registered ∧ license active ∧ no hold.
    pub fn access(&self, now: Timestamp) -> Access {
        match self.phase(now) {
            LicensePhase::Closing { .. } | LicensePhase::Ended => Access::Ended,
            LicensePhase::Pending => Access::NotActive,
            LicensePhase::Active if self.registered.is_none() => Access::NotRegistered,
            LicensePhase::Active if self.hold().is_some() => Access::OnHold,
            LicensePhase::Active => Access::Granted,
        }
    }

    /// What people are shown.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.phase(now) {
            LicensePhase::Closing { .. } => Status::Cancelling,
            LicensePhase::Ended
                if self.agreements.ended().is_some_and(|end| end.value == EndStatus::Expired) =>
            {
                Status::Expired
            }
            LicensePhase::Ended => Status::Cancelled,
            LicensePhase::Pending => Status::Pending,
            LicensePhase::Active if self.registered.is_none() => Status::Pending,
            LicensePhase::Active if self.hold().is_some() => Status::Suspended,
            LicensePhase::Active => Status::Active,
        }
    }

    /// The plan in force: the one an entitlement names, else the one set by the seller, else the catalog's default.
    pub fn plan<'a>(&self, catalog: &'a Catalog) -> Option<&'a Plan> {
        let entitled = self
            .entitlements
            .as_ref()
            .and_then(|snapshot| catalog.plan_entitled(snapshot.granted()));
        entitled
            .or_else(|| self.plan_set.as_ref().and_then(|id| catalog.plan(id)))
            .or_else(|| catalog.plan(catalog.default_plan()))
    }

    /// The features that may be used now; none without access.
    pub fn features(&self, catalog: &Catalog, now: Timestamp) -> BTreeSet<FeatureId> {
        if !self.access(now).is_granted() {
            return BTreeSet::new();
        }
        self.plan(catalog).map(|plan| plan.features.clone()).unwrap_or_default()
    }

    /// Records that the buyer registered; the first time counts.
    pub fn register(&mut self, at: Timestamp) {
        self.registered = Some(self.registered.map_or(at, |first| first.min(at)));
    }

    /// Joins what is known of an agreement of this license.
    pub fn join_agreement(&mut self, id: &AgreementId, facts: &AgreementFacts) {
        self.agreements.join(id, facts);
    }

    /// Goes on with the registration, tenant and seller's hold of an earlier subscription of the same buyer.
    pub fn continue_from(&mut self, earlier: &Self) {
        if earlier.id == self.id || self.continues.is_some() {
            return;
        }
        self.continues = Some(earlier.id.clone());
        if let Some(registered) = earlier.registered {
            self.register(registered);
        }
        if self.plan_set.is_none() {
            self.plan_set.clone_from(&earlier.plan_set);
        }
        if self.suspended.is_none() {
            self.suspended = earlier.suspended;
        }
        if let (Tenant::None | Tenant::Requested, Some(id)) = (&self.tenant, earlier.tenant.id()) {
            self.tenant = Tenant::Ready { id: id.clone() };
        }
    }

    /// The facts an auditor wants to see, by name; an audit entry holds those that changed.
    pub fn summary(&self, catalog: &Catalog, now: Timestamp) -> BTreeMap<String, String> {
        let mut summary = BTreeMap::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                summary.insert(name.to_owned(), value);
            }
        };
        put("license", Some(self.phase(now).as_str().to_owned()));
        put("status", Some(self.status(now).as_str().to_owned()));
        put("access", Some(self.access(now).as_str().to_owned()));
        let unnamed = self.license.arn().filter(|arn| !arn.is_complete());
        put("licenseWithoutArn", unnamed.map(|arn| arn.tail().to_owned()));
        put("licenseUpdated", self.license_facts.updated.map(|at| at.to_string()));
        put("closingSince", self.closing_since().map(|at| at.to_string()));
        put("plan", self.plan(catalog).map(|plan| plan.id.to_string()));
        put("account", self.account.as_ref().map(ToString::to_string));
        put("agreement", self.agreements.current().map(ToString::to_string));
        put("agreementEnds", self.agreements.current_end().map(|at| at.to_string()));
        put("agreementEnded", self.agreements.ended().map(|ended| format!("{:?}", ended.value)));
        put("registered", self.registered.map(|at| at.to_string()));
        put("hold", self.hold().map(|hold| format!("{hold:?}")));
        put("tenant", Some(self.tenant.to_string()));
        put("continues", self.continues.as_ref().map(ToString::to_string));
        put("entitlements", self.entitlements.as_ref().map(EntitlementSnapshot::summary));
        put("cancellation", self.cancellation.as_ref().map(|request| request.id.clone()));
        put("concluded", self.concluded.map(|at| at.to_string()));
        summary
    }

    /// When something is to be done although no notice comes: the end of the final hour, or entitlements to ask for
    /// again.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self.phase(now) {
            LicensePhase::Closing { until } => Some(until),
            LicensePhase::Ended => self.concluded.is_none().then_some(now),
            LicensePhase::Pending | LicensePhase::Active => self.reread_entitlements,
        }
    }

    /// Whether the terms in force stand in for an answer of GetEntitlements that has not come yet. Nothing is due on
    /// them; what was used is judged by the answer once it is there.
    pub fn terms_are_provisional(&self) -> bool {
        self.pricing.has_entitlements() && self.entitlements.is_none()
    }

    /// Takes over an answer of GetEntitlements. An empty answer never takes away what a former one granted: right
    /// after the purchase it means "not yet", and after the end the final hour is still billed on the old terms.
    pub fn take_entitlements(&mut self, snapshot: EntitlementSnapshot, ask_again: Timestamp) {
        if snapshot.values.is_empty() {
            self.reread_entitlements = self.entitlements.is_none().then_some(ask_again);
            return;
        }
        if self.entitlements.as_ref().is_none_or(|kept| kept.as_of <= snapshot.as_of) {
            self.entitlements = Some(snapshot);
        }
        self.reread_entitlements = None;
    }
}
