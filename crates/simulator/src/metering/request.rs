//! The first gate: the form of the request (F§3.1). One bad record fails the whole request.

use axum::http::StatusCode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::allocations;
use super::quantity::{self, Refusal};
use crate::state::State;
use crate::switches::{BothIdentifiers, EmptyCustomerIdentifier, ValidationCode};
use crate::wire::{ApiError, Service};

const MOST_RECORDS: usize = 25;

/// A request whose form is right.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) product_code: Option<String>,
    pub(super) records: Vec<Record>,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    /// As it was sent, to be echoed.
    pub(super) sent: Value,
    pub(super) timestamp: Timestamp,
    pub(super) dimension: String,
    pub(super) identity: Identity,
    pub(super) quantity: Decimal,
}

/// Whose usage it is, in the three ways a record can say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    License {
        arn: String,
        account: String,
    },
    /// Legacy: the product code is the request's.
    Customer {
        identifier: String,
    },
    /// Legacy: the product code is the request's.
    Account {
        account: String,
    },
}

impl State {
    /// A constraint violation; its code is not certain (F§3.6).
    pub(crate) fn invalid(&self, message: impl Into<String>) -> ApiError {
        match self.switches.validation_code {
            ValidationCode::ValidationException => ApiError::new(
                Service::Metering,
                StatusCode::BAD_REQUEST,
                "ValidationException",
                message,
            ),
            ValidationCode::ValidationError => {
                ApiError::common(StatusCode::BAD_REQUEST, "ValidationError", message)
            }
        }
    }

    pub(super) fn read_batch(&self, request: &Value) -> Result<Batch, ApiError> {
        let product_code = text(request, "ProductCode")?.filter(|code| !code.is_empty());
        if product_code.as_ref().is_some_and(|code| code.len() > 255) {
            return Err(self.invalid("ProductCode is too long"));
        }
        let records = match request.get("UsageRecords") {
            Some(Value::Array(records)) => records,
            Some(Value::Null) | None => return Err(self.invalid("UsageRecords is missing")),
            Some(_) => return Err(ApiError::serialization("UsageRecords is not a list")),
        };
        if records.len() > MOST_RECORDS {
            return Err(self.invalid("UsageRecords has more than 25 members"));
        }
        let records = records.iter().map(|record| self.read_record(record));
        Ok(Batch { product_code, records: records.collect::<Result<_, _>>()? })
    }

    fn read_record(&self, record: &Value) -> Result<Record, ApiError> {
        if !record.is_object() {
            return Err(ApiError::serialization("A usage record is not an object"));
        }
        let refuse = |refusal| match refusal {
            Refusal::Type(error) => error,
            Refusal::Constraint(message) => self.invalid(message),
        };
        let timestamp = match record.get("Timestamp") {
            Some(Value::Null) | None => return Err(self.invalid("Timestamp is missing")),
            Some(value) => instant(value)
                .ok_or_else(|| ApiError::serialization("Timestamp is no epoch time"))?,
        };
        let dimension = text(record, "Dimension")?
            .filter(|it| (1..=255).contains(&it.len()))
            .ok_or_else(|| self.invalid("Dimension is missing or too long"))?;
        let quantity = quantity::read(record, "Quantity", "QuantityAsDecimal").map_err(refuse)?;
        allocations::check(record, quantity, &self.switches).map_err(refuse)?;
        let identity = self.read_identity(record)?;
        let (sent, quantity) = (record.clone(), quantity.value);
        Ok(Record { sent, timestamp, dimension, identity, quantity })
    }

    fn read_identity(&self, record: &Value) -> Result<Identity, ApiError> {
        let license = text(record, "LicenseArn")?.filter(|it| !it.is_empty());
        let account = text(record, "CustomerAWSAccountId")?.filter(|it| !it.is_empty());
        let identifier = match text(record, "CustomerIdentifier")? {
            Some(empty) if empty.is_empty() => {
                if self.switches.empty_customer_identifier == EmptyCustomerIdentifier::Reject {
                    return Err(self.invalid("CustomerIdentifier is empty"));
                }
                None
            }
            Some(long) if long.len() > 255 => {
                return Err(self.invalid("CustomerIdentifier is too long"));
            }
            given => given,
        };
        if let Some(account) = &account
            && (account.len() > 255 || !account.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(self.invalid("CustomerAWSAccountId is not a number"));
        }
        let both = identifier.is_some() && (account.is_some() || license.is_some());
        if both && self.switches.both_identifiers == BothIdentifiers::Reject {
            return Err(self.invalid("CustomerIdentifier excludes the other identifiers"));
        }
        match (license, account, identifier) {
            (Some(arn), Some(account), _) => Ok(Identity::License { arn, account }),
            (Some(_), None, _) => Err(self.invalid("LicenseArn needs CustomerAWSAccountId")),
            (None, Some(account), _) => Ok(Identity::Account { account }),
            (None, None, Some(identifier)) => Ok(Identity::Customer { identifier }),
            (None, None, None) => Err(self.invalid("The record names no customer")),
        }
    }
}

/// An optional string member.
pub(super) fn text(object: &Value, member: &str) -> Result<Option<String>, ApiError> {
    match object.get(member) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(ApiError::serialization(format!("{member} is not a string"))),
    }
}

/// Epoch seconds, as an integer or a float.
fn instant(value: &Value) -> Option<Timestamp> {
    let Value::Number(number) = value else { return None };
    if let Some(seconds) = number.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let written = number.to_string();
    let seconds = written.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&written));
    let nanoseconds = seconds.ok()?.checked_mul(Decimal::from(1_000_000_000))?.to_i128()?;
    Timestamp::from_nanosecond(nanoseconds).ok()
}
