//! `GetEntitlements` (F§4).

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use crate::product::Product;
use crate::records::{Agreement, License};
use crate::state::State;
use crate::switches::{EntitlementValueType, EntitlementVisible, OnOff};
use crate::wire::{ApiError, Caller, Service, Shape};

const PAGE: usize = 25;

/// One entitlement that can be seen.
struct Entitlement<'a> {
    license: &'a License,
    agreement: &'a Agreement,
    dimension: String,
    quantity: Decimal,
}

impl Entitlement<'_> {
    /// Its place in the order of all entitlements.
    fn position(&self) -> String {
        format!("{} {}", self.license.arn, self.dimension)
    }

    fn matches(&self, filter: &Filter) -> bool {
        let any = |wanted: &[String], value: Option<&str>| {
            wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|it| it == value))
        };
        any(&filter.licenses, Some(&self.license.arn))
            && any(&filter.accounts, Some(&self.license.account))
            && any(&filter.dimensions, Some(&self.dimension))
            && any(&filter.identifiers, self.agreement.customer_identifier.as_deref())
    }
}

/// Or within a key, and across keys; an empty key matches everything.
#[derive(Debug, Default)]
struct Filter {
    licenses: Vec<String>,
    accounts: Vec<String>,
    dimensions: Vec<String>,
    identifiers: Vec<String>,
}

impl EntitlementValueType {
    pub(crate) fn counts_integers(self) -> bool {
        match self {
            Self::Integer => true,
            Self::Double | Self::Boolean | Self::String => false,
        }
    }
}

impl State {
    pub(crate) fn get_entitlements(
        &mut self,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        let code =
            text(request, "ProductCode")?.ok_or_else(|| invalid("ProductCode is missing"))?;
        let product = self.products.get(&code).filter(|it| it.publishing_account == caller.account);
        let product = product.ok_or_else(|| invalid("The product code is not the caller's"))?;
        let filter = read_filter(request)?;
        let size = match request.get("MaxResults") {
            None | Some(Value::Null) => PAGE,
            Some(value) => value
                .as_u64()
                .and_then(|it| usize::try_from(it).ok())
                .filter(|it| (1..=PAGE).contains(it))
                .ok_or_else(|| invalid("MaxResults is not from 1 to 25"))?,
        };
        let (mut after, mut emptied) = match text(request, "NextToken")? {
            Some(token) => read_cursor(&token).ok_or_else(|| invalid("NextToken is invalid"))?,
            None => (String::new(), false),
        };
        let seen = self.visible_entitlements(product, now);
        let mut rest = seen
            .into_iter()
            .filter(|it| it.matches(&filter) && it.position() > after)
            .collect::<Vec<_>>();
        if self.switches.empty_pages == OnOff::On && !emptied && !rest.is_empty() {
            return Ok(page(Vec::new(), Some(write_cursor(&after, true))));
        }
        emptied = false;
        let more = rest.len() > size;
        rest.truncate(size);
        if let Some(last) = rest.last() {
            after = last.position();
        }
        let shapes = rest.iter().map(|it| self.entitlement_shape(product, it)).collect();
        Ok(page(shapes, more.then(|| write_cursor(&after, emptied))))
    }

    /// The type of a dimension's value: the product's, else the switch's, else an integer.
    pub(crate) fn value_type(&self, product: &Product, dimension: &str) -> EntitlementValueType {
        let own = product.dimensions.get(dimension).and_then(|it| it.value_type);
        let switched = || self.switches.entitlement_value_type.get(dimension).copied();
        own.or_else(switched).unwrap_or_default()
    }

    /// In the order of their positions. Pay as you go has none, nor has an ended license.
    fn visible_entitlements(&self, product: &Product, now: Timestamp) -> Vec<Entitlement<'_>> {
        let mut entitlements = Vec::new();
        if !product.pricing.has_contract() {
            return entitlements;
        }
        for license in self.licenses.values().filter(|it| it.product_code == product.code) {
            let over = license.ended.is_some_and(|ended| ended <= now);
            let Some(agreement) = self.agreements.get(&license.agreement_id) else { continue };
            if over || license.active_from.is_none() {
                continue;
            }
            let visible = agreement.grants.iter().rev().find(|grant| {
                let from = match self.switches.entitlement_visible {
                    EntitlementVisible::WithLicenseUpdated => grant.effective,
                    EntitlementVisible::AtAgreement => grant.signed,
                };
                from <= now
            });
            for (dimension, quantity) in visible.iter().flat_map(|grant| &grant.entitlements) {
                let (dimension, quantity) = (dimension.clone(), *quantity);
                entitlements.push(Entitlement { license, agreement, dimension, quantity });
            }
        }
        entitlements
    }

    fn entitlement_shape(&self, product: &Product, it: &Entitlement<'_>) -> Shape {
        let value = match self.value_type(product, &it.dimension) {
            EntitlementValueType::Integer => {
                ("IntegerValue", Shape::Integer(it.quantity.to_i64().unwrap_or(i64::MAX)))
            }
            EntitlementValueType::Double => ("DoubleValue", Shape::Double(it.quantity)),
            EntitlementValueType::Boolean => {
                ("BooleanValue", Shape::Boolean(it.quantity > Decimal::ZERO))
            }
            EntitlementValueType::String => ("StringValue", it.quantity.to_string().into()),
        };
        Shape::map([
            ("ProductCode", (&product.code).into()),
            ("Dimension", (&it.dimension).into()),
            ("CustomerIdentifier", it.agreement.customer_identifier.clone().into()),
            ("CustomerAWSAccountId", (&it.license.account).into()),
            ("Value", Shape::map([value])),
            ("ExpirationDate", it.agreement.ends.into()),
            ("LicenseArn", (&it.license.arn).into()),
        ])
    }
}

fn page(entitlements: Vec<Shape>, next: Option<String>) -> Shape {
    Shape::map([("Entitlements", Shape::List(entitlements)), ("NextToken", next.into())])
}

fn read_filter(request: &Value) -> Result<Filter, ApiError> {
    let mut filter = Filter::default();
    let keys = match request.get("Filter") {
        Some(Value::Object(keys)) => keys,
        Some(Value::Null) | None => return Ok(filter),
        Some(_) => return Err(ApiError::serialization("Filter is not a map")),
    };
    for (key, values) in keys {
        let values = values.as_array().filter(|it| !it.is_empty());
        let values = values.ok_or_else(|| invalid("A filter has no values"))?;
        let values = values.iter().map(|it| it.as_str().map(str::to_owned));
        let values = values.collect::<Option<Vec<_>>>();
        let values =
            values.ok_or_else(|| ApiError::serialization("A filter value is no string"))?;
        match key.as_str() {
            "LICENSE_ARN" => filter.licenses = values,
            "CUSTOMER_AWS_ACCOUNT_ID" => filter.accounts = values,
            "DIMENSION" => filter.dimensions = values,
            "CUSTOMER_IDENTIFIER" => filter.identifiers = values,
            _ => return Err(invalid("There is no such filter")),
        }
    }
    if filter.accounts.is_empty() || filter.identifiers.is_empty() {
        Ok(filter)
    } else {
        Err(invalid("CUSTOMER_IDENTIFIER and CUSTOMER_AWS_ACCOUNT_ID exclude each other"))
    }
}

/// A token names the last entitlement seen, and whether an empty page came since.
fn write_cursor(after: &str, emptied: bool) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{after}", if emptied { 'e' } else { 'f' }))
}

fn read_cursor(token: &str) -> Option<(String, bool)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix('e')
        .map(|after| (after.to_owned(), true))
        .or_else(|| text.strip_prefix('f').map(|after| (after.to_owned(), false)))
}

fn text(request: &Value, member: &str) -> Result<Option<String>, ApiError> {
    match request.get(member) {
        Some(Value::String(text)) if text.is_empty() => Err(invalid(&format!("{member} is empty"))),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(ApiError::serialization(format!("{member} is not a string"))),
    }
}

fn invalid(message: &str) -> ApiError {
    let status = StatusCode::BAD_REQUEST;
    ApiError::new(Service::Entitlement, status, "InvalidParameterException", message)
}
