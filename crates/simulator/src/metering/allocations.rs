//! Usage allocations and their tags (F§3.1).

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use super::quantity::{self, Kind, Quantity, Refusal};
use crate::switches::{EmptyTagValue, Switches, TagLimit};
use crate::wire::ApiError;

const MOST_TAGS: usize = 5;

/// Checks the allocations of one record against its quantity.
pub(super) fn check(
    record: &Value,
    quantity: Quantity,
    switches: &Switches,
) -> Result<(), Refusal> {
    let allocations = match record.get("UsageAllocations") {
        Some(Value::Array(allocations)) => allocations,
        Some(Value::Null) | None => return Ok(()),
        Some(_) => return Err(wrong_type("UsageAllocations is not a list")),
    };
    if !(1..=2500).contains(&allocations.len()) {
        return Err(Refusal::Constraint("UsageAllocations has 1 to 2500 members".into()));
    }
    let (mut sum, mut tag_sets, mut tags) = (Decimal::ZERO, BTreeSet::new(), 0);
    for allocation in allocations {
        let part = quantity::read(
            allocation,
            "AllocatedUsageQuantity",
            "AllocatedUsageQuantityAsDecimal",
        )?;
        if part.kind.is_none() {
            return Err(Refusal::Constraint("An allocation has no quantity".into()));
        }
        if part.kind != quantity.kind.or(Some(Kind::Integer)) {
            return Err(mismatch("Allocations and record mix integers and decimals"));
        }
        sum += part.value;
        let tag_set = tags_of(allocation, switches)?;
        tags += tag_set.len();
        if !tag_sets.insert(tag_set) {
            return Err(mismatch("Two allocations have the same tags"));
        }
    }
    if switches.tag_limit == TagLimit::WholeList && tags > MOST_TAGS {
        return Err(bad_tag("The allocations have more than 5 tags"));
    }
    if sum == quantity.value {
        Ok(())
    } else {
        Err(mismatch("The allocations do not add up to the quantity"))
    }
}

fn tags_of(allocation: &Value, switches: &Switches) -> Result<BTreeSet<(String, String)>, Refusal> {
    let tags = match allocation.get("Tags") {
        Some(Value::Array(tags)) => tags,
        Some(Value::Null) | None => return Ok(BTreeSet::new()),
        Some(_) => return Err(wrong_type("Tags is not a list")),
    };
    if tags.is_empty() {
        return Err(bad_tag("Tags is empty; leave it out"));
    }
    if tags.len() > MOST_TAGS {
        return Err(bad_tag("An allocation has more than 5 tags"));
    }
    let mut keys = BTreeSet::new();
    let mut set = BTreeSet::new();
    for tag in tags {
        let text = |name| match tag.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Null) | None => Err(bad_tag("A tag has no Key or no Value")),
            Some(_) => Err(wrong_type("A tag's Key or Value is not a string")),
        };
        let (key, value) = (text("Key")?, text("Value")?);
        let empty_value = value.is_empty() && switches.empty_tag_value == EmptyTagValue::Accept;
        if !fits(&key, 100) || !(empty_value || fits(&value, 256)) {
            return Err(bad_tag("A tag's Key or Value is not of the documented form"));
        }
        if !keys.insert(key.clone()) {
            return Err(bad_tag("Two tags of an allocation have the same Key"));
        }
        set.insert((key, value));
    }
    Ok(set)
}

/// `^[a-zA-Z0-9+ -=._:\/@]+$`, in which ` -=` is the range from space to `=` (F§1).
fn fits(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || (b' '..=b'=').contains(&byte) || b"_@".contains(&byte)
        })
}

fn bad_tag(message: &str) -> Refusal {
    Refusal::Type(ApiError::metering("InvalidTagException", message))
}

fn mismatch(message: &str) -> Refusal {
    Refusal::Type(ApiError::metering("InvalidUsageAllocationsException", message))
}

fn wrong_type(message: &str) -> Refusal {
    Refusal::Type(ApiError::serialization(message))
}
