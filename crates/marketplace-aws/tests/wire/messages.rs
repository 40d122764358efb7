//! The tenant topic and the settlement queue.

use std::collections::BTreeSet;

use app::Error;
use app::ports::{SettlementQueue, SettlementRequest, TenantTopic};
use domain::subscription::{TenantNotice, TenantNoticeKind};
use marketplace_aws::{SettlementSqsQueue, TenantSnsTopic};
use serde_json::{Value, json};

use crate::harness::{Line, refusal};

const TOPIC: &str = "arn:aws:sns:eu-central-1:444455556666:tenants";
const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/444455556666/settlements";
const SUBSCRIPTION: &str = "sub_0123456789abcdef0123456789abcdef";

fn notice() -> TenantNotice {
    TenantNotice {
        subscription_id: SUBSCRIPTION.parse().unwrap(),
        revision: 7,
        at: "2026-11-24T07:00:00Z".parse().unwrap(),
        kind: TenantNoticeKind::Provision,
        tenant_id: None,
        plan: Some("team".parse().unwrap()),
        features: BTreeSet::new(),
    }
}

/// The fields of a form, decoded.
fn form(body: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let hex = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

#[tokio::test]
async fn a_notice_is_published_whole_with_what_subscribers_filter_by() {
    let published = "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
    let line = Line::carrying([(200, published.into())]);
    TenantSnsTopic::connect(&line.config, TOPIC.to_owned()).publish(&notice()).await.unwrap();
    let form = form(&line.body());
    let field = |name: &str| {
        form.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    };
    assert_eq!((field("Action"), field("TopicArn")), ("Publish", TOPIC));
    let message: TenantNotice = serde_json::from_str(field("Message")).unwrap();
    assert_eq!(message, notice());
    let mut attributes: Vec<_> = (1..=3)
        .map(|n| {
            let of = |part: &str| field(&format!("MessageAttributes.entry.{n}.{part}"));
            (of("Name"), of("Value.DataType"), of("Value.StringValue"))
        })
        .collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            ("revision", "Number", "7"),
            ("subscriptionId", "String", SUBSCRIPTION),
            ("type", "String", "provision"),
        ]
    );
}

#[tokio::test]
async fn a_settlement_request_is_delivered_later_and_never_later_than_sqs_can() {
    for (asked, sent) in [(0, 0), (300, 300), (u16::MAX, 900)] {
        let line = Line::answering([(200, json!({ "MessageId": "m" }))]);
        let queue = SettlementSqsQueue::connect(&line.config, QUEUE.to_owned());
        let request = SettlementRequest::Flush { subscription: SUBSCRIPTION.parse().unwrap() };
        queue.send(&request, asked).await.unwrap();
        let body: Value = serde_json::from_str(&line.body()).unwrap();
        assert_eq!((&body["QueueUrl"], &body["DelaySeconds"]), (&json!(QUEUE), &json!(sent)));
        let message: SettlementRequest =
            serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(message, request);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_not_taken_is_an_error() {
    let line = Line::always(503, &json!({}));
    let topic = TenantSnsTopic::connect(&line.config, TOPIC.to_owned());
    assert!(topic.publish(&notice()).await.unwrap_err().is_transient());
    let line = Line::always(400, &refusal("QueueDoesNotExist", "no"));
    let queue = SettlementSqsQueue::connect(&line.config, QUEUE.to_owned());
    let error = queue.send(&SettlementRequest::Backlog, 0).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}
