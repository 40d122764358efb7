//! Why a report or a question is refused.

use domain::ids::InvalidId;
use domain::metering::{InvalidTags, MOST_TAG_SETS, UsageRefusal};
use domain::quantity::InvalidQuantity;

/// A refusal that repeating will not cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key is not a key.
    #[error("{0}")]
    InvalidKey(InvalidId),
    /// No such dimension or metric.
    #[error("the catalog has no such dimension or metric")]
    UnknownDimension,
    /// No such feature.
    #[error("the catalog has no such feature")]
    UnknownFeature,
    /// The quantity is not one.
    #[error("{0}")]
    InvalidQuantity(InvalidQuantity),
    /// The time is not one.
    #[error("a time is written like 2026-11-24T07:30:00Z")]
    InvalidTime,
    /// The hour has not begun.
    #[error("the usage is dated in an hour that has not begun")]
    FutureHour,
    /// Too old.
    #[error("the usage is older than {days} days")]
    TooLate {
        /// How old usage may be.
        days: u16,
    },
    /// It was to be held for a while, and what its dimension counts stays counted.
    #[error("what this dimension counts stays counted, so it cannot be held for a while")]
    NotReversible,
    /// The tags are none that AWS takes.
    #[error("{0}")]
    InvalidTags(InvalidTags),
    /// The meter has too many different sets of tags already.
    #[error(
        "this month's usage of the dimension has {MOST_TAG_SETS} different sets of tags already"
    )]
    TooManyTagSets,
    /// The license is over, its final hour included.
    #[error("the subscription has ended")]
    SubscriptionEnded,
}

impl Refusal {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidKey(_) => "invalid_key",
            Self::UnknownDimension => "unknown_dimension",
            Self::UnknownFeature => "unknown_feature",
            Self::InvalidQuantity(_) => "invalid_quantity",
            Self::InvalidTime => "invalid_time",
            Self::FutureHour => "future_hour",
            Self::TooLate { .. } => "too_late",
            Self::NotReversible => "not_reversible",
            Self::InvalidTags(_) => "invalid_tags",
            Self::TooManyTagSets => "too_many_tag_sets",
            Self::SubscriptionEnded => "subscription_ended",
        }
    }
}

impl From<UsageRefusal> for Refusal {
    fn from(refusal: UsageRefusal) -> Self {
        match refusal {
            UsageRefusal::FutureHour => Self::FutureHour,
            UsageRefusal::TooLate { days } => Self::TooLate { days },
        }
    }
}
