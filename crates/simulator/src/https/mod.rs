//! SNS over HTTPS (F§7.4, 7.5): subscriptions that their endpoints confirm, and signed deliveries.
//!
//! Where AWS's hosts would be, there is this simulator: `<base>root.pem` is the trusted root, the certificate is
//! `<base>SimpleNotificationService-simulated.pem`, and `<base>?Action=ConfirmSubscription&…` confirms. Subscriptions are
//! not kept over a restart.

mod control;
mod keys;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::keys::Keys;
use crate::notice::{Channel, Notification};
use crate::simulator::Simulator;
use crate::sns::{sns_time, topic_arn};
use crate::switches::SnsSignatureVersion;

pub(crate) use self::control::router;

/// The name in the simulated SNS's certificate.
pub const SNS_NAME: &str = "sns.simulated.example";

/// The file name of its certificate.
const CERTIFICATE: &str = "SimpleNotificationService-simulated.pem";

/// How long an endpoint may take (F§7.4).
const PATIENCE: Duration = Duration::from_secs(15);

/// How often a delivery is tried while the endpoint answers 5xx or 429 (F§7.4; the pauses between are left out).
const TRIES: usize = 4;

/// An HTTPS subscription of one of the topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpsSubscription {
    /// Of which topic.
    pub channel: Channel,
    /// Where messages are posted.
    pub endpoint: String,
    /// Whether the endpoint has confirmed.
    pub confirmed: bool,
    /// What the endpoint answered to each delivery, the confirmation request first; 0 is no answer.
    pub answers: Vec<u16>,
    #[serde(skip)]
    token: String,
}

/// What SNS over HTTPS keeps.
#[derive(Debug, Default)]
pub(crate) struct Https {
    keys: OnceLock<Keys>,
    subscriptions: Mutex<Vec<HttpsSubscription>>,
}

#[derive(Debug, Deserialize)]
struct Wish {
    endpoint: String,
    #[serde(default = "subscription_topic")]
    channel: Channel,
}

fn subscription_topic() -> Channel {
    Channel::SubscriptionTopic
}

impl Https {
    fn keys(&self) -> &Keys {
        self.keys.get_or_init(Keys::make)
    }

    fn held(&self) -> MutexGuard<'_, Vec<HttpsSubscription>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, token: &str, status: u16) {
        for it in self.held().iter_mut().filter(|it| it.token == token) {
            it.answers.push(status);
        }
    }

    /// Confirms; false for a token that nobody was given.
    fn confirm(&self, token: &str) -> bool {
        let mut held = self.held();
        let found = held.iter_mut().find(|it| it.token == token);
        found.map(|it| it.confirmed = true).is_some()
    }
}

impl Simulator {
    /// The root that the simulated SNS's certificate leads to, as PEM.
    pub fn sns_root(&self) -> String {
        self.https().keys().root.clone()
    }

    /// The HTTPS subscriptions.
    pub fn https_subscriptions(&self) -> Vec<HttpsSubscription> {
        self.https().held().clone()
    }

    /// Delivers a notification of a topic to the endpoints that have confirmed. Like SNS it gives up in the end.
    pub async fn deliver_over_https(&self, notification: &Notification) {
        let wanted = |it: &HttpsSubscription| it.confirmed && it.channel == notification.channel;
        let subscribed: Vec<_> =
            self.https().held().iter().filter(|it| wanted(it)).cloned().collect();
        if subscribed.is_empty() || notification.body.get("Type").is_none() {
            return;
        }
        let signed = self.signed(notification.body.clone());
        for subscription in subscribed {
            for _ in 0..TRIES {
                let status = post(&subscription.endpoint, "Notification", &signed).await;
                self.https().answered(&subscription.token, status);
                if !(status == 0 || status == 429 || status >= 500) {
                    break;
                }
            }
        }
    }

    /// Subscribes an endpoint and asks it to confirm.
    async fn subscribe(&self, wish: Wish) -> HttpsSubscription {
        let token = self.request_id();
        let code = self.product_code();
        let topic = topic_arn(wish.channel, &code);
        let subscription = HttpsSubscription {
            channel: wish.channel,
            endpoint: wish.endpoint,
            confirmed: false,
            answers: Vec::new(),
            token: token.clone(),
        };
        self.https().held().push(subscription.clone());
        let base = self.sns_url();
        let request = self.signed(json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": self.request_id(),
            "Token": token,
            "TopicArn": topic,
            "Message": format!("You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."),
            "SubscribeURL": format!("{base}?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"),
            "Timestamp": sns_time(self.clock().now()),
        }));
        let status = post(&subscription.endpoint, "SubscriptionConfirmation", &request).await;
        self.https().answered(&token, status);
        let held = self.https().held();
        held.iter().find(|it| it.token == token).cloned().unwrap_or(subscription)
    }

    /// Puts version, signature and the certificate's address on an envelope.
    fn signed(&self, mut envelope: Value) -> Value {
        let keys = self.https().keys();
        let text = string_to_sign(&envelope);
        let (version, signature) = match self.switches(|switches| switches.sns_signature_version) {
            SnsSignatureVersion::One => ("1", keys.sign_with_sha1(&text)),
            SnsSignatureVersion::Two => ("2", keys.sign_with_sha256(&text)),
        };
        if let Value::Object(members) = &mut envelope {
            members.insert("SignatureVersion".into(), json!(version));
            members.insert("Signature".into(), json!(STANDARD.encode(signature)));
            let url = format!("{}{CERTIFICATE}", self.sns_url());
            members.insert("SigningCertURL".into(), json!(url));
        }
        envelope
    }
}

/// F§7.5, with the line feed after the last value.
fn string_to_sign(envelope: &Value) -> String {
    let confirmation = envelope.get("Type").and_then(Value::as_str) != Some("Notification");
    let order: &[&str] = if confirmation {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    };
    let mut text = String::new();
    for name in order {
        if let Some(value) = envelope.get(*name).and_then(Value::as_str) {
            text.push_str(name);
            text.push('\n');
            text.push_str(value);
            text.push('\n');
        }
    }
    text
}

/// The status that an endpoint answers, or 0.
async fn post(endpoint: &str, kind: &'static str, body: &Value) -> u16 {
    let request = reqwest::Client::new()
        .post(endpoint)
        .timeout(PATIENCE)
        .header("content-type", "text/plain; charset=UTF-8")
        .header("user-agent", "Amazon Simple Notification Service Agent")
        .header("x-amz-sns-message-type", kind)
        .body(body.to_string());
    match request.send().await {
        Ok(answer) => answer.status().as_u16(),
        Err(error) => {
            tracing::warn!(%error, "an HTTPS endpoint gave no answer");
            0
        }
    }
}
