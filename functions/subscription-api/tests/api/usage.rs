use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{Api, OTHER_LICENSE, admin, event, id_of, request};

async fn meter(api: &Api, body: Value) -> crate::support::Answer {
    api.post(Role::Meter, &api.path("/meter"), body).await
}

#[tokio::test]
async fn a_batch_is_answered_event_by_event() {
    let api = Api::new();
    let events =
        json!({"events": [event("a", "scans", "2"), event("b", "storage-gb", "0.125000")]});
    let first = meter(&api, events.clone()).await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.json,
        json!({
            "accepted": 2, "duplicate": 0, "refused": 0, "failed": 0,
            "results": [
                {"key": "a", "status": "accepted", "month": "2026-11", "carriedOver": false},
                {"key": "b", "status": "accepted", "month": "2026-11", "carriedOver": false},
            ],
        })
    );
    let again = meter(&api, events).await;
    assert_eq!((again.status, &again.json["duplicate"]), (200, &json!(2)));
    assert_eq!(api.store.booked().len(), 2);
}

#[tokio::test]
async fn an_event_by_itself_keeps_its_exact_digits() {
    let api = Api::new();
    let body = r#"{"key": "a", "metric": "storageUsedGB", "quantity": 9007199254.740993, "at": "2026-11-24T07:10:00Z"}"#;
    let kind = [("content-type", "application/json")];
    let mut asked = request(Role::Meter, "POST", &api.path("/meter"), &kind, &Value::Null);
    *asked.body_mut() = body.into();
    assert_eq!(api.send(asked).await.status, 200);
    assert_eq!(api.store.booked()[0].event.quantity.to_string(), "9007199254.740993");
}

#[tokio::test]
async fn what_is_refused_names_its_reason_and_the_rest_counts() {
    let api = Api::new();
    let mut future = event("f", "scans", "1");
    future["at"] = "2026-11-24T08:00:00Z".into();
    let mut old = event("o", "scans", "1");
    old["at"] = "2026-11-16T07:00:00Z".into();
    let mut when = event("w", "scans", "1");
    when["at"] = "yesterday".into();
    let answer = meter(
        &api,
        json!({"events": [
            event("ok", "scans", "1"),
            event("a b", "scans", "1"),
            event("d", "coffees", "1"),
            event("q", "scans", "-1"),
            event("e", "scans", "1e3"),
            future, old, when,
            event("ok", "scans", "2"),
        ]}),
    )
    .await;
    assert_eq!(answer.status, 207);
    let codes: Vec<&str> = answer.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["code"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        codes,
        [
            "-",
            "invalid_key",
            "unknown_dimension",
            "invalid_quantity",
            "invalid_quantity",
            "future_hour",
            "too_late",
            "invalid_time",
            "key_conflict",
        ]
    );
    assert_eq!(api.store.booked().len(), 1);
}

#[tokio::test]
async fn a_request_of_which_nothing_counts_is_a_problem_with_the_shared_reason() {
    let api = Api::new();
    let one = meter(&api, event("a", "coffees", "1")).await;
    assert_eq!(one.problem(), (422, "unknown_dimension"));
    assert_eq!(one.json["results"][0]["status"], "refused");
    let mixed = json!({"events": [event("a", "coffees", "1"), event("b", "scans", "-1")]});
    assert_eq!(meter(&api, mixed).await.problem(), (422, "no_event_taken"));

    assert_eq!(meter(&api, event("a", "scans", "1")).await.status, 200);
    let other = meter(&api, event("a", "scans", "2")).await;
    assert_eq!(other.problem(), (409, "key_conflict"));
    api.end();
    let late = meter(&api, event("b", "scans", "1")).await;
    assert_eq!(late.problem(), (422, "subscription_ended"));
}

#[tokio::test]
async fn a_batch_has_1_to_100_events_of_the_right_shape() {
    let api = Api::new();
    let batch = |n: usize| {
        let events: Vec<Value> = (0..n).map(|n| event(&n.to_string(), "scans", "1")).collect();
        json!({"events": events})
    };
    assert_eq!(meter(&api, batch(0)).await.problem(), (422, "empty_batch"));
    assert_eq!(meter(&api, batch(101)).await.problem(), (422, "batch_too_large"));
    assert_eq!(meter(&api, batch(100)).await.json["accepted"], 100);

    let mut nameless = event("a", "scans", "1");
    nameless.as_object_mut().unwrap().remove("dimension");
    let mut both = event("a", "scans", "1");
    both["metric"] = "totalScans".into();
    let mut yes = event("a", "scans", "1");
    yes["quantity"] = true.into();
    for (wrong, field) in [(nameless, "dimension"), (both, "metric"), (yes, "quantity")] {
        let single = meter(&api, wrong.clone()).await;
        assert_eq!(single.problem(), (422, "invalid_body"));
        assert_eq!(single.json["errors"][0]["field"], field);
        let batch = meter(&api, json!({"events": [event("b", "scans", "1"), wrong]})).await;
        assert_eq!(batch.problem(), (422, "invalid_body"));
        assert_eq!(batch.json["errors"][0]["field"], format!("events[1].{field}"));
    }
}

#[tokio::test]
async fn usage_of_nobody_is_not_taken() {
    let api = Api::new();
    let path = format!("/marketplace/subscriptions/{}/meter", id_of(OTHER_LICENSE));
    let answer = api.post(Role::Meter, &path, event("a", "scans", "1")).await;
    assert_eq!(answer.problem(), (404, "unknown_subscription"));
}

#[tokio::test]
async fn trouble_of_the_store_asks_for_the_same_request_again() {
    let api = Api::new();
    api.store.set_down(true);
    let failed = meter(&api, event("a", "scans", "1")).await;
    assert_eq!(failed.problem(), (503, "unavailable"));
    assert!(!failed.header("retry-after").is_empty());
    api.store.set_down(false);
    assert_eq!(meter(&api, event("a", "scans", "1")).await.status, 200);
}

#[tokio::test]
async fn a_month_shows_what_was_used_and_where_every_unit_is() {
    let api = Api::new();
    let events = json!({"events": [event("a", "scans", "620"), event("b", "scans", "0.5")]});
    assert_eq!(meter(&api, events).await.status, 200);
    let usage = api.get(admin(), &api.path("/usage?month=2026-11")).await;
    assert_eq!(
        usage.json["dimensions"][0],
        json!({
            "dimension": "scans", "metric": "totalScans", "title": "Compliance scans", "unit": "scan",
            "aggregation": "sum", "used": "620.5", "unlimited": false, "included": "500", "due": "120.5",
            "balance": {
                "withinPlan": "500", "metered": "0", "pending": "0", "notYetMetered": "120.5", "parked": "0",
            },
        })
    );
    let before = api.get(admin(), &api.path("/usage?month=2026-10")).await;
    assert_eq!(before.json["dimensions"][0]["used"], "0");
    for month in ["2026-13", "11-2026", "now", ""] {
        let wrong = api.get(admin(), &api.path(&format!("/usage?month={month}"))).await;
        assert_eq!(wrong.problem(), (400, "invalid_month"), "{month:?}");
    }
}

#[tokio::test]
async fn the_events_of_a_month_explain_its_total() {
    let api = Api::new();
    let events: Vec<Value> = (0..3).map(|n| event(&format!("k{n}"), "scans", "1.5")).collect();
    meter(&api, json!({"events": events})).await;
    let first = api.get(admin(), &api.path("/usage/events?limit=2")).await;
    assert_eq!(
        first.json["items"][0],
        json!({
            "key": "k0", "dimension": "scans", "quantity": "1.5", "at": "2026-11-24T07:10:00Z",
            "tags": {}, "bookedMonth": "2026-11", "bookedAt": "2026-11-24T07:30:00Z", "released": false,
        })
    );
    let cursor = first.json["nextCursor"].as_str().unwrap();
    let rest = api.get(admin(), &api.path(&format!("/usage/events?cursor={cursor}"))).await;
    assert_eq!(rest.json["items"].as_array().unwrap().len(), 1);
    let misplaced = api.get(admin(), &api.path(&format!("/records?cursor={cursor}"))).await;
    assert_eq!(misplaced.problem(), (400, "invalid_cursor"));
}
