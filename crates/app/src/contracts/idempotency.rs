//! Promises about repeated requests.

use futures::join;
use jiff::SignedDuration;

use super::sample::now;
use crate::ports::{Begun, RequestKey, SavedResponse, Store};

fn request(key: &str) -> RequestKey {
    RequestKey { scope: "caller/POST /x".into(), key: key.into(), fingerprint: "f1".into() }
}

fn answer() -> SavedResponse {
    SavedResponse { status: 201, body: "{\"a\":1}".into(), content_type: "application/json".into() }
}

fn until() -> jiff::Timestamp {
    now() + SignedDuration::from_secs(30)
}

pub(super) async fn a_request_is_claimed_once_and_answered_the_same<S: Store>(store: &S) {
    let request = request("claim");
    let (one, other) =
        join!(store.begin(&request, now(), until()), store.begin(&request, now(), until()));
    let mut outcomes = [one.unwrap(), other.unwrap()];
    outcomes.sort_by_key(|outcome| *outcome != Begun::Started);
    assert_eq!(outcomes, [Begun::Started, Begun::InProgress { until: until() }]);
    store.finish(&request, &answer(), now()).await.unwrap();
    assert_eq!(store.begin(&request, now(), until()).await.unwrap(), Begun::Finished(answer()));
}

pub(super) async fn a_key_of_another_request_is_refused<S: Store>(store: &S) {
    let mine = request("mine");
    assert_eq!(store.begin(&mine, now(), until()).await.unwrap(), Begun::Started);
    let other = RequestKey { fingerprint: "f2".into(), ..mine.clone() };
    assert_eq!(store.begin(&other, now(), until()).await.unwrap(), Begun::OtherRequest);
    let other_scope = RequestKey { scope: "another caller/POST /x".into(), ..other };
    assert_eq!(
        store.begin(&other_scope, now(), until()).await.unwrap(),
        Begun::Started,
        "scopes never meet"
    );
}

pub(super) async fn a_claim_that_was_given_up_or_ran_out_is_free<S: Store>(store: &S) {
    let request = request("free");
    assert_eq!(store.begin(&request, now(), until()).await.unwrap(), Begun::Started);
    store.abandon(&request).await.unwrap();
    assert_eq!(store.begin(&request, now(), until()).await.unwrap(), Begun::Started);
    let later = until();
    let longer = later + SignedDuration::from_secs(30);
    assert_eq!(
        store.begin(&request, later, longer).await.unwrap(),
        Begun::Started,
        "its time has passed"
    );
    store.finish(&request, &answer(), later).await.unwrap();
    store.abandon(&request).await.unwrap();
    assert_eq!(
        store.begin(&request, later, longer).await.unwrap(),
        Begun::Finished(answer()),
        "done is done"
    );
}

pub(super) async fn an_answer_is_kept_for_a_day<S: Store>(store: &S) {
    let request = request("day");
    assert_eq!(store.begin(&request, now(), until()).await.unwrap(), Begun::Started);
    store.finish(&request, &answer(), now()).await.unwrap();
    let tomorrow = now() + SignedDuration::from_hours(24);
    let almost = tomorrow - SignedDuration::from_secs(1);
    assert_eq!(store.begin(&request, almost, almost).await.unwrap(), Begun::Finished(answer()));
    let again = RequestKey { fingerprint: "f3".into(), ..request };
    assert_eq!(store.begin(&again, tomorrow, tomorrow).await.unwrap(), Begun::Started);
}
