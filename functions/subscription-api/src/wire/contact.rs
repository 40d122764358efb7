//! Whom to write to about a subscription.

use std::collections::BTreeMap;

use app::ports::Customer;
use domain::ids::{AccountId, SubscriptionId};
use jiff::Timestamp;
use lambda_shell::contract::shapes;
use schemars::JsonSchema;
use serde::Serialize;

/// `GET /marketplace/subscriptions/{id}/contact`: personal data, never logged and not to be cached.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Contact")]
pub(crate) struct ContactBody {
    #[schemars(with = "shapes::SubscriptionId")]
    subscription_id: SubscriptionId,
    /// The buying account; absent on older listings.
    #[schemars(with = "Option<shapes::AccountId>")]
    account: Option<AccountId>,
    /// Absent where the buyer left it out or the form does not ask for it.
    company: Option<String>,
    /// The contact's name; absent as `company` is.
    contact: Option<String>,
    email: String,
    /// What the form asks for besides, by the names of its fields.
    extra: BTreeMap<String, String>,
    #[schemars(with = "shapes::Instant")]
    updated_at: Timestamp,
}

impl ContactBody {
    pub(crate) fn of(subscription_id: SubscriptionId, customer: Customer) -> Self {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        Self {
            subscription_id,
            account: customer.account,
            company: filled(customer.company),
            contact: filled(customer.contact),
            email: customer.email,
            extra: customer.extra,
            updated_at: customer.updated_at,
        }
    }
}
