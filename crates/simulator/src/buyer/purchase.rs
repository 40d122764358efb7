//! Buying: what a purchase says, and when the marketplace refuses it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::later;
use crate::product::Product;
use crate::records::{Agreement, AgreementStatus, Intent, License};
use crate::state::State;
use crate::storage::StorageError;
use crate::switches::LicenseOnResubscribe;

use super::sign::LicensePlan;

/// Active agreements of one account for one product (F§1).
const MOST_AGREEMENTS: usize = 100;

/// What a buyer accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Purchase {
    /// The buyer's account: 12 digits.
    pub account: String,
    /// Quantity by dimension; empty for pay as you go. In JSON, integers or decimal strings.
    #[serde(deserialize_with = "quantities")]
    pub entitlements: BTreeMap<String, Decimal>,
    /// Days of free trial.
    pub free_trial: Option<u32>,
    /// A later start, for contracts only; `None` is now.
    pub starts: Option<Timestamp>,
    /// The end; `None` is never for pay as you go, the end of the trial for a contract's trial,
    /// and a year for any other contract.
    pub ends: Option<Timestamp>,
    /// Whether the agreement renews at its end.
    pub auto_renew: bool,
    /// Bought the old way: with a customer identifier, told over SNS.
    pub legacy: bool,
    /// The payment fails: the agreement is rolled back and the license never works.
    pub fails: bool,
    /// The product's code; `None` is the simulator's main product.
    pub product_code: Option<String>,
    /// The offer; `None` makes up a new id.
    pub offer_id: Option<String>,
    /// The account of the reseller who sold it.
    pub reseller: Option<String>,
}

impl Default for Purchase {
    fn default() -> Self {
        Self {
            account: "111122223333".into(),
            entitlements: BTreeMap::new(),
            free_trial: None,
            starts: None,
            ends: None,
            auto_renew: false,
            legacy: false,
            fails: false,
            product_code: None,
            offer_id: None,
            reseller: None,
        }
    }
}

/// The ids of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    /// `agmt-…`.
    pub agreement_id: String,
    /// The license.
    pub license_arn: String,
    /// The buyer's account.
    pub account: String,
    /// The accepted offer.
    pub offer_id: String,
    /// For a legacy purchase.
    pub customer_identifier: Option<String>,
}

impl From<&Agreement> for Bought {
    fn from(agreement: &Agreement) -> Self {
        Self {
            agreement_id: agreement.id.clone(),
            license_arn: agreement.license_arn.clone(),
            account: agreement.account.clone(),
            offer_id: agreement.offer_id.clone(),
            customer_identifier: agreement.customer_identifier.clone(),
        }
    }
}

/// Why the marketplace refuses a purchase.
#[derive(Debug, thiserror::Error)]
pub enum BuyError {
    /// Not 12 digits.
    #[error("an account id has 12 digits, not {0:?}")]
    InvalidAccount(String),
    /// Sellers cannot buy their own products (F§9).
    #[error("a seller cannot buy its own product")]
    OwnProduct,
    /// No product has this code.
    #[error("no product has the code {0}")]
    UnknownProduct(String),
    /// The product does not sell the dimension up front.
    #[error("the product does not sell the dimension {0:?}")]
    UnknownDimension(String),
    /// A contract needs an entitlement.
    #[error("a contract needs at least one entitlement")]
    NothingBought,
    /// An entitlement is zero or negative, or a fraction where integers are counted.
    #[error("{quantity} is no quantity of {dimension:?}")]
    InvalidQuantity {
        /// The dimension.
        dimension: String,
        /// The refused quantity.
        quantity: Decimal,
    },
    /// One free trial per account and product (F§8.5).
    #[error("the account has had its free trial")]
    TrialUsed,
    /// A trial has 7 to 90 days (F§8.5).
    #[error("a free trial has 7 to 90 days")]
    InvalidTrial,
    /// 100 active agreements per account and product (F§1).
    #[error("the account has too many active agreements for the product")]
    TooManyAgreements,
    /// Only contracts start later, by 3 years at most; nothing ends before it starts (F§8.6).
    #[error("the agreement cannot start or end then")]
    InvalidTerm,
    /// The storage failed; nothing is certain.
    #[error("the storage failed")]
    Storage(#[from] StorageError),
}

impl State {
    pub(crate) fn buy(&mut self, purchase: Purchase, now: Timestamp) -> Result<Bought, BuyError> {
        let code = purchase.product_code.clone().unwrap_or_else(|| self.main_product.clone());
        let product =
            self.products.get(&code).cloned().ok_or_else(|| BuyError::UnknownProduct(code))?;
        self.check_buyer(&purchase, &product)?;
        self.check_entitlements(&product, &purchase.entitlements)?;
        let starts = purchase.starts.unwrap_or(now);
        let trial = purchase
            .free_trial
            .map(|days| later(starts, SignedDuration::from_hours(24 * i64::from(days))));
        let ends = purchase.ends.or_else(|| match (product.pricing.has_contract(), trial) {
            (false, _) => None,
            (true, Some(trial_ends)) => Some(trial_ends),
            (true, None) => Some(in_a_year(starts)),
        });
        check_term(&product, starts, ends, now)?;

        let id = self.ids.agreement();
        let identifier = purchase.legacy.then(|| {
            let known = self.customer_by_account(&product.code, &purchase.account);
            known.map(|it| it.identifier.clone())
        });
        let identifier = identifier.map(|it| it.unwrap_or_else(|| self.ids.customer_identifier()));
        let agreement = Agreement {
            initial_id: id.clone(),
            id,
            previous_id: None,
            intent: Intent::New,
            license_arn: String::new(),
            offer_id: purchase.offer_id.unwrap_or_else(|| self.ids.offer()),
            resale_authorization: purchase
                .reseller
                .is_some()
                .then(|| self.ids.resale_authorization()),
            proposer: purchase.reseller.unwrap_or_else(|| product.publishing_account.clone()),
            product_code: product.code,
            account: purchase.account,
            customer_identifier: identifier,
            accepted: now,
            starts,
            ends,
            free_trial_ends: trial,
            auto_renew: purchase.auto_renew,
            status: AgreementStatus::Active,
            updated: now,
            grants: Vec::new(),
        };
        if purchase.fails {
            return Ok(self.sign_in_vain(agreement, purchase.entitlements, now));
        }
        let plan = self.license_of_returning_buyer(&agreement);
        Ok(self.sign(agreement, purchase.entitlements, plan, now))
    }

    fn check_buyer(&self, purchase: &Purchase, product: &Product) -> Result<(), BuyError> {
        let account = &purchase.account;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BuyError::InvalidAccount(account.clone()));
        }
        if *account == product.publishing_account {
            return Err(BuyError::OwnProduct);
        }
        let mut active = 0;
        for other in self.agreements.values() {
            if other.account != *account || other.product_code != product.code {
                continue;
            }
            active += usize::from(other.is_active());
            if purchase.free_trial.is_some() && other.free_trial_ends.is_some() {
                return Err(BuyError::TrialUsed);
            }
        }
        if active >= MOST_AGREEMENTS {
            return Err(BuyError::TooManyAgreements);
        }
        match purchase.free_trial {
            Some(days) if !(7..=90).contains(&days) => Err(BuyError::InvalidTrial),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that the product sells these quantities.
    pub(crate) fn check_entitlements(
        &self,
        product: &Product,
        entitlements: &BTreeMap<String, Decimal>,
    ) -> Result<(), BuyError> {
        if product.pricing == crate::Pricing::Contract && entitlements.is_empty() {
            return Err(BuyError::NothingBought);
        }
        for (dimension, quantity) in entitlements {
            if !product.sells(dimension) {
                return Err(BuyError::UnknownDimension(dimension.clone()));
            }
            let integer = self.value_type(product, dimension).counts_integers();
            if *quantity <= Decimal::ZERO || (integer && !quantity.is_integer()) {
                let (dimension, quantity) = (dimension.clone(), *quantity);
                return Err(BuyError::InvalidQuantity { dimension, quantity });
            }
        }
        Ok(())
    }

    fn license_of_returning_buyer(&self, agreement: &Agreement) -> LicensePlan {
        // The two ways of buying are told on different channels: neither takes up a license of the other.
        let same_way = |license: &License| {
            let paid = self.agreements.get(&license.agreement_id);
            paid.is_some_and(|it| {
                it.customer_identifier.is_some() == agreement.customer_identifier.is_some()
            })
        };
        let returning = self.licenses.values().filter(|it| {
            it.ended.is_some()
                && same_way(it)
                && it.account == agreement.account
                && it.product_code == agreement.product_code
        });
        match self.switches.license_on_resubscribe {
            LicenseOnResubscribe::New => LicensePlan::New,
            LicenseOnResubscribe::Same => returning
                .max_by_key(|it| it.ended)
                .map_or(LicensePlan::New, |it| LicensePlan::Reopen(it.arn.clone())),
        }
    }
}

fn check_term(
    product: &Product,
    starts: Timestamp,
    ends: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), BuyError> {
    let three_years = SignedDuration::from_hours(24 * 366 * 3);
    let lead = starts.duration_since(now);
    let future = lead > SignedDuration::ZERO;
    let invalid = lead < SignedDuration::ZERO
        || lead > three_years
        || (future && !product.pricing.has_contract())
        || ends.is_some_and(|ends| ends <= starts);
    if invalid { Err(BuyError::InvalidTerm) } else { Ok(()) }
}

/// Reads quantities from integers or decimal strings.
pub(crate) fn quantities<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Decimal>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Quantity {
        Integer(u64),
        Decimal(Decimal),
    }
    let quantities = BTreeMap::<String, Quantity>::deserialize(deserializer)?;
    let quantities = quantities.into_iter().map(|(dimension, quantity)| match quantity {
        Quantity::Integer(number) => (dimension, number.into()),
        Quantity::Decimal(number) => (dimension, number),
    });
    Ok(quantities.collect())
}

fn in_a_year(from: Timestamp) -> Timestamp {
    let year = from.to_zoned_datetime(TimeZone::UTC).checked_add(1.year());
    year.map_or(Timestamp::MAX, |end| end.timestamp())
}
