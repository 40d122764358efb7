//! What people and schedules look after: parked items, the conservation law, reservations.

use app::ports::Usage;
use domain::quantity::Quantity;
use serde_json::{Value, json};
use simulator::Fault;

use crate::story::{Answer, Contract, ContractWithConsumption, PayAsYouGo, Story, subscription_id};

async fn parked(story: &Story) -> Vec<Value> {
    let page = story.call("GET", "/marketplace/parked", None).await;
    page.body["items"].as_array().unwrap_or_else(|| panic!("{page:?}")).clone()
}

async fn retry(story: &Story, item: &Value) -> Answer {
    let id = item["id"].as_str().unwrap();
    story.call("POST", &format!("/marketplace/parked/{id}/retry"), None).await
}

async fn close(story: &Story, item: &Value) -> Answer {
    let id = item["id"].as_str().unwrap();
    let body = json!({"as": "written-off", "note": "agreed with the buyer"});
    story.call("POST", &format!("/marketplace/parked/{id}/close"), Some(body)).await
}

async fn conservation(story: &Story) -> Value {
    story.system.run_task("conservation").await.unwrap();
    story.call("GET", "/marketplace/checks/conservation", None).await.body
}

/// The buyer's license ends while AWS is out of reach; the buyer comes back under the same license an hour later.
#[tokio::test]
async fn a_record_whose_fate_is_unknown_goes_out_under_its_own_hour_and_is_billed_once() {
    use simulator::switches::LicenseOnResubscribe;
    for lost in [true, false] {
        let story = Story::begin(PayAsYouGo).await;
        story
            .system
            .simulator()
            .switches(|it| it.license_on_resubscribe = LicenseOnResubscribe::Same);
        let before = story.subscriber("111122223333").await;
        story.uses(&before, "scans", "5").await;
        story.system.simulator().faults(|faults| {
            // Taken, and nobody hears of it; or not taken at all.
            let down = Fault::permille(1000).only("BatchMeterUsage");
            if lost { faults.lost_response = down } else { faults.internal_error = down }
        });
        story.system.simulator().cancel(&before.agreement_id).unwrap();
        story.hours(3).await;
        assert_eq!(story.status(&before).await, "CANCELLED");
        story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
        let items = parked(&story).await;
        assert_eq!(items.len(), 1, "{items:?}");
        assert_eq!((&items[0]["quantity"], &items[0]["reason"]), (&json!(5), &json!("closed")));
        assert_eq!(retry(&story, &items[0]).await.code(), "license_over");

        let after = story.buy("111122223333");
        assert_eq!(after.license_arn, before.license_arn);
        story.minutes(5).await;
        let retried = retry(&story, &items[0]).await;
        assert_eq!(
            (retried.status, &retried.body["status"]),
            (202, &json!("retrying-same-record")),
            "{retried:?}"
        );
        story.system.deliver().await.unwrap();
        assert_eq!(story.invoiced(&before, "scans", "2026-11"), 5, "once, whatever became of it");
        assert!(parked(&story).await.is_empty());
        let audit = story.audit(&before).await;
        assert!(audit.iter().any(|(_, action)| action == "parked.retried"), "{audit:?}");
        story.end().await;
    }
}

#[tokio::test]
async fn what_is_past_its_window_is_closed_by_a_human_and_stays_accounted_for() {
    let mut story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "5").await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("BatchMeterUsage");
    });
    story.hours(27).await;
    story.system.simulator().faults(|faults| faults.internal_error = Fault::default());
    let items = parked(&story).await;
    assert_eq!(items[0]["reason"], "expired", "{items:?}");
    assert_eq!(retry(&story, &items[0]).await.code(), "window_closed");
    assert_eq!(close(&story, &items[0]).await.status, 200);
    assert_eq!(close(&story, &items[0]).await.code(), "not_parked");
    assert!(parked(&story).await.is_empty());
    assert_eq!(story.meter(&buyer, "scans", "2026-11").await.parked, 5);
    let found = conservation(&story).await;
    assert_eq!(found["result"], "sound", "{found}");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn the_check_names_the_meter_whose_parts_do_not_add_up() {
    let mut story = Story::begin(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.uses(&buyer, "scans", "510").await;
    story.uses(&buyer, "users", "3").await;
    story.hours(2).await;
    let sound = conservation(&story).await;
    assert_eq!((&sound["result"], &sound["last"]["meters"]), (&json!("sound"), &json!(2)));

    // Four scans are forgotten, as a bug would.
    let meter = story.meter(&buyer, "scans", "2026-11").await;
    let mut wrong = meter.clone();
    wrong.aggregate = meter.aggregate.minus(Quantity::whole(4));
    wrong.revision += 1;
    let _ = story.system.store().save_meter(&wrong, meter.revision).await.unwrap();
    let broken = conservation(&story).await;
    assert_eq!((&broken["result"], &broken["last"]["broken"]), (&json!("broken"), &json!(1)));
    let finding = &broken["last"]["findings"][0];
    assert_eq!(finding["dimension"], "scans", "{finding}");
    assert_eq!(finding["broken"], json!(["events-differ", "more-than-due"]));
    assert_eq!(finding["numbers"]["ingested"], "510");
    assert_eq!(finding["numbers"]["aggregate"], "506");
    assert_eq!(finding["numbers"]["ledger"]["accepted"], 10);
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn usage_that_comes_in_during_the_check_raises_no_alarm() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    for round in 0..6 {
        let report = async {
            for _ in 0..10 {
                story.uses(&buyer, "scans", "1.5").await;
            }
        };
        let check = async { story.system.run_task("conservation").await.unwrap() };
        let ((), checked) = tokio::join!(report, check);
        assert_eq!(checked["broken"], 0, "round {round}: {checked}");
    }
    assert_eq!(conservation(&story).await["result"], "sound");
    story.end().await;
}

fn reservation(key: &str, quantity: &str, story: &Story) -> Value {
    json!({"key": key, "dimension": "scans", "quantity": quantity, "at": story.now()})
}

#[tokio::test]
async fn a_held_reservation_is_kept_in_time_or_released_by_itself() {
    let story = Story::begin(Contract).await;
    let buyer = story.subscriber("111122223333").await;
    let path = |what: &str| {
        format!("/marketplace/subscriptions/{}/entitlements/{what}", subscription_id(&buyer))
    };
    for key in ["kept", "lost"] {
        let mut asked = reservation(key, "200", &story);
        asked["holdSeconds"] = json!(600);
        let held = story.call("POST", &path("consume"), Some(asked)).await;
        assert_eq!(held.status, 200, "{held:?}");
        assert!(held.body["heldUntil"].is_string(), "{held:?}");
    }
    let full = story.call("POST", &path("consume"), Some(reservation("a", "101", &story))).await;
    assert_eq!(full.code(), "quota_exceeded", "the plan includes 500 scans");
    let this = |key: &str| Some(json!({"key": key, "month": "2026-11"}));
    let kept = story.call("POST", &path("keep"), this("kept")).await;
    assert_eq!(kept.body["status"], "kept", "{kept:?}");
    let again = story.call("POST", &path("keep"), this("kept")).await;
    assert_eq!(again.body["status"], "already-kept");
    story.minutes(40).await;
    assert_eq!(story.meter(&buyer, "scans", "2026-11").await.aggregate, Quantity::whole(200));
    let late = story.call("POST", &path("keep"), this("lost")).await;
    assert_eq!(late.code(), "reservation_lapsed");
    assert_eq!(conservation(&story).await["result"], "sound");
    story.end_without_bill().await;
}

/// Between two runs of the schedule, what lapsed is released before anyone is told that the quota is full.
#[tokio::test]
async fn a_lapsed_reservation_never_denies_another() {
    let story = Story::begin(Contract).await;
    let buyer = story.subscriber("111122223333").await;
    let path =
        format!("/marketplace/subscriptions/{}/entitlements/consume", subscription_id(&buyer));
    let mut hold = reservation("held", "400", &story);
    hold["holdSeconds"] = json!(30);
    assert_eq!(story.call("POST", &path, Some(hold)).await.status, 200);
    story.minutes(1).await;
    let other = story.call("POST", &path, Some(reservation("other", "450", &story))).await;
    assert_eq!(other.status, 200, "{other:?}");
    assert_eq!(story.meter(&buyer, "scans", "2026-11").await.aggregate, Quantity::whole(450));
    story.end_without_bill().await;
}

#[tokio::test]
async fn what_a_dimension_bills_cannot_be_held_for_a_while() {
    let story = Story::begin(PayAsYouGo).await;
    let buyer = story.subscriber("111122223333").await;
    let path =
        format!("/marketplace/subscriptions/{}/entitlements/consume", subscription_id(&buyer));
    let mut hold = reservation("held", "1", &story);
    hold["holdSeconds"] = json!(30);
    let refused = story.call("POST", &path, Some(hold)).await;
    assert_eq!((refused.status, refused.code()), (422, "not_reversible"));
    story.end().await;
}
