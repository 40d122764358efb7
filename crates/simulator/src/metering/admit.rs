//! The second gate: what fails the whole request although its form is right (F§3.6).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::request::{Batch, Identity, Record};
use super::window;
use crate::product::Product;
use crate::records::{LedgerKey, License, Metering, hour_of};
use crate::state::State;
use crate::switches::{AfterWindow, BeforeStart, MixedPath, SameKeyInBatch};
use crate::wire::{ApiError, Caller};

/// A record that only its own fate is left to decide of.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) record: Record,
    pub(super) key: LedgerKey,
    pub(super) product_code: String,
    pub(super) customer_identifier: Option<String>,
    pub(super) agreement_id: String,
    pub(super) metering: Metering,
}

/// Whose usage a record is, looked up.
struct Subject<'a> {
    /// What the ledger key holds: the license or the product code.
    path: String,
    product: &'a Product,
    account: String,
    customer_identifier: Option<String>,
    /// Oldest first; none for an unknown customer.
    licenses: Vec<&'a License>,
}

impl State {
    pub(super) fn admit(
        &self,
        caller: &Caller,
        batch: Batch,
        now: Timestamp,
    ) -> Result<Vec<Admitted>, ApiError> {
        let mut admitted = Vec::new();
        for record in batch.records {
            admitted.push(self.admit_one(caller, batch.product_code.as_deref(), record, now)?);
        }
        let products: BTreeSet<_> = admitted.iter().map(|it| &it.product_code).collect();
        if products.len() > 1 {
            return Err(invalid_license("The licenses belong to several products"));
        }
        let keys: BTreeSet<_> = admitted.iter().map(|it| &it.key).collect();
        let repeated = keys.len() < admitted.len();
        if repeated && self.switches.same_key_in_batch == SameKeyInBatch::Reject {
            return Err(self.invalid("Two records meter the same customer, dimension and hour"));
        }
        Ok(admitted)
    }

    fn admit_one(
        &self,
        caller: &Caller,
        product_code: Option<&str>,
        record: Record,
        now: Timestamp,
    ) -> Result<Admitted, ApiError> {
        let subject = self.subject(caller, product_code, &record.identity)?;
        if !subject.product.meters(&record.dimension) {
            return Err(ApiError::metering(
                "InvalidUsageDimensionException",
                format!("The product has no metered dimension {}", record.dimension),
            ));
        }
        if !window::accepts(record.timestamp, now, &self.switches) {
            return Err(out_of_bounds());
        }
        let hour = hour_of(record.timestamp);
        let first_hour = subject.licenses.iter().map(|it| hour_of(it.starts)).min();
        if first_hour.is_some_and(|first| hour < first) {
            let by_license = matches!(record.identity, Identity::License { .. });
            match self.switches.before_start {
                BeforeStart::InvalidLicense if by_license => {
                    return Err(invalid_license("The usage is from before the agreement"));
                }
                BeforeStart::InvalidLicense | BeforeStart::OutOfBounds => {
                    return Err(out_of_bounds());
                }
                BeforeStart::Accept => {}
            }
        }
        let (metering, license) = self.judge(&subject, now);
        if metering == Metering::Closed
            && license.is_some()
            && self.switches.after_window == AfterWindow::InvalidLicense
        {
            return Err(invalid_license("The agreement's final window is over"));
        }
        let key = LedgerKey {
            region: caller.region.clone(),
            path: subject.path.clone(),
            account: subject.account.clone(),
            dimension: record.dimension.clone(),
            hour,
        };
        if self.switches.mixed_path == MixedPath::Reject && self.metered_otherwise(&subject, &key) {
            return Err(self.invalid("The hour is metered by license and by product code"));
        }
        Ok(Admitted {
            record,
            key,
            product_code: subject.product.code.clone(),
            customer_identifier: subject.customer_identifier,
            agreement_id: license.map(|it| it.agreement_id.clone()).unwrap_or_default(),
            metering,
        })
    }

    /// A legacy customer is metered as long as any of its licenses is.
    fn judge<'a>(&self, subject: &Subject<'a>, now: Timestamp) -> (Metering, Option<&'a License>) {
        let mut latest = (Metering::Closed, None);
        for license in &subject.licenses {
            let metering = license.metering(now, &self.switches);
            latest = (metering, Some(*license));
            if metering == Metering::Open {
                break;
            }
        }
        latest
    }

    fn subject<'a>(
        &'a self,
        caller: &Caller,
        product_code: Option<&str>,
        identity: &Identity,
    ) -> Result<Subject<'a>, ApiError> {
        match identity {
            Identity::License { arn, account } => {
                let license = self.licenses.get(arn).filter(|it| it.account == *account);
                let license = license.ok_or_else(|| invalid_license("No such license"))?;
                let product = self.products.get(&license.product_code);
                let product =
                    product.filter(|it| it.publishing_account == caller.account).ok_or_else(
                        || invalid_license("The license is not for the caller's product"),
                    )?;
                if product_code.is_some_and(|code| code != product.code) {
                    return Err(invalid_product_code());
                }
                Ok(Subject {
                    path: arn.clone(),
                    product,
                    account: account.clone(),
                    customer_identifier: None,
                    licenses: vec![license],
                })
            }
            Identity::Customer { identifier } => {
                let product = self.published(caller, product_code)?;
                let customer = self.customer(&product.code, identifier).ok_or_else(|| {
                    ApiError::metering(
                        "InvalidCustomerIdentifierException",
                        "No customer has this CustomerIdentifier",
                    )
                })?;
                Ok(Subject {
                    path: product.code.clone(),
                    product,
                    account: customer.account.clone(),
                    customer_identifier: Some(identifier.clone()),
                    licenses: self.licenses_named(&customer.licenses),
                })
            }
            Identity::Account { account } => {
                let product = self.published(caller, product_code)?;
                let customer = self.customer_by_account(&product.code, account);
                let known = self
                    .licenses
                    .values()
                    .any(|it| it.account == *account && it.product_code == product.code);
                if customer.is_none() && known {
                    return Err(self.invalid("A customer with licenses is metered by LicenseArn"));
                }
                Ok(Subject {
                    path: product.code.clone(),
                    product,
                    account: account.clone(),
                    customer_identifier: customer.map(|it| it.identifier.clone()),
                    licenses: customer
                        .map_or_else(Vec::new, |it| self.licenses_named(&it.licenses)),
                })
            }
        }
    }

    fn published(&self, caller: &Caller, product_code: Option<&str>) -> Result<&Product, ApiError> {
        let code = product_code.ok_or_else(|| self.invalid("ProductCode is missing"))?;
        let product = self.products.get(code);
        product
            .filter(|it| it.publishing_account == caller.account)
            .ok_or_else(invalid_product_code)
    }

    fn licenses_named(&self, arns: &[String]) -> Vec<&License> {
        arns.iter().filter_map(|arn| self.licenses.get(arn)).collect()
    }

    /// Whether the hour has been metered by the other of license and product code.
    fn metered_otherwise(&self, subject: &Subject<'_>, key: &LedgerKey) -> bool {
        let by_code = key.path == subject.product.code;
        let account_licenses = self.licenses.values().filter(|it| {
            by_code && it.account == subject.account && it.product_code == subject.product.code
        });
        let mut others: Vec<&String> = account_licenses.map(|it| &it.arn).collect();
        if !by_code {
            others.push(&subject.product.code);
        }
        others.into_iter().any(|path| {
            let other = LedgerKey { path: path.clone(), ..key.clone() };
            self.ledger.get(&other.row()).is_some()
        })
    }
}

fn invalid_license(message: &str) -> ApiError {
    ApiError::metering("InvalidLicenseException", message)
}

fn invalid_product_code() -> ApiError {
    let message = "The product code is not one that the caller has published";
    ApiError::metering("InvalidProductCodeException", message)
}

fn out_of_bounds() -> ApiError {
    let message = "The timestamp value passed in the meterUsage() is out of allowed range";
    ApiError::metering("TimestampOutOfBoundsException", message)
}
