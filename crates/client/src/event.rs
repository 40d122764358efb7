//! What is reported, and what is said of it when it is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One report of usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose.
    pub subscription: String,
    /// Unique within the month of `at`: it makes sending again safe.
    pub key: String,
    /// The listing's dimension; or give the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// The platform's name of a dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// An exact decimal, as text.
    pub quantity: String,
    /// When it was used.
    pub at: Timestamp,
    /// For the buyer's cost allocation: at most 5.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Event {
    /// Usage of a platform metric.
    pub fn of_metric(
        subscription: impl Into<String>,
        key: impl Into<String>,
        metric: impl Into<String>,
        quantity: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self {
            subscription: subscription.into(),
            key: key.into(),
            dimension: None,
            metric: Some(metric.into()),
            quantity: quantity.into(),
            at,
            tags: BTreeMap::new(),
        }
    }

    /// Usage of a dimension of the listing.
    pub fn of_dimension(
        subscription: impl Into<String>,
        key: impl Into<String>,
        dimension: impl Into<String>,
        quantity: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        let dimension = Some(dimension.into());
        Self { dimension, metric: None, ..Self::of_metric(subscription, key, "", quantity, at) }
    }

    /// The same with a tag more.
    #[must_use]
    pub fn tagged(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }
}

/// An event as the API takes it: its subscription is in the path.
#[derive(Debug, Serialize)]
pub(crate) struct OnTheWire<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'a str>,
    quantity: &'a str,
    at: Timestamp,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Event> for OnTheWire<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            key: &event.key,
            dimension: event.dimension.as_deref(),
            metric: event.metric.as_deref(),
            quantity: &event.quantity,
            at: event.at,
            tags: &event.tags,
        }
    }
}

/// An event that will never be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The event.
    pub event: Event,
    /// The API's stable code.
    pub code: String,
    /// The same for people.
    pub detail: String,
}
