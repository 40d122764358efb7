//! The messages of the legacy SNS topics (F§7.2, 7.4).
//!
//! The envelope is complete, but its signature is a placeholder: for queues, where nobody verifies it, that is enough.
//! What is delivered over HTTPS is signed then (see `https`).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::events::exact;
use crate::notice::Channel;
use crate::records::Agreement;
use crate::state::State;
use crate::switches::{OnOff, SnsAccountId, SnsSignatureVersion};

/// The account that owns the topics (F§7.1).
const TOPIC_OWNER: &str = "287250355862";

impl State {
    /// Tells the subscription topic; silent for an agreement that is not a legacy one.
    pub(crate) fn tell_subscription(&mut self, action: &str, agreement: &Agreement, at: Timestamp) {
        let Some(mut message) = self.message(action, agreement) else { return };
        if matches!(action, "subscribe-success" | "subscribe-fail") {
            let trial = agreement.free_trial_ends.is_some().to_string();
            if let Value::Object(members) = &mut message {
                members.insert("offer-identifier".into(), json!(agreement.offer_id));
                members.insert("isFreeTrialTermPresent".into(), json!(trial));
            }
        }
        self.publish(Channel::SubscriptionTopic, action, agreement, at, message);
    }

    /// Tells the entitlement topic, for products that sell entitlements.
    pub(crate) fn tell_entitlement(&mut self, agreement: &Agreement, at: Timestamp) {
        let sells = self.product_of(agreement).is_some_and(|it| it.pricing.has_contract());
        let action = "entitlement-updated";
        let Some(message) = self.message(action, agreement).filter(|_| sells) else { return };
        self.publish(Channel::EntitlementTopic, action, agreement, at, message);
    }

    fn message(&self, action: &str, agreement: &Agreement) -> Option<Value> {
        let identifier = agreement.customer_identifier.as_deref()?;
        let space = if self.switches.sns_payload_quirks == OnOff::On { " " } else { "" };
        let mut message = json!({
            "action": action,
            "customer-identifier": format!("{space}{identifier}"),
            "product-code": agreement.product_code,
        });
        if self.switches.sns_account_id == SnsAccountId::Present
            && let Value::Object(members) = &mut message
        {
            members.insert("customer-aws-account-id".into(), json!(agreement.account));
        }
        Some(message)
    }

    fn publish(
        &mut self,
        channel: Channel,
        action: &str,
        agreement: &Agreement,
        at: Timestamp,
        message: Value,
    ) {
        let arn = topic_arn(channel, &agreement.product_code);
        let version = match self.switches.sns_signature_version {
            SnsSignatureVersion::One => "1",
            SnsSignatureVersion::Two => "2",
        };
        let host = "https://sns.us-east-1.amazonaws.com";
        let body = match self.switches.sns_raw_delivery {
            OnOff::On => message,
            OnOff::Off => json!({
                "Type": "Notification",
                "MessageId": self.ids.uuid("sns-message"),
                "TopicArn": arn,
                "Message": message.to_string(),
                "Timestamp": sns_time(at),
                "SignatureVersion": version,
                "Signature": "c2ltdWxhdGVk",
                "SigningCertURL": format!("{host}/SimpleNotificationService-simulated.pem"),
                "UnsubscribeURL": format!("{host}/?Action=Unsubscribe&SubscriptionArn={arn}:simulated"),
            }),
        };
        let subject = agreement.customer_identifier.clone().unwrap_or_default();
        self.notify(channel, action, &subject, at, &body);
    }
}

/// The topic of a channel for a product (F§7.1).
pub(crate) fn topic_arn(channel: Channel, code: &str) -> String {
    let topic = match channel {
        Channel::EntitlementTopic => "entitlement",
        Channel::SubscriptionTopic | Channel::EventBridge => "subscription",
    };
    format!("arn:aws:sns:us-east-1:{TOPIC_OWNER}:aws-mp-{topic}-notification-{code}")
}

/// SNS always writes three decimals.
pub(crate) fn sns_time(at: Timestamp) -> String {
    let text = exact(at);
    if text.contains('.') { text } else { text.replace('Z', ".000Z") }
}
