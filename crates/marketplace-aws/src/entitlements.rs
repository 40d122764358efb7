//! GetEntitlements: what a license grants. Answered in us-east-1 only (fact sheet §4).

use std::collections::{BTreeMap, HashMap};

use app::Error;
use app::ports::EntitlementService;
use aws_sdk_marketplaceentitlement::Client;
use aws_sdk_marketplaceentitlement::types::{
    Entitlement, EntitlementValue, GetEntitlementFilterName,
};
use domain::entitlement::EntitledValue;
use domain::ids::{LicenseRef, ProductCode};
use domain::quantity::Quantity;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::failure::Failure;
use crate::patience;

const SERVICE: &str = "AWS Marketplace entitlement";
/// Where the service lives.
pub(crate) const HOME_REGION: &str = "us-east-1";
/// Most pages that are followed; a license has a handful of dimensions.
const MOST_PAGES: usize = 100;

/// Entitlements of one listing's licenses.
#[derive(Debug, Clone)]
pub struct Entitlements {
    client: Client,
}

impl Entitlements {
    /// A client in us-east-1, whatever the function's own Region.
    pub fn connect(config: &aws_config::SdkConfig) -> Self {
        let region = aws_config::Region::new(HOME_REGION);
        let config = aws_sdk_marketplaceentitlement::config::Builder::from(config)
            .region(region)
            .timeout_config(patience::limits(config))
            .build();
        Self { client: Client::from_conf(config) }
    }
}

impl EntitlementService for Entitlements {
    async fn entitlements(
        &self,
        product: &ProductCode,
        license: &LicenseRef,
    ) -> Result<(BTreeMap<String, EntitledValue>, Option<Timestamp>), Error> {
        let filter = filter(license);
        let (mut values, mut earliest, mut token) = (BTreeMap::new(), None::<Timestamp>, None);
        for _ in 0..MOST_PAGES {
            let page = self
                .client
                .get_entitlements()
                .product_code(product.as_str())
                .set_filter(filter.clone())
                .max_results(25)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
            for entitlement in page.entitlements().iter().filter(|it| is_of(it, license)) {
                let expires = entitlement
                    .expiration_date
                    .and_then(|date| Timestamp::from_second(date.secs()).ok());
                earliest = [earliest, expires].into_iter().flatten().min();
                if let Some((dimension, value)) = read(entitlement)? {
                    values.insert(dimension, value);
                }
            }
            // An empty page may have a successor: only the token tells.
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok((values, earliest));
            }
        }
        Err(Error::Corrupt {
            what: "the answer of GetEntitlements",
            source: "it has too many pages".into(),
        })
    }
}

/// AWS's own filter; none where only a part of the license ARN is known, as in AWS's documented events: then the
/// listing's entitlements are gone through (fact sheet §4, §6.3).
fn filter(license: &LicenseRef) -> Option<HashMap<GetEntitlementFilterName, Vec<String>>> {
    let (name, value) = match license {
        LicenseRef::License { arn } if arn.is_complete() => {
            (GetEntitlementFilterName::LicenseArn, arn.as_str())
        }
        LicenseRef::License { .. } => return None,
        LicenseRef::Legacy { customer, .. } => {
            (GetEntitlementFilterName::CustomerIdentifier, customer.as_str())
        }
    };
    Some(HashMap::from([(name, vec![value.to_owned()])]))
}

/// One buyer may hold several licenses of a listing; another's entitlements are never this one's.
fn is_of(entitlement: &Entitlement, license: &LicenseRef) -> bool {
    match license {
        LicenseRef::License { arn } => {
            let told = entitlement.license_arn.as_deref().and_then(|arn| arn.rsplit(':').next());
            told == Some(arn.tail()) || (told.is_none() && arn.is_complete())
        }
        LicenseRef::Legacy { .. } => true,
    }
}

fn read(entitlement: &Entitlement) -> Result<Option<(String, EntitledValue)>, Error> {
    let (Some(dimension), Some(value)) = (&entitlement.dimension, &entitlement.value) else {
        return Ok(None);
    };
    let unreadable = |why: String| Error::Corrupt { what: "an entitlement", source: why.into() };
    let amount = |text: String| -> Result<EntitledValue, Error> {
        let exact =
            Decimal::from_str_exact(&text).map_err(|error| unreadable(error.to_string()))?;
        Quantity::try_from(exact.round_dp(domain::quantity::PLACES))
            .map(EntitledValue::Amount)
            .map_err(|error| unreadable(error.to_string()))
    };
    let EntitlementValue { integer_value, double_value, boolean_value, string_value, .. } = value;
    let value = match (integer_value, double_value, boolean_value, string_value) {
        (Some(whole), _, _, _) => amount(whole.to_string())?,
        // By its shortest decimal text, which is what AWS was told.
        (None, Some(real), _, _) => amount(format!("{real}"))?,
        (None, None, Some(flag), _) => EntitledValue::Flag(*flag),
        (None, None, None, Some(text)) => EntitledValue::Text(text.clone()),
        (None, None, None, None) => return Ok(None),
    };
    Ok(Some((dimension.clone(), value)))
}
