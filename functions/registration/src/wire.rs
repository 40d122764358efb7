//! Forms as they come, and the JSON twins of the pages.

use std::collections::BTreeMap;

use app::ports::{RegistrationToken, ResolvedBuyer};
use app::registration::{Landing, Registered};
use domain::catalog::{Allowance, Catalog};
use domain::ids::{AccountId, AgreementId, PlanId, SubscriptionId};
use domain::subscription::{LicensePhase, Status, Subscription};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use pages::format;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::session;

/// What AWS Marketplace makes the browser post (fact sheet §2.1). Other fields may come; they are unsigned and not
/// read.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LandingForm {
    #[serde(rename = "x-amzn-marketplace-token", default)]
    token: String,
    #[serde(rename = "x-amzn-marketplace-offer-type", default)]
    offer_type: String,
}

impl LandingForm {
    /// Whether the buyer took a free trial. Only good for what the page says: the browser can send anything.
    pub(crate) fn is_free_trial(&self) -> bool {
        self.offer_type == "free-trial"
    }

    /// The token; `None` when there is none.
    pub(crate) fn token(self) -> Option<RegistrationToken> {
        RegistrationToken::from_form(self.token)
    }
}

/// The registration form. Personal data: it is neither logged nor shown to anyone but its sender.
#[derive(Default, Deserialize, JsonSchema)]
pub(crate) struct ProfileForm {
    #[serde(default)]
    pub(crate) company: String,
    #[serde(default)]
    pub(crate) contact: String,
    #[serde(default)]
    pub(crate) email: String,
    /// Which of the browser's registrations it belongs to.
    #[serde(default)]
    pub(crate) registration: String,
    /// The seller's own fields.
    #[serde(flatten)]
    pub(crate) extra: BTreeMap<String, String>,
}

impl ProfileForm {
    /// An empty form of a buyer.
    pub(crate) fn of(buyer: &ResolvedBuyer) -> Self {
        Self { registration: session::tag(buyer), ..Self::default() }
    }
}

/// What a page or a program is told of a subscription.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each told by its name")]
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    #[schemars(with = "shapes::SubscriptionId")]
    pub(crate) id: SubscriptionId,
    #[schemars(with = "shapes::SubscriptionStatus")]
    pub(crate) status: Status,
    pub(crate) access_granted: bool,
    pub(crate) plan: Option<PlanName>,
    #[schemars(with = "Option<shapes::AgreementId>")]
    pub(crate) agreement_id: Option<AgreementId>,
    #[schemars(with = "Option<shapes::Instant>")]
    pub(crate) agreement_ends_at: Option<Timestamp>,
    pub(crate) tenant_ready: bool,
    /// Whether AWS has activated the license.
    pub(crate) activated: bool,
    pub(crate) free_trial: bool,
    /// What the plan includes, a phrase each; for people.
    #[serde(skip)]
    pub(crate) included: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanName {
    #[schemars(with = "shapes::PlanId")]
    pub(crate) id: PlanId,
    pub(crate) title: String,
}

impl Standing {
    pub(crate) fn of(subscription: &Subscription, catalog: &Catalog, now: Timestamp) -> Self {
        // Until AWS has told what was bought, the plan in force is a stand-in that would only confuse the buyer.
        let plan = subscription.plan(catalog).filter(|_| !subscription.terms_are_provisional());
        Self {
            id: subscription.id.clone(),
            status: subscription.status(now),
            access_granted: subscription.access(now).is_granted(),
            plan: plan.map(|plan| PlanName { id: plan.id.clone(), title: plan.title.clone() }),
            agreement_id: subscription.agreements.current().cloned(),
            agreement_ends_at: subscription.agreements.current_end(),
            tenant_ready: subscription.tenant.id().is_some(),
            activated: subscription.phase(now) == LicensePhase::Active,
            free_trial: subscription.free_trial,
            included: plan.map(|_| included(subscription, catalog)).unwrap_or_default(),
        }
    }
}

fn included(subscription: &Subscription, catalog: &Catalog) -> Vec<String> {
    let phrase = |spec| match subscription.terms(spec, catalog).included {
        Allowance::Unlimited => Some(format!("{}: unlimited", spec.title)),
        Allowance::Limited(included) if included.is_zero() => None,
        Allowance::Limited(included) => {
            Some(format!("{}: {} a month", spec.title, format::units(included, &spec.unit)))
        }
    };
    catalog.dimensions().iter().filter_map(phrase).collect()
}

/// The answer to a landing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LandingAnswer {
    pub(crate) registered: bool,
    pub(crate) free_trial: bool,
    #[schemars(with = "Option<shapes::AccountId>")]
    pub(crate) account: Option<AccountId>,
    #[schemars(with = "Option<shapes::AgreementId>")]
    pub(crate) agreement_id: Option<AgreementId>,
    /// Absent while AWS has not told the license.
    pub(crate) subscription: Option<Standing>,
    /// Where to post `company`, `contact` and `email`.
    pub(crate) complete_at: &'static str,
    /// Which of the browser's registrations this is: the form's field `registration`.
    pub(crate) registration: String,
}

/// Where the registration form goes.
pub(crate) const COMPLETE_AT: &str = "/marketplace/register/complete";

impl LandingAnswer {
    pub(crate) fn of(
        landing: &Landing,
        free_trial: bool,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Self {
        let subscription = landing.subscription.as_ref();
        Self {
            registered: landing.registered,
            free_trial,
            account: landing.buyer.account.clone(),
            agreement_id: landing.buyer.agreement.clone(),
            subscription: subscription.map(|state| Standing::of(state, catalog, now)),
            complete_at: COMPLETE_AT,
            registration: session::tag(&landing.buyer),
        }
    }
}

/// The answer to a completed form.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompletionAnswer {
    pub(crate) registered: bool,
    /// Absent while AWS has not told the license.
    pub(crate) subscription: Option<Standing>,
}

impl CompletionAnswer {
    pub(crate) fn of(registered: &Registered, catalog: &Catalog, now: Timestamp) -> Self {
        let subscription = match registered {
            Registered::Subscription(state) => Some(Standing::of(state, catalog, now)),
            Registered::AwaitingLicense => None,
        };
        Self { registered: true, subscription }
    }
}
