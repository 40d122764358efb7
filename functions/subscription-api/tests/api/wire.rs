//! The JSON that callers build upon. A changed snapshot is a changed contract.

use domain::metering::{MeterKey, MeteringRecord, ParkReason, RecordStatus};
use domain::subscription::CancellationRequest;
use serde_json::json;
use subscription_api::Role;

use crate::support::{Api, admin, at, event};

#[tokio::test]
async fn a_subscription_looks_like_this() {
    let api = Api::new();
    api.alter(|state| {
        state.free_trial = true;
        state.cancellation =
            Some(CancellationRequest { id: "acr-1".into(), at: at("2026-11-23T12:00:00Z") });
    });
    insta::assert_json_snapshot!("subscription", api.get(admin(), &api.path("")).await.json);
}

#[tokio::test]
async fn entitlements_look_like_this() {
    let api = Api::new();
    api.post(Role::Meter, &api.path("/meter"), event("a", "scans", "123.25")).await;
    let answer = api.get(admin(), &api.path("/entitlements")).await;
    insta::assert_json_snapshot!("entitlements", answer.json);
}

#[tokio::test]
async fn a_bill_looks_like_this() {
    let api = Api::new();
    let events = json!({"events": [event("a", "scans", "620.5"), event("b", "api-calls", "1999")]});
    api.post(Role::Meter, &api.path("/meter"), events).await;
    insta::assert_json_snapshot!("billing", api.get(admin(), &api.path("/billing")).await.json);
}

#[tokio::test]
async fn metering_records_look_like_this() {
    let api = Api::new();
    let record = |hour: Option<&str>, status| MeteringRecord {
        key: MeterKey {
            subscription: api.id.clone(),
            month: "2026-11".parse().unwrap(),
            dimension: "scans".parse().unwrap(),
        },
        hour: hour.map(|hour| hour.parse().unwrap()),
        quantity: 120,
        status,
        booked_at: at("2026-11-24T07:05:00Z"),
        allocations: Vec::new(),
    };
    let record_id = Some("00000000-0000-4000-8000-000000000000".parse().unwrap());
    api.store.put_record(record(Some("2026-11-24T06Z"), RecordStatus::Accepted { record_id }));
    let status = RecordStatus::Parked {
        reason: ParkReason::Rejected,
        code: Some("InvalidUsageDimensionException".into()),
    };
    api.store.put_record(record(None, status));
    insta::assert_json_snapshot!("records", api.get(admin(), &api.path("/records")).await.json);
}

#[tokio::test]
async fn a_problem_looks_like_this() {
    let api = Api::new();
    let mixed = json!({"events": [event("a", "coffees", "1"), event("b", "scans", "-1")]});
    let answer = api.post(Role::Meter, &api.path("/meter"), mixed).await;
    insta::assert_json_snapshot!("no_event_taken", answer.json);
}
