use app::ports::{SettlementRequest, Usage};
use domain::catalog::{Aggregation, Allowance, Overage};
use domain::metering::{Closing, Meter, MeterKey, MeteringRecord, ParkReason, RecordStatus, Terms};
use domain::quantity::Quantity;
use serde_json::{Value, json};
use subscription_api::Role;

use crate::people::{browse, enter, hidden};
use crate::support::{Api, at};

/// An API whose subscription has 120 scans parked, sent under an hour or never.
fn with_parked(reason: ParkReason, hour: Option<&str>) -> Api {
    let api = Api::new();
    let key = MeterKey {
        subscription: api.id.clone(),
        month: "2026-11".parse().unwrap(),
        dimension: "scans".parse().unwrap(),
    };
    let terms = Terms { included: Allowance::NOTHING, overage: Overage::Billed };
    let mut meter = Meter::new(key.clone(), Aggregation::Sum, terms);
    meter.record(Quantity::whole(120), at("2026-11-24T05:00:00Z"));
    assert_eq!(meter.park_waiting().quantity, 120);
    api.store.put_meter(&meter);
    let status = RecordStatus::Parked { reason, code: Some("SomeException".into()) };
    let booked_at = at("2026-11-24T07:05:00Z");
    let hour = hour.map(|hour| hour.parse().unwrap());
    api.store.put_record(MeteringRecord {
        key,
        hour,
        quantity: 120,
        status,
        booked_at,
        allocations: Vec::new(),
    });
    api
}

async fn parked(api: &Api) -> Value {
    api.get(Role::Operator, "/marketplace/parked").await.json["items"].clone()
}

async fn act(api: &Api, what: &str, body: Value) -> crate::support::Answer {
    let id = parked(api).await[0]["id"].as_str().unwrap().to_owned();
    api.post(Role::Operator, &format!("/marketplace/parked/{id}/{what}"), body).await
}

#[tokio::test]
async fn a_parked_item_looks_like_this() {
    let api = with_parked(ParkReason::Rejected, Some("2026-11-24T06Z"));
    let mut items = parked(&api).await;
    items[0]["id"] = json!("(opaque)");
    insta::assert_json_snapshot!("parked", items);
}

#[tokio::test]
async fn a_record_is_retried_as_it_was_and_the_scheduler_is_asked_to_hurry() {
    let api = with_parked(ParkReason::Rejected, Some("2026-11-24T06Z"));
    let retried = act(&api, "retry", Value::Null).await;
    assert_eq!(
        (retried.status, &retried.json["status"]),
        (202, &json!("retrying-same-record")),
        "{retried:?}"
    );
    assert_eq!(parked(&api).await, json!([]));
    let flush = SettlementRequest::Flush { subscription: api.id.clone() };
    assert_eq!(*api.aws.requests.lock().unwrap(), [(flush, 0)]);
    let meters = api.store.meters(&api.id, "2026-11".parse().unwrap()).await.unwrap();
    let pending = meters[0].pending.unwrap();
    assert_eq!((pending.hour.to_string().as_str(), pending.quantity), ("2026-11-24T06Z", 120));
    let audit = api.get(Role::Operator, &api.path("/audit")).await.json;
    assert_eq!(audit["items"][0]["action"], "parked.retried");
    assert_eq!(
        audit["items"][0]["changes"]["parked"],
        json!({
            "from": "120 scans of 2026-11, 2026-11-24T06Z: parked rejected",
            "to": "120 scans of 2026-11, 2026-11-24T06Z: waits again",
        })
    );
}

#[tokio::test]
async fn units_that_were_never_sent_are_retried_under_a_fresh_hour() {
    let api = with_parked(ParkReason::Closed, None);
    let retried = act(&api, "retry", Value::Null).await;
    assert_eq!(retried.json["status"], "retrying-fresh-hour", "{retried:?}");
    let meters = api.store.meters(&api.id, "2026-11".parse().unwrap()).await.unwrap();
    assert_eq!((meters[0].pending, meters[0].to_meter()), (None, 120));
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let past = with_parked(ParkReason::Expired, Some("2026-11-23T06Z"));
    assert_eq!(act(&past, "retry", Value::Null).await.problem(), (409, "window_closed"));
    let other = with_parked(ParkReason::Mismatched, Some("2026-11-24T06Z"));
    assert_eq!(act(&other, "retry", Value::Null).await.problem(), (409, "held_differently"));
    let over = with_parked(ParkReason::Closed, Some("2026-11-24T06Z"));
    over.end();
    assert_eq!(act(&over, "retry", Value::Null).await.problem(), (409, "license_over"));
    assert_eq!(parked(&over).await.as_array().unwrap().len(), 1, "it is parked still");
}

#[tokio::test]
async fn the_same_wish_twice_is_carried_out_once() {
    let api = with_parked(ParkReason::Closed, None);
    let id = parked(&api).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/marketplace/parked/{id}/retry");
    let headers = [("idempotency-key", "wish-1")];
    for replayed in ["", "true"] {
        let wish = crate::support::request(Role::Operator, "POST", &path, &headers, &Value::Null);
        let answer = api.send(wish).await;
        assert_eq!((answer.status, answer.header("idempotency-replayed")), (202, replayed));
    }
    let again = api.post(Role::Operator, &path, Value::Null).await;
    assert_eq!(again.problem(), (409, "not_parked"), "another wish finds it taken up");
}

#[tokio::test]
async fn a_human_closes_an_item_with_a_note_that_the_audit_trail_keeps() {
    let api = with_parked(ParkReason::Mismatched, Some("2026-11-24T06Z"));
    for bad in [
        json!({"as": "forgotten", "note": "x"}),
        json!({"as": "written-off", "note": "  "}),
        json!({"as": "written-off"}),
        json!({"as": "written-off", "note": "two\nlines"}),
    ] {
        assert_eq!(act(&api, "close", bad).await.problem(), (422, "invalid_body"));
    }
    let closed = act(&api, "close", json!({"as": "billed-otherwise", "note": "INV-7"})).await;
    assert_eq!((closed.status, &closed.json["status"]), (200, &json!("closed")), "{closed:?}");
    assert_eq!(parked(&api).await, json!([]));
    let records = api.store.records(&api.id, "2026-11".parse().unwrap(), None, 10).await.unwrap();
    let closing = match &records.items[0].status {
        RecordStatus::Closed { how, note, .. } => Some((*how, note.as_str())),
        _ => None,
    };
    assert_eq!(closing, Some((Closing::BilledOtherwise, "INV-7")));
    let audit = api.get(Role::Operator, &api.path("/audit")).await.json;
    assert_eq!(audit["items"][0]["action"], "parked.closed");
    assert_eq!(audit["items"][0]["changes"]["note"]["to"], "INV-7");
}

#[tokio::test]
async fn an_id_that_names_nothing_is_not_found() {
    let api = Api::new();
    for id in ["nonsense", "e30"] {
        let path = format!("/marketplace/parked/{id}/retry");
        let answer = api.post(Role::Operator, &path, Value::Null).await;
        assert_eq!(answer.problem(), (404, "unknown_item"));
    }
}

#[tokio::test]
async fn the_conservation_check_that_never_ran_says_so() {
    let api = Api::new();
    let answer = api.get(Role::Operator, "/marketplace/checks/conservation").await;
    assert_eq!(answer.json, json!({"result": "never", "last": null, "underWay": null}));
}

/// At the desk: the path of the one parked item, and an operator's cookie.
async fn at_the_desk(api: &Api) -> (String, String) {
    let (_, cookie) = enter(api, Role::Operator, json!({ "page": "desk" })).await;
    let id = parked(api).await[0]["id"].as_str().unwrap().to_owned();
    (format!("/marketplace/desk/parked/{id}"), cookie)
}

#[tokio::test]
async fn at_the_desk_an_item_is_closed_from_its_own_form_with_a_reason_and_a_name() {
    let api = with_parked(ParkReason::Mismatched, Some("2026-11-24T06Z"));
    let (item, cookie) = at_the_desk(&api).await;
    let path = format!("{item}/close");
    let ask = browse(&api, "GET", &path, &cookie, None).await;
    assert!(ask.text.contains("Close it?"), "{}", ask.text);
    let key = hidden(&ask, "form_key").to_owned();
    let post = |form: String| {
        let (api, path, cookie) = (&api, &path, &cookie);
        async move { browse(api, "POST", path, cookie, Some(&form)).await }
    };
    let foreign = post("form_key=guessed&how=written-off&note=x".to_owned()).await;
    assert_eq!(foreign.status, 403);
    for unsaid in ["", "+++", "two%0Alines"] {
        let missing = post(format!("form_key={key}&how=billed-otherwise&note={unsaid}")).await;
        assert_eq!(missing.status, 422, "{unsaid}");
        assert!(missing.text.contains("note-problem") && missing.text.contains("selected"));
    }
    assert_eq!(parked(&api).await.as_array().unwrap().len(), 1, "nothing was closed");

    let form = format!("form_key={key}&how=billed-otherwise&note=INV-7");
    let done = post(form.clone()).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, "/marketplace/desk/parked?done=close"),
        "{}",
        done.text
    );
    assert_eq!(parked(&api).await, json!([]));
    let entry = api.get(Role::Operator, &api.path("/audit")).await.json["items"][0].clone();
    assert_eq!(entry["action"], "parked.closed");
    assert_eq!(entry["actor"]["id"], "someone");
    assert_eq!(entry["changes"]["note"]["to"], "INV-7");
    assert_eq!(post(form).await.status, 409, "a second click finds it closed");
    assert_eq!(browse(&api, "GET", &path, &cookie, None).await.status, 409);
}

#[tokio::test]
async fn at_the_desk_a_retry_is_asked_once_more_and_names_who_asked() {
    let api = with_parked(ParkReason::Rejected, Some("2026-11-24T06Z"));
    let (item, cookie) = at_the_desk(&api).await;
    let path = format!("{item}/retry");
    let ask = browse(&api, "GET", &path, &cookie, None).await;
    assert!(ask.text.contains("Send it again?"), "{}", ask.text);
    assert!(api.aws.requests.lock().unwrap().is_empty(), "asking does nothing");
    let foreign = browse(&api, "POST", &path, &cookie, Some("form_key=guessed")).await;
    assert_eq!(foreign.status, 403);
    let form = format!("form_key={}", hidden(&ask, "form_key"));
    assert_eq!(browse(&api, "POST", &path, &cookie, Some(&form)).await.status, 303);
    let entry = api.get(Role::Operator, &api.path("/audit")).await.json["items"][0].clone();
    assert_eq!(
        (&entry["action"], &entry["actor"]["id"]),
        (&"parked.retried".into(), &"someone".into())
    );
    assert_eq!(browse(&api, "POST", &path, &cookie, Some(&form)).await.status, 409);
}
