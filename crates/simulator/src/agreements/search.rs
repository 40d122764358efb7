//! `SearchAgreements` (F§5.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Party, invalid, page_size, text};
use super::describe::end_behavior;
use super::filter;
use crate::records::Agreement;
use crate::state::State;
use crate::switches::{CppoVisibility, OnOff};
use crate::wire::{ApiError, Caller, Shape};

const PAGE: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    End,
    Start,
    LastUpdate,
}

impl State {
    pub(crate) fn search_agreements(
        &mut self,
        caller: &Caller,
        request: &Value,
    ) -> Result<Shape, ApiError> {
        match text(request, "catalog")?.as_deref() {
            None | Some("AWSMarketplace") => {}
            Some(_) => return Err(invalid("INVALID_CATALOG", "There is no such catalog")),
        }
        let search = filter::read(request)?;
        let (order, descending) = read_sort(request, search.party)?;
        let size = page_size(request, PAGE)?;
        let cursor = match text(request, "nextToken")? {
            Some(token) => read_cursor(&token)
                .ok_or_else(|| invalid("INVALID_NEXT_TOKEN", "nextToken is invalid"))?,
            None => Cursor::default(),
        };
        let mut rest: Vec<(Position, &Agreement)> = self
            .agreements
            .values()
            .filter(|it| self.is_listed(it, caller, search.party) && search.matches(self, it))
            .map(|it| (position(it, order), it))
            .filter(|(at, _)| {
                let seen = cursor.after.as_ref();
                seen.is_none_or(|seen| if descending { at < seen } else { at > seen })
            })
            .collect();
        rest.sort_by(|(one, _), (other, _)| one.cmp(other));
        if descending {
            rest.reverse();
        }
        if self.switches.empty_pages == OnOff::On && !cursor.emptied && !rest.is_empty() {
            let next = Cursor { emptied: true, ..cursor };
            return Ok(page(Vec::new(), Some(write_cursor(&next))));
        }
        let more = rest.len() > size;
        rest.truncate(size);
        let last = rest.last().filter(|_| more).map(|(at, _)| at.clone());
        let next = last.map(|at| write_cursor(&Cursor { after: Some(at), emptied: false }));
        let summaries = rest.into_iter().map(|(_, it)| self.summary(it)).collect();
        Ok(page(summaries, next))
    }

    fn is_listed(&self, agreement: &Agreement, caller: &Caller, wanted: Party) -> bool {
        match self.party(agreement, caller) {
            Some(Party::Manufacturer) => {
                wanted == Party::Proposer && self.switches.cppo_visibility == CppoVisibility::Full
            }
            Some(party) => party == wanted,
            None => false,
        }
    }

    fn summary(&self, agreement: &Agreement) -> Shape {
        let (behavior, reason) = end_behavior(agreement).unzip();
        let license = Shape::map([("licenseArn", (&agreement.license_arn).into())]);
        Shape::map([
            ("agreementId", (&agreement.id).into()),
            ("acceptanceTime", agreement.accepted.into()),
            ("startTime", agreement.starts.into()),
            ("endTime", agreement.ends.into()),
            ("lastUpdateTime", agreement.updated.into()),
            ("agreementType", "PurchaseAgreement".into()),
            ("acceptor", Shape::map([("accountId", (&agreement.account).into())])),
            ("proposer", Shape::map([("accountId", (&agreement.proposer).into())])),
            ("proposalSummary", self.proposal_summary(agreement)),
            ("status", agreement.status.as_str().into()),
            ("entitlements", Shape::List(vec![license])),
            ("initialAgreementId", (&agreement.initial_id).into()),
            ("endTimeBehaviorType", behavior.into()),
            ("endTimeBehaviorReasonCode", reason.flatten().into()),
            ("freeTrialEndTime", agreement.free_trial_ends.into()),
        ])
    }
}

fn page(summaries: Vec<Shape>, next: Option<String>) -> Shape {
    Shape::map([("agreementViewSummaries", Shape::List(summaries)), ("nextToken", next.into())])
}

/// Where an agreement stands in the order: its time in nanoseconds, then its id.
type Position = (i128, String);

fn position(agreement: &Agreement, order: Order) -> Position {
    let at = match order {
        Order::End => agreement.ends.unwrap_or(Timestamp::MAX),
        Order::Start => agreement.starts,
        Order::LastUpdate => agreement.updated,
    };
    (at.as_nanosecond(), agreement.id.clone())
}

fn read_sort(request: &Value, party: Party) -> Result<(Order, bool), ApiError> {
    let sort = request.get("sort").cloned().unwrap_or_default();
    let order = match text(&sort, "sortBy")?.as_deref() {
        None | Some("EndTime") => Order::End,
        Some("StartTime") if party == Party::Proposer => Order::Start,
        Some("LastUpdateTime") if party == Party::Proposer => Order::LastUpdate,
        Some(_) => return Err(invalid("INVALID_SORT_BY", "There is no such order")),
    };
    match text(&sort, "sortOrder")?.as_deref() {
        None | Some("ASCENDING") => Ok((order, false)),
        Some("DESCENDING") => Ok((order, true)),
        Some(_) => Err(invalid("INVALID_SORT_ORDER", "There is no such sort order")),
    }
}

/// A token names the last agreement seen, not a number: what changes between two pages moves in
/// the order, and must not make the search skip another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    after: Option<Position>,
    /// Whether an empty page came since.
    emptied: bool,
}

fn write_cursor(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

fn read_cursor(token: &str) -> Option<Cursor> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
