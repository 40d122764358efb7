//! What buyers, AWS's notifications and the platform come through.

use lambda_shell::metrics;
use local::SystemOptions;
use serde_json::json;
use simulator::Fault;

use super::{Watch, watched};
use crate::story::{ContractWithConsumption, PayAsYouGo, Story, subscription_id};
use crate::webhooks::answer_with;

#[tokio::test]
async fn failed_webhook_processing() {
    let (story, watch) = watched(ContractWithConsumption).await;
    let buyer = story.subscriber("111122223333").await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("GetEntitlements");
    });
    let at = story.now() + jiff::SignedDuration::from_mins(1);
    let event = json!({
        "version": "0", "id": "again", "detail-type": "License Updated - Manufacturer",
        "source": "aws.agreement-marketplace", "account": "444455556666", "time": at,
        "region": "us-east-1", "resources": [], "detail": {
            "requestId": "again", "agreement": {"id": buyer.agreement_id},
            "license": {"arn": buyer.license_arn}, "acceptor": {"accountId": buyer.account},
            "product": {"code": simulator::Product::default().code},
        },
    })
    .to_string();
    let proof = story.sign(&event, story.now());
    assert_eq!(story.webhook(&event, Some(&proof)).await.status, 503);
    assert_eq!(watch.sum(metrics::WEBHOOK_FAILED), 1);
    assert_eq!(watch.sum(metrics::NOTICES_FAILED), 1);
    assert!(watch.because(metrics::WEBHOOK_REQUESTS, "failed") == 1);
    story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
    story.end().await;
}

#[tokio::test]
async fn subscription_creation_errors_at_both_doors() {
    let (mut story, watch) = watched(ContractWithConsumption).await;
    story.system.simulator().faults(|faults| {
        faults.internal_error = Fault::permille(1000).only("GetEntitlements");
    });
    let license =
        "arn:aws:license-manager::294406891311:license:l-00000000000000000000000000000001";
    let body = json!({"licenseArn": license, "account": "111122223333"});
    let refused = story.call("POST", "/marketplace/subscriptions", Some(body)).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(watch.sum(metrics::SUBSCRIPTION_CREATION_FAILED), 1, "at the API");
    watch.forget();
    story.buy("111122223333");
    story.minutes(2).await;
    assert!(watch.sum(metrics::SUBSCRIPTION_CREATION_FAILED) > 0, "by a notification");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn high_onboarding_time() {
    let watch = Watch::default();
    let options = SystemOptions {
        metrics: watch.metrics(),
        platform: false,
        ..SystemOptions::of(PayAsYouGo)
    };
    let story = Story::with(options).await;
    let buyer = story.subscriber("111122223333").await;
    story.hours(30).await;
    let path = format!("/marketplace/subscriptions/{}/tenant", subscription_id(&buyer));
    let confirmed = story.call("PUT", &path, Some(json!({"tenantId": "acme"}))).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    assert!(watch.most(metrics::ONBOARDING_TIME) >= 30 * 3_600_000);
    story.end().await;
}

#[tokio::test]
async fn a_buyer_who_paid_and_never_registered() {
    let (story, watch) = watched(PayAsYouGo).await;
    story.buy("111122223333");
    story.hours(24).await;
    assert_eq!(watch.most(metrics::UNREGISTERED_TOO_LONG), 0);
    story.hours(2).await;
    assert_eq!(watch.most(metrics::UNREGISTERED_TOO_LONG), 1);
    story.end().await;
}

#[tokio::test]
async fn a_notification_that_was_lost_and_one_that_cannot_be_made_up_for_now() {
    let (story, watch) = watched(PayAsYouGo).await;
    story.system.simulator().faults(|faults| {
        faults.drop = Fault::next(1).only("License Updated");
        faults.internal_error = Fault::next(9).only("GetAgreementEntitlements");
    });
    story.buy("111122223333");
    story.hours(3).await;
    assert!(watch.sum(metrics::RECONCILE_FAILED) > 0);
    assert_eq!(watch.because(metrics::RECONCILE_REPAIRS, "license-updated"), 1);
    assert!(watch.sum(metrics::RECONCILE_REPAIRS) > 0);
    assert_eq!(watch.sum(metrics::SUBSCRIPTIONS_CREATED), 1, "by whichever door");
    story.end().await;
}

#[tokio::test]
async fn a_message_that_nobody_can_read_ends_in_the_dead_letter_queue() {
    let (mut story, watch) = watched(PayAsYouGo).await;
    story.system.inject_notice("no notification").unwrap();
    story.minutes(15).await;
    assert!(watch.sum(metrics::NOTICES_UNREADABLE) > 0);
    assert_eq!(story.system.bus().dead_letters().unwrap().len(), 1, "AWS counts its depth");
    story.system.may_stay_unsettled();
}

#[tokio::test]
async fn a_buyer_whom_we_cannot_register() {
    let (story, watch) = watched(PayAsYouGo).await;
    let buyer = story.buy("111122223333");
    story.minutes(2).await;
    story.system.simulator().faults(|faults| {
        faults.expired_credentials = Fault::permille(1000).only("ResolveCustomer");
    });
    let form = story.system.simulator().fulfilment_form(&buyer.agreement_id).unwrap();
    let refused = story.post_form_for_json("/marketplace/register", &form).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(watch.sum(metrics::REGISTRATIONS_FAILED), 1);
    story.system.simulator().faults(|faults| *faults = simulator::Faults::default());
    story.register(&buyer).await;
    assert_eq!(watch.sum(metrics::REGISTRATIONS_FAILED), 1, "the buyer's next try is none");
    story.end().await;
}

#[tokio::test]
async fn an_endpoint_that_takes_no_webhook_for_three_days_and_one_that_is_gone() {
    for (status, hours) in [(503, 80), (410, 1)] {
        let watch = Watch::default();
        let options = SystemOptions {
            metrics: watch.metrics(),
            webhooks: true,
            ..SystemOptions::of(PayAsYouGo)
        };
        let story = Story::with(options).await;
        answer_with(&story, status).await;
        story.subscriber("111122223333").await;
        story.hours(hours).await;
        let given_up = watch.sum(metrics::WEBHOOKS_GIVEN_UP);
        let paused = watch.sum(metrics::WEBHOOK_ENDPOINTS_PAUSED);
        // Two notices wait for the endpoint, `registered` and `provision`; after so many failures it is left alone.
        assert_eq!((given_up, paused), if status == 503 { (2, 1) } else { (0, 1) }, "{status}");
        story.end().await;
    }
}
