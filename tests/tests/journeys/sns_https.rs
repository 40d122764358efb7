//! Legacy notifications over HTTPS, signed by the simulated SNS: confirmed, believed, taken once, and nobody else's.

use jiff::Timestamp;
use serde_json::{Value, json};
use simulator::{Channel, Notification, Purchase};

use crate::story::{PayAsYouGo, Story};

/// Subscribes the webhook to a topic as the seller would in the console; answers the subscription.
async fn subscribe(story: &Story, channel: &str) -> Value {
    let wish = json!({
        "channel": channel,
        "endpoint": format!("{}/marketplace/webhook", story.system.url()),
    });
    let url = format!("{}/_sim/sns-subscriptions", story.system.url());
    let answer = reqwest::Client::new().post(url).body(wish.to_string()).send().await.unwrap();
    answer.json().await.unwrap()
}

/// What the webhook answered to each delivery of the first subscription.
fn answers(story: &Story) -> Vec<u16> {
    story.system.simulator().https_subscriptions()[0].answers.clone()
}

fn envelope(story: &Story, id: &str, action: &str, customer: &str) -> Value {
    let code = simulator::Product::default().code;
    json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": format!("arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-{code}"),
        "Message": json!({"action": action, "customer-identifier": customer, "product-code": code}).to_string(),
        "Timestamp": story.now(),
    })
}

/// Lets the simulated SNS sign an envelope and deliver it.
async fn deliver(story: &Story, body: Value) {
    let channel = Channel::SubscriptionTopic;
    let notification = Notification { id: 0, due: Timestamp::UNIX_EPOCH, channel, body };
    story.system.simulator().deliver_over_https(&notification).await;
}

#[tokio::test]
async fn a_topic_is_confirmed_and_its_notifications_are_taken_once() {
    for version in ["1", "2"] {
        let story = Story::begin(PayAsYouGo).await;
        let url = format!("{}/_sim/switches", story.system.url());
        let switch = json!({ "sns_signature_version": version }).to_string();
        reqwest::Client::new().post(url).body(switch).send().await.unwrap();
        for channel in ["subscription-topic", "entitlement-topic"] {
            let subscription = subscribe(&story, channel).await;
            assert_eq!(subscription["confirmed"], true, "{subscription}");
            assert_eq!(subscription["answers"], json!([200]), "{subscription}");
        }
        let purchase = Purchase { legacy: true, ..story.purchase("111122223333") };
        let buyer = story.system.simulator().buy(purchase).unwrap();
        story.register(&buyer).await;
        story.minutes(2).await;
        assert_eq!(story.status(&buyer).await, "ACTIVE");
        let told = answers(&story);
        assert!(told.len() > 1 && told.iter().all(|status| *status == 200), "{told:?}");
        story.uses(&buyer, "scans", "7").await;
        story.system.simulator().cancel(&buyer.agreement_id).unwrap();
        story.hours(3).await;
        assert_eq!(story.status(&buyer).await, "CANCELLED");
        assert_eq!(story.invoiced(&buyer, "scans", "2026-11"), 7);
        story.end().await;
    }
}

#[tokio::test]
async fn a_replayed_message_changes_nothing() {
    let story = Story::begin(PayAsYouGo).await;
    subscribe(&story, "subscription-topic").await;
    let message = envelope(&story, "message-1", "subscribe-success", "X01EXAMPLEX");
    deliver(&story, message.clone()).await;
    let subscriptions = story.call("GET", "/marketplace/subscriptions", None).await.body;
    assert_eq!(subscriptions["items"].as_array().map(Vec::len), Some(1), "{subscriptions}");
    deliver(&story, message).await;
    assert_eq!(story.call("GET", "/marketplace/subscriptions", None).await.body, subscriptions);
    assert_eq!(answers(&story), [200, 200, 200]);
    story.end().await;
}

#[tokio::test]
async fn what_sns_did_not_sign_is_not_read_even_beside_what_it_did() {
    let story = Story::begin(PayAsYouGo).await;
    subscribe(&story, "subscription-topic").await;
    let mut smuggling = envelope(&story, "message-1", "subscribe-fail", "X01EXAMPLEX");
    smuggling["detail-type"] = json!("License Updated - Manufacturer");
    smuggling["type"] = json!("usage.reported");
    deliver(&story, smuggling).await;
    // Taken for the SNS message that it is, and not for the event that somebody wrote beside it.
    assert_eq!(answers(&story), [200, 200]);
    story.end().await;
}

#[tokio::test]
async fn what_is_not_signed_by_sns_or_not_of_our_topics_is_refused() {
    let story = Story::begin(PayAsYouGo).await;
    subscribe(&story, "subscription-topic").await;
    let mut foreign = envelope(&story, "message-1", "subscribe-success", "X01EXAMPLEX");
    foreign["TopicArn"] =
        json!("arn:aws:sns:us-east-1:666666666666:aws-mp-subscription-notification-x");
    deliver(&story, foreign).await;
    assert_eq!(answers(&story), [200, 401]);

    let mut forged = envelope(&story, "message-2", "subscribe-success", "X01EXAMPLEX");
    forged["SignatureVersion"] = json!("2");
    forged["Signature"] = json!("c2ltdWxhdGVk");
    forged["SigningCertURL"] =
        json!(format!("{}/_sim/sns/SimpleNotificationService-simulated.pem", story.system.url()));
    for (body, status, code) in [
        (forged.to_string(), 401, "bad_signature"),
        (
            forged.to_string().replace("SimpleNotificationService", "../../_local"),
            401,
            "untrusted_certificate",
        ),
        ("{".to_owned(), 400, "unreadable_notice"),
        ("{}".to_owned(), 400, "unreadable_notice"),
    ] {
        let answer = reqwest::Client::new()
            .post(format!("{}/marketplace/webhook", story.system.url()))
            .header("x-amz-sns-message-type", "Notification")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    }
    let subscriptions = story.call("GET", "/marketplace/subscriptions", None).await.body;
    assert_eq!(subscriptions["items"].as_array().map(Vec::len), Some(0), "{subscriptions}");
    story.end().await;
}
