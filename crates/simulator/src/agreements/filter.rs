//! The filters of `SearchAgreements` (F§5.1). Values of one filter are alternatives.

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Party, invalid, text};
use super::describe::end_behavior;
use crate::records::Agreement;
use crate::state::State;
use crate::wire::ApiError;

/// What a search asks for.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) party: Party,
    filters: Vec<(Field, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    ResourceIdentifier,
    ResourceType,
    AcceptorAccountId,
    OfferId,
    OfferSetId,
    Status,
    EndTimeBehaviorType,
    EndTimeBehaviorReasonCode,
    InitialAgreementId,
    LicenseArn,
    Before(Moment),
    After(Moment),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    End,
    Start,
    LastUpdate,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ResourceIdentifier" => Self::ResourceIdentifier,
            "ResourceType" => Self::ResourceType,
            "AcceptorAccountId" => Self::AcceptorAccountId,
            "OfferId" => Self::OfferId,
            "OfferSetId" => Self::OfferSetId,
            "Status" => Self::Status,
            "EndTimeBehaviorType" => Self::EndTimeBehaviorType,
            "EndTimeBehaviorReasonCode" => Self::EndTimeBehaviorReasonCode,
            "InitialAgreementId" => Self::InitialAgreementId,
            "LicenseArn" => Self::LicenseArn,
            "BeforeEndTime" => Self::Before(Moment::End),
            "AfterEndTime" => Self::After(Moment::End),
            "BeforeStartTime" => Self::Before(Moment::Start),
            "AfterStartTime" => Self::After(Moment::Start),
            "BeforeLastUpdateTime" => Self::Before(Moment::LastUpdate),
            "AfterLastUpdateTime" => Self::After(Moment::LastUpdate),
            _ => return None,
        })
    }

    /// Whether an acceptor may search by it.
    fn open_to_acceptors(self) -> bool {
        match self {
            Self::ResourceIdentifier
            | Self::ResourceType
            | Self::OfferId
            | Self::OfferSetId
            | Self::Status
            | Self::Before(Moment::End)
            | Self::After(Moment::End) => true,
            Self::AcceptorAccountId
            | Self::EndTimeBehaviorType
            | Self::EndTimeBehaviorReasonCode
            | Self::InitialAgreementId
            | Self::LicenseArn
            | Self::Before(Moment::Start | Moment::LastUpdate)
            | Self::After(Moment::Start | Moment::LastUpdate) => false,
        }
    }

    fn takes_time(self) -> bool {
        matches!(self, Self::Before(_) | Self::After(_))
    }
}

/// Reads `filters`: 1 to 10, with `PartyType` and `AgreementType=PurchaseAgreement` among them.
pub(super) fn read(request: &Value) -> Result<Search, ApiError> {
    let filters = match request.get("filters") {
        Some(Value::Array(filters)) => filters,
        Some(Value::Null) | None => return Err(invalid("INVALID_FILTERS", "filters is missing")),
        Some(_) => return Err(ApiError::serialization("filters is not a list")),
    };
    if !(1..=10).contains(&filters.len()) {
        return Err(invalid("INVALID_FILTERS", "There are 1 to 10 filters"));
    }
    let (mut party, mut purchases, mut read) = (None, false, Vec::new());
    for filter in filters {
        let name = text(filter, "name")?
            .ok_or_else(|| invalid("MISSING_FILTER_NAME", "A filter has no name"))?;
        let values = filter.get("values").and_then(Value::as_array).into_iter().flatten();
        let values: Vec<String> = values.filter_map(|it| it.as_str().map(str::to_owned)).collect();
        let first = values.first();
        let first =
            first.ok_or_else(|| invalid("MISSING_FILTER_VALUES", "A filter has no values"))?;
        match (name.as_str(), first.as_str()) {
            ("PartyType", "Proposer") => party = Some(Party::Proposer),
            ("PartyType", "Acceptor") => party = Some(Party::Acceptor),
            ("AgreementType", "PurchaseAgreement") => purchases = true,
            ("PartyType", _) => {
                return Err(invalid("INVALID_PARTY_TYPE", "There is no such PartyType"));
            }
            ("AgreementType", _) => return Err(bad_value(&name)),
            _ => {
                let field = Field::named(&name)
                    .ok_or_else(|| invalid("INVALID_FILTER_NAME", "There is no such filter"))?;
                if field.takes_time() && instant(first).is_none() {
                    return Err(bad_value(&name));
                }
                read.push((field, values));
            }
        }
    }
    let party = party.ok_or_else(|| invalid("MISSING_PARTY_TYPE", "PartyType is missing"))?;
    if !purchases {
        return Err(invalid("INVALID_FILTERS", "AgreementType is missing"));
    }
    if party == Party::Acceptor && !read.iter().all(|(field, _)| field.open_to_acceptors()) {
        return Err(invalid("UNSUPPORTED_FILTERS", "An acceptor cannot combine these filters"));
    }
    Ok(Search { party, filters: read })
}

impl Search {
    pub(super) fn matches(&self, state: &State, agreement: &Agreement) -> bool {
        self.filters.iter().all(|(field, values)| holds(*field, values, state, agreement))
    }
}

fn holds(field: Field, values: &[String], state: &State, agreement: &Agreement) -> bool {
    let any = |value: Option<&str>| {
        value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
    };
    let moment = |moment| match moment {
        Moment::End => agreement.ends,
        Moment::Start => Some(agreement.starts),
        Moment::LastUpdate => Some(agreement.updated),
    };
    let wanted = || values.first().and_then(|it| instant(it));
    match field {
        Field::ResourceIdentifier => any(state.product_of(agreement).map(|it| it.id.as_str())),
        Field::ResourceType => any(Some("SaaSProduct")),
        Field::AcceptorAccountId => any(Some(&agreement.account)),
        Field::OfferId => any(Some(&agreement.offer_id)),
        Field::OfferSetId => false,
        Field::Status => any(Some(agreement.status.as_str())),
        Field::EndTimeBehaviorType => any(end_behavior(agreement).map(|(behavior, _)| behavior)),
        Field::EndTimeBehaviorReasonCode => {
            any(end_behavior(agreement).and_then(|(_, reason)| reason))
        }
        Field::InitialAgreementId => any(Some(&agreement.initial_id)),
        Field::LicenseArn => any(Some(&agreement.license_arn)),
        // An agreement without an end ends after every date.
        Field::Before(it) => moment(it).zip(wanted()).is_some_and(|(at, than)| at < than),
        Field::After(it) => {
            let at = moment(it).unwrap_or(Timestamp::MAX);
            wanted().is_some_and(|than| at > than)
        }
    }
}

/// A date as the SDKs send it: ISO 8601 text, with epoch seconds understood as well.
fn instant(text: &str) -> Option<Timestamp> {
    let seconds = || text.parse::<i64>().ok().and_then(|it| Timestamp::from_second(it).ok());
    text.parse().ok().or_else(seconds)
}

fn bad_value(name: &str) -> ApiError {
    invalid("INVALID_FILTER_VALUES", &format!("The filter {name} has no such value"))
}
