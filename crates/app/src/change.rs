//! One state change: the new state with its revision, the audit entry, what the platform must be told, and the meters
//! whose terms change with the plan; all to be written together.

use std::collections::BTreeMap;

use domain::audit::{Actor, AuditDraft, FieldChange, differences};
use domain::metering::{Meter, MeterKey};
use domain::subscription::Subscription;
use domain::time::Month;
use jiff::Timestamp;

use crate::ports::{Change, Committed, MeterWrite, StateWrite, Subscriptions, Usage};
use crate::{Error, Listing};

/// How often a change is decided again after others were faster.
pub(crate) const ATTEMPTS: usize = 8;

/// Who does what.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) actor: Actor,
    pub(crate) action: &'static str,
}

/// The change from one state to another. A state that is the same changes nothing, and nothing is audited.
///
/// `after` is what the caller decided on; revision, audit head and tenant are moved along here.
pub(crate) async fn state_change<S: Usage>(
    store: &S,
    listing: &Listing,
    before: Option<&Subscription>,
    mut after: Subscription,
    deed: Deed,
    now: Timestamp,
) -> Result<Change, Error> {
    // A license is the same however it is spelt, but only its whole ARN can be metered.
    let spelling = |state: &Subscription| state.license.arn().map(|arn| arn.as_str().to_owned());
    if before.is_some_and(|before| *before == after && spelling(before) == spelling(&after)) {
        return Ok(Change::default());
    }
    let catalog = &listing.catalog;
    after.revision = before.map_or(1, |before| before.revision.saturating_add(1));
    let meters = match before {
        Some(before) => changed_meters(store, listing, before, &after, now).await?,
        None => Vec::new(),
    };
    let outbox = after.move_tenant(before, catalog, now);
    after.updated_at = now;
    let old = before.map(|before| before.summary(catalog, before.updated_at)).unwrap_or_default();
    let changes = differences(&old, &after.summary(catalog, now));
    let draft = AuditDraft { actor: deed.actor, action: deed.action.to_owned(), changes };
    let audit = after.audit.append(&after.id, draft, now);
    let expected = before.map(|before| before.revision);
    Ok(Change {
        state: Some(StateWrite { after, expected, now }),
        audit: Some(audit),
        outbox,
        meters,
        ..Change::default()
    })
}

/// A change that leaves the state's facts as they are and writes an audit entry of its own.
pub(crate) fn audited<const N: usize>(
    before: &Subscription,
    deed: Deed,
    changes: [(&str, String, String); N],
    now: Timestamp,
) -> Change {
    let mut after = before.clone();
    after.revision = before.revision.saturating_add(1);
    after.updated_at = now;
    let changes = field_changes(changes);
    let draft = AuditDraft { actor: deed.actor, action: deed.action.to_owned(), changes };
    let audit = after.audit.append(&before.id, draft, now);
    let state = StateWrite { after, expected: Some(before.revision), now };
    Change { state: Some(state), audit: Some(audit), ..Change::default() }
}

/// Changes in the shape the audit trail keeps them; an empty text is not set.
fn field_changes<const N: usize>(
    changes: [(&str, String, String); N],
) -> BTreeMap<String, FieldChange> {
    let set = |text: String| (!text.is_empty()).then_some(text);
    changes
        .into_iter()
        .map(|(name, from, to)| (name.to_owned(), FieldChange { from: set(from), to: set(to) }))
        .collect()
}

/// The open meters whose terms differ under the new state, and guards that no other meter appears meanwhile.
async fn changed_meters<S: Usage>(
    store: &S,
    listing: &Listing,
    before: &Subscription,
    after: &Subscription,
    now: Timestamp,
) -> Result<Vec<MeterWrite>, Error> {
    let catalog = &listing.catalog;
    let changed: Vec<_> = catalog
        .dimensions()
        .iter()
        .filter(|spec| before.terms(spec, catalog) != after.terms(spec, catalog))
        .collect();
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let mut writes = Vec::new();
    for month in open_months(listing, before, now) {
        let meters = store.meters(&after.id, month).await?;
        for spec in &changed {
            let terms = after.terms(spec, catalog);
            let meter = meters.iter().find(|meter| meter.key.dimension == spec.id);
            writes.push(meter.map_or_else(
                || {
                    MeterWrite::Absent(MeterKey {
                        subscription: after.id.clone(),
                        month,
                        dimension: spec.id.clone(),
                    })
                },
                |meter| change_terms(meter, before, terms, now),
            ));
        }
    }
    Ok(writes)
}

/// A plan change concerns the month in which it happens. Provisional terms are replaced wherever they may still stand.
fn open_months(listing: &Listing, before: &Subscription, now: Timestamp) -> Vec<Month> {
    let month = Month::of(now);
    let previous = month.previous();
    let previous_is_open =
        now < domain::time::after(previous.end(), listing.window.month_end_grace);
    if before.terms_are_provisional() && previous_is_open {
        vec![previous, month]
    } else {
        vec![month]
    }
}

fn change_terms(
    meter: &Meter,
    before: &Subscription,
    terms: domain::metering::Terms,
    now: Timestamp,
) -> MeterWrite {
    let mut after = meter.clone();
    if before.terms_are_provisional() {
        after.settle_terms(terms, now);
    } else {
        after.change_terms(terms, now);
    }
    after.revision = meter.revision.saturating_add(1);
    MeterWrite::Change { after, expected: meter.revision }
}

/// Writes a change; one that holds nothing is done already.
pub(crate) async fn commit<S: Subscriptions>(
    store: &S,
    change: &Change,
) -> Result<Committed, Error> {
    if *change == Change::default() { Ok(Committed::Done) } else { store.commit(change).await }
}
