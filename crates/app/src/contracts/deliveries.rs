//! Promises about deliveries to webhook endpoints. They use endpoints of their own, so they may share a store with
//! everything else; what is due is asked for in years when nothing else is.

use std::collections::BTreeSet;

use domain::delivery::{Delivery, EndpointName};
use domain::subscription::{TenantNotice, TenantNoticeKind};
use jiff::{SignedDuration, Timestamp};

use crate::ports::{Deliveries, Page, Saved};

/// Puts a store to all of them.
pub async fn all<S: Deliveries>(store: &S) {
    a_delivery_is_added_once_and_changed_over_its_revision_only(store).await;
    what_is_due_is_listed_until_it_is_claimed(store).await;
    deliveries_are_listed_from_an_instant_on_page_by_page(store).await;
    how_an_endpoint_does_is_written_over_its_revision_only(store).await;
}

fn name(text: &str) -> EndpointName {
    text.parse().unwrap()
}

fn at(minute: i64) -> Timestamp {
    "2020-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn delivery(endpoint: &str, minute: i64) -> Delivery {
    let notice = TenantNotice {
        subscription_id: "sub_00000000000000000000000000000001".parse().unwrap(),
        revision: 1,
        at: at(minute),
        kind: TenantNoticeKind::Provision,
        tenant_id: None,
        plan: None,
        features: BTreeSet::new(),
    };
    Delivery::of(&notice, name(endpoint), at(minute)).unwrap()
}

async fn added<S: Deliveries>(store: &S, endpoint: &str, minute: i64) -> Delivery {
    let delivery = delivery(endpoint, minute);
    assert_eq!(store.add_delivery(&delivery).await.unwrap(), Saved::Done);
    delivery
}

async fn a_delivery_is_added_once_and_changed_over_its_revision_only<S: Deliveries>(store: &S) {
    let first = added(store, "once", 0).await;
    let claimed = first.claimed(at(0)).unwrap();
    assert_eq!(store.save_delivery(&claimed, first.revision).await.unwrap(), Saved::Done);
    assert_eq!(store.save_delivery(&claimed, first.revision).await.unwrap(), Saved::Overtaken);
    assert_eq!(store.add_delivery(&first).await.unwrap(), Saved::Overtaken, "it stays as it is");
    let kept = store.deliveries(&name("once"), at(0), None, 10).await.unwrap();
    assert_eq!(kept, Page { items: vec![claimed], next: None });
}

async fn what_is_due_is_listed_until_it_is_claimed<S: Deliveries>(store: &S) {
    let (early, late) = (added(store, "due", -10).await, added(store, "due", -9).await);
    let due = async |minute| {
        let mut ids = Vec::new();
        let mut after = None;
        loop {
            let page = store.due_deliveries(at(minute), after.as_ref(), 1).await.unwrap();
            ids.extend(page.items.into_iter().map(|delivery| delivery.id));
            after = page.next;
            if after.is_none() {
                return ids;
            }
        }
    };
    assert_eq!(due(-11).await, Vec::<String>::new());
    assert_eq!(due(-10).await, std::slice::from_ref(&early.id));
    assert_eq!(due(-9).await, [early.id.clone(), late.id.clone()], "the longest due first");
    let claimed = early.claimed(at(-9)).unwrap();
    assert_eq!(store.save_delivery(&claimed, early.revision).await.unwrap(), Saved::Done);
    assert_eq!(due(-9).await, std::slice::from_ref(&late.id));
    let done = late.claimed(at(-9)).unwrap().delivered(at(-9), "200".into());
    assert_eq!(store.save_delivery(&done, late.revision).await.unwrap(), Saved::Done);
    assert_eq!(due(-9).await, Vec::<String>::new());
    assert_eq!(due(-8).await, [early.id], "the claim has run out");
}

async fn deliveries_are_listed_from_an_instant_on_page_by_page<S: Deliveries>(store: &S) {
    for minute in [3, 1, 2] {
        added(store, "list", minute).await;
    }
    added(store, "list-of-another", 2).await;
    let mut minutes = Vec::new();
    let mut after = None;
    loop {
        let page = store.deliveries(&name("list"), at(2), after.as_ref(), 1).await.unwrap();
        minutes.extend(page.items.into_iter().map(|delivery| delivery.at));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(minutes, [at(2), at(3)]);
}

async fn how_an_endpoint_does_is_written_over_its_revision_only<S: Deliveries>(store: &S) {
    let unknown = store.endpoint(&name("health")).await.unwrap();
    assert_eq!(unknown.revision, 0);
    let failed = unknown.failed(at(0), false);
    assert_eq!(store.save_endpoint(&failed, 0).await.unwrap(), Saved::Done);
    assert_eq!(store.save_endpoint(&failed, 0).await.unwrap(), Saved::Overtaken);
    let again = failed.failed(at(1), true);
    assert_eq!(store.save_endpoint(&again, failed.revision).await.unwrap(), Saved::Done);
    assert_eq!(store.save_endpoint(&again, failed.revision).await.unwrap(), Saved::Overtaken);
    assert_eq!(store.endpoint(&name("health")).await.unwrap(), again);
}
