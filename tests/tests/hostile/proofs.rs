//! The other two proofs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::target::Target;

pub(crate) async fn standard_webhooks_and_sns(it: &mut Target) {
    let body = "{\"id\":\"1\",\"type\":\"tenant.renamed\"}";
    let time = it.now().as_second().to_string();
    let noise = format!("v1,{}", STANDARD.encode([7_u8; 32]));
    let standard = |it: &Target| {
        it.webhook().header("webhook-timestamp", &time).header("webhook-signature", &noise)
    };
    let request = standard(it).header("webhook-id", "msg_1").body(body);
    it.try_it("Standard Webhooks: a made-up signature", request).await;
    let request = standard(it).body(body);
    it.try_it("Standard Webhooks: without an id", request).await;
    let request = standard(it).header("webhook-id", "x".repeat(5_000)).body(body);
    it.try_it("Standard Webhooks: an id of 5,000 characters", request).await;

    let topic = format!(
        "arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-{}",
        simulator::Product::default().code
    );
    let now = it.now();
    let certificate =
        format!("{}/_sim/sns/SimpleNotificationService-simulated.pem", it.system.url());
    let envelope = json!({
        "Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": "{}", "Timestamp": now,
        "SignatureVersion": "2", "Signature": "AAAA", "SigningCertURL": certificate,
    });
    let with = |name: &str, value: &str| {
        let mut changed = envelope.clone();
        changed.as_object_mut().unwrap().insert(name.to_owned(), json!(value));
        changed.to_string()
    };
    let twice = envelope.to_string().replacen('{', "{\"Message\":\"other\",", 1);
    for (what, body) in [
        ("SNS: a made-up signature under the right certificate", envelope.to_string()),
        ("SNS: another's topic", with("TopicArn", "arn:aws:sns:us-east-1:666666666666:evil")),
        (
            "SNS: a certificate at the metadata service",
            with("SigningCertURL", "http://169.254.169.254/latest/meta-data/x.pem"),
        ),
        (
            "SNS: a certificate at a host that ends like AWS",
            with("SigningCertURL", "https://sns.us-east-1.amazonaws.com.evil.example/x.pem"),
        ),
        ("SNS: a certificate in a file", with("SigningCertURL", "file:///etc/passwd")),
        (
            "SNS: a page of ours for a certificate",
            with(
                "SigningCertURL",
                &certificate.replace("SimpleNotificationService-simulated.pem", "nothing.pem"),
            ),
        ),
        ("SNS: a confirmation that leads to the metadata service", {
            let mut changed = envelope.clone();
            let members = changed.as_object_mut().unwrap();
            members.insert("Type".into(), json!("SubscriptionConfirmation"));
            members.insert("Token".into(), json!("t"));
            members.insert(
                "SubscribeURL".into(),
                json!("http://169.254.169.254/?Action=ConfirmSubscription"),
            );
            changed.to_string()
        }),
        ("SNS: a signature of version 3", with("SignatureVersion", "3")),
        ("SNS: two days old", with("Timestamp", "2026-11-08T08:00:00Z")),
        ("SNS: one member twice", twice),
        ("SNS: not JSON", "hello".to_owned()),
    ] {
        let request = it.webhook().header("x-amz-sns-message-type", "Notification").body(body);
        it.try_it(what, request).await;
    }
}
