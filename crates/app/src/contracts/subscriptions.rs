//! Promises about states and what changes with them.

use domain::notice::Channel;
use domain::subscription::{Status, TenantNotice, TenantNoticeKind};
use domain::time::Month;
use futures::join;

use super::sample::{
    active, audited, created, event, first_usage, fresh, link, meter, next, now, provision, seen,
    write,
};
use crate::Error;
use crate::ports::{
    Change, Committed, Cursor, Customer, ListFilter, MeterWrite, OutboxKey, Recorded, Store,
    ViewKeys,
};

pub(super) async fn a_state_is_created_once<S: Store>(store: &S) {
    let state = created(store, "once").await;
    assert_eq!(store.commit(&write(&state, None)).await.unwrap(), Committed::Overtaken);
    assert_eq!(store.subscription(&state.id).await.unwrap(), Some(state));
    assert_eq!(store.subscription(&fresh("nobody").id).await.unwrap(), None);
}

pub(super) async fn of_two_changes_of_one_revision_one_wins<S: Store>(store: &S) {
    let state = created(store, "race").await;
    let one = next(&active(state.clone()));
    let other = next(&state);
    let (one, other) = (write(&one, Some(1)), write(&other, Some(1)));
    let (first, second) = join!(store.commit(&one), store.commit(&other));
    let mut outcomes = [first.unwrap(), second.unwrap()];
    outcomes.sort_by_key(|outcome| *outcome != Committed::Done);
    assert_eq!(outcomes, [Committed::Done, Committed::Overtaken]);
}

pub(super) async fn a_notice_is_processed_once_whatever_else_changed<S: Store>(store: &S) {
    let state = created(store, "notice").await;
    let change = Change { notice: Some(seen("notice-1")), ..write(&next(&state), Some(1)) };
    assert_eq!(store.commit(&change).await.unwrap(), Committed::Done);
    assert_eq!(
        store.commit(&change).await.unwrap(),
        Committed::AlreadySeen,
        "the revision has moved as well"
    );
    let alone = Change { notice: Some(seen("notice-1")), ..Change::default() };
    assert_eq!(store.commit(&alone).await.unwrap(), Committed::AlreadySeen);
}

pub(super) async fn one_failing_guard_leaves_nothing_behind<S: Store>(store: &S) {
    let state = created(store, "atomic").await;
    let mut after = next(&state);
    let entry = audited(&mut after, "never written");
    let late = Change {
        audit: Some(entry),
        outbox: vec![provision(&after)],
        notice: Some(seen("atomic-1")),
        links: vec![link("atomic", Some(&state.id))],
        ..write(&after, Some(7))
    };
    assert_eq!(store.commit(&late).await.unwrap(), Committed::Overtaken);
    let keys = ViewKeys {
        subscription: Some(state.id.clone()),
        agreements: vec!["agmt-atomic".parse().unwrap()],
        notice: Some((Channel::EventBridge, "atomic-1".parse().unwrap())),
    };
    let view = store.view(&keys).await.unwrap();
    assert_eq!(view.subscription, Some(state.clone()));
    assert!(view.links.is_empty() && !view.notice_seen);
    assert!(store.audit(&state.id, None, 10).await.unwrap().items.is_empty());
    let unpublished = store.unpublished(None, 100).await.unwrap().items;
    assert!(unpublished.iter().all(|item| item.key.subscription != state.id));
}

pub(super) async fn a_meter_that_must_not_exist_stops_the_change<S: Store>(store: &S) {
    let state = created(store, "absent").await;
    let key = meter(&state, "scans").key;
    let guarded = |revision: u64| Change {
        meters: vec![MeterWrite::Absent(key.clone())],
        ..write(
            &domain::subscription::Subscription { revision: revision + 1, ..state.clone() },
            Some(revision),
        )
    };
    assert_eq!(store.commit(&guarded(1)).await.unwrap(), Committed::Done);
    let usage = first_usage(&next(&state), "scans", vec![event("absent-1", "scans", 1)]);
    assert_eq!(store.record_usage(&usage).await.unwrap(), Recorded::Done);
    assert_eq!(store.commit(&guarded(2)).await.unwrap(), Committed::Overtaken);
    let mut changed = usage.meter.clone();
    changed.revision = 2;
    let moved = Change {
        meters: vec![MeterWrite::Change { after: changed.clone(), expected: 1 }],
        ..guarded(2)
    };
    assert_eq!(store.commit(&moved).await.unwrap(), Committed::Done);
    assert_eq!(store.meters(&state.id, Month::of(now())).await.unwrap(), [changed]);
}

pub(super) async fn a_view_finds_state_links_and_mark_at_once<S: Store>(store: &S) {
    let state = fresh("view");
    let change = Change {
        notice: Some(seen("view-1")),
        links: vec![link("view", Some(&state.id))],
        ..write(&state, None)
    };
    assert_eq!(store.commit(&change).await.unwrap(), Committed::Done);
    let keys = ViewKeys {
        subscription: Some(state.id.clone()),
        agreements: vec!["agmt-view".parse().unwrap(), "agmt-unknown".parse().unwrap()],
        notice: Some((Channel::EventBridge, "view-1".parse().unwrap())),
    };
    let view = store.view(&keys).await.unwrap();
    assert_eq!(view.subscription.as_ref(), Some(&state));
    assert_eq!(view.links.len(), 1);
    assert_eq!(view.links[&"agmt-view".parse().unwrap()].subscription.as_ref(), Some(&state.id));
    assert!(view.notice_seen);
    let other_channel =
        ViewKeys { notice: Some((Channel::Sns, "view-1".parse().unwrap())), ..ViewKeys::default() };
    assert!(
        !store.view(&other_channel).await.unwrap().notice_seen,
        "an id is unique on its channel only"
    );
}

pub(super) async fn lists_are_complete_page_by_page<S: Store>(store: &S) {
    let mut mine = Vec::new();
    for name in ["list1", "list2", "list3"] {
        let mut state = fresh(name);
        state.account = Some("999900001111".parse().unwrap());
        assert_eq!(store.commit(&write(&state, None)).await.unwrap(), Committed::Done);
        mine.push(state.id);
    }
    mine.sort();
    let customer = ListFilter::Customer("999900001111".to_owned());
    for filter in [customer, ListFilter::Status(Status::Pending), ListFilter::All] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.list(&filter, after.as_ref(), 1).await.unwrap();
            assert!(page.items.len() <= 1);
            found.extend(
                page.items.into_iter().map(|state| state.id).filter(|id| mine.contains(id)),
            );
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.sort();
        assert_eq!(found, mine, "{filter:?}");
    }
}

pub(super) async fn what_is_due_is_listed_until_it_is_done<S: Store>(store: &S) {
    let mut state = fresh("due");
    state.reread_entitlements = Some(now());
    assert_eq!(store.commit(&write(&state, None)).await.unwrap(), Committed::Done);
    let listed = |at| async move {
        let page = store.due(at, None, 100).await.unwrap();
        page.items.into_iter().map(|item| item.subscription).collect::<Vec<_>>()
    };
    assert!(listed(now()).await.contains(&state.id));
    let before = now() - jiff::SignedDuration::from_secs(1);
    assert!(!listed(before).await.contains(&state.id), "not before its time");
    let done = domain::subscription::Subscription { reread_entitlements: None, ..next(&state) };
    assert_eq!(store.commit(&write(&done, Some(1))).await.unwrap(), Committed::Done);
    assert!(!listed(now()).await.contains(&state.id));
}

pub(super) async fn the_audit_trail_keeps_its_order_and_its_entries<S: Store>(store: &S) {
    let mut state = created(store, "audit").await;
    for n in 1..=12_u64 {
        let mut after = next(&state);
        let entry = audited(&mut after, &format!("change {n}"));
        let change = Change { audit: Some(entry), ..write(&after, Some(state.revision)) };
        assert_eq!(store.commit(&change).await.unwrap(), Committed::Done);
        state = after;
    }
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let page = store.audit(&state.id, after.as_ref(), 5).await.unwrap();
        entries.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(entries.len(), 12);
    domain::audit::verify(&state.id, &entries, &state.audit).unwrap();
    let forged =
        Change { audit: Some(entries[3].clone()), ..write(&next(&state), Some(state.revision)) };
    assert_eq!(
        store.commit(&forged).await.unwrap(),
        Committed::Overtaken,
        "an entry is never written over"
    );
}

pub(super) async fn a_cursor_of_another_list_is_refused<S: Store>(store: &S) {
    for name in ["cursor1", "cursor2"] {
        let mut state = fresh(name);
        state.account = Some("999900002222".parse().unwrap());
        assert_eq!(store.commit(&write(&state, None)).await.unwrap(), Committed::Done);
    }
    let mine = ListFilter::Customer("999900002222".to_owned());
    let cursor = store.list(&mine, None, 1).await.unwrap().next.unwrap();
    let other = ListFilter::Customer("999900001111".to_owned());
    for (filter, cursor) in [(&other, cursor), (&mine, Cursor("garbage".into()))] {
        let refused = store.list(filter, Some(&cursor), 1).await;
        assert!(matches!(refused, Err(Error::ForeignCursor)), "{refused:?}");
    }
}

pub(super) async fn the_outbox_holds_a_notice_until_it_is_published<S: Store>(store: &S) {
    let state = fresh("outbox");
    let notice = provision(&state);
    let registered = TenantNotice { kind: TenantNoticeKind::Registered, ..notice.clone() };
    let outbox = vec![registered.clone(), notice.clone()];
    let change = Change { outbox, ..write(&state, None) };
    assert_eq!(store.commit(&change).await.unwrap(), Committed::Done);
    let mine = || async {
        let items = store.unpublished(None, 100).await.unwrap().items;
        items.into_iter().filter(|item| item.key.subscription == state.id).collect::<Vec<_>>()
    };
    let items = mine().await;
    assert_eq!(items.len(), 2, "one change, two notices");
    for item in &items {
        assert!([&registered, &notice].contains(&&item.notice));
    }
    store.published(&items[0].key).await.unwrap();
    assert_eq!(mine().await, items[1..]);
    store.published(&items[1].key).await.unwrap();
    assert!(mine().await.is_empty());
    store.published(&items[0].key).await.unwrap();
    store
        .published(&OutboxKey { subscription: state.id.clone(), name: "OUTBOX#never".into() })
        .await
        .unwrap();
}

pub(super) async fn a_buyer_is_written_with_the_change_or_not_at_all<S: Store>(store: &S) {
    let state = fresh("buyer");
    let buyer = |company: &str| Customer {
        id: "999988887777".into(),
        account: Some("999988887777".parse().unwrap()),
        customer_identifier: None,
        company: company.into(),
        contact: "Jo".into(),
        email: "jo@example.com".into(),
        extra: std::collections::BTreeMap::from([("phone".to_owned(), "1".to_owned())]),
        updated_at: now(),
    };
    let id = buyer("").id;
    assert!(store.customer(&id).await.unwrap().is_none());
    let first = Change { customer: Some(buyer("Acme")), ..write(&state, None) };
    assert_eq!(store.commit(&first).await.unwrap(), Committed::Done);
    let late = Change { customer: Some(buyer("Other")), ..write(&next(&state), Some(7)) };
    assert_eq!(store.commit(&late).await.unwrap(), Committed::Overtaken);
    assert_eq!(store.customer(&id).await.unwrap(), Some(buyer("Acme")));
    let newer = Change { customer: Some(buyer("Acme Corp")), ..write(&next(&state), Some(1)) };
    assert_eq!(store.commit(&newer).await.unwrap(), Committed::Done);
    assert_eq!(store.customer(&id).await.unwrap(), Some(buyer("Acme Corp")), "the newest counts");
}
