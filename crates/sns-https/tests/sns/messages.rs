//! The signature and what it covers.

use sns_https::Kind;

use crate::server::{Sns, TOPIC};

#[tokio::test]
async fn both_versions_are_believed() {
    let sns = Sns::sound().await;
    for version in ["1", "2"] {
        let delivery = sns.judge(&sns.notification(version).signed()).await.unwrap();
        assert_eq!((delivery.kind, delivery.topic.as_str()), (Kind::Notification, TOPIC));
        let bare = sns.notification(version).without("Subject").signed();
        assert!(sns.judge(&bare).await.is_ok(), "version {version} without a subject");
    }
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        assert!(sns.judge(&sns.confirmation(kind).signed()).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn every_signed_member_is_covered_and_the_others_are_not() {
    let sns = Sns::sound().await;
    let notification = sns.notification("2").signed();
    for name in ["Message", "MessageId", "Subject"] {
        let error = sns.judge(&notification.clone().with(name, "another")).await.unwrap_err();
        assert_eq!(error.code(), "bad_signature", "{name}");
    }
    let later = notification.clone().with("Timestamp", "2026-11-24T08:00:00.001Z");
    assert_eq!(sns.judge(&later).await.unwrap_err().code(), "bad_signature");
    let unsubscribed = notification.clone().with("UnsubscribeURL", "https://evil.example/");
    assert!(sns.judge(&unsubscribed.without("MessageAttributes")).await.is_ok());

    let confirmation = sns.confirmation("SubscriptionConfirmation").signed();
    let elsewhere =
        format!("{}confirm?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=9", sns.base);
    for (name, value) in [("Token", "9"), ("SubscribeURL", elsewhere.as_str())] {
        let error = sns.judge(&confirmation.clone().with(name, value)).await.unwrap_err();
        assert_eq!(error.code(), "bad_signature", "{name}");
    }
    let retyped = confirmation.with("Type", "UnsubscribeConfirmation");
    assert_eq!(sns.judge(&retyped).await.unwrap_err().code(), "bad_signature");
}

#[tokio::test]
async fn another_order_or_a_missing_last_line_feed_does_not_fit() {
    let sns = Sns::sound().await;
    let message = sns.notification("2");
    let right = message.string_to_sign();
    assert!(sns.judge(&message.clone().signed_over(0, &right)).await.is_ok());
    let mut lines: Vec<_> = right.split_inclusive('\n').collect();
    lines.rotate_right(2);
    for wrong in [lines.concat(), right.trim_end().to_owned(), format!("{right}\n")] {
        let error = sns.judge(&message.clone().signed_over(0, &wrong)).await.unwrap_err();
        assert_eq!(error.code(), "bad_signature", "{wrong:?}");
    }
}

#[tokio::test]
async fn a_signature_by_another_key_or_of_another_version_does_not_fit() {
    let sns = Sns::sound().await;
    let code = async |message| sns.judge(&message).await.unwrap_err().code();
    assert_eq!(code(sns.notification("1").signed_with(1)).await, "bad_signature");
    assert_eq!(code(sns.notification("2").signed_with(1)).await, "bad_signature");
    let renamed = sns.notification("1").signed().with("SignatureVersion", "2");
    assert_eq!(code(renamed).await, "bad_signature");
    let third = sns.notification("1").signed().with("SignatureVersion", "3");
    assert_eq!(code(third).await, "malformed_signature");
    let text = sns.notification("1").with("Signature", "not base64!");
    assert_eq!(code(text).await, "malformed_signature");
    assert_eq!(code(sns.notification("1")).await, "missing_signature");
}

#[tokio::test]
async fn a_message_is_believed_for_a_day() {
    let sns = Sns::sound().await;
    let message = sns.notification("2").signed();
    assert!(sns.judge_at(&message, "2026-11-25T08:00:00Z").await.is_ok());
    assert!(sns.judge_at(&message, "2026-11-24T07:55:00Z").await.is_ok());
    for now in ["2026-11-25T08:00:01Z", "2026-11-24T07:54:59Z"] {
        let error = sns.judge_at(&message, now).await.unwrap_err();
        assert_eq!(error.code(), "stale_signature", "{now}");
    }
}

#[tokio::test]
async fn nothing_is_fetched_for_a_topic_or_an_address_that_is_not_ours() {
    let sns = Sns::sound().await;
    let ours = sns.notification("2");
    let another = TOPIC.replace("abcd", "evil");
    let moved = sns.base.replace("/sns/", "/other/");
    for (message, code) in [
        (ours.clone().with("TopicArn", &another).signed(), "unknown_topic"),
        (ours.clone().without("TopicArn").signed(), "missing_signature"),
        (ours.clone().with("SigningCertURL", &format!("{moved}leaf.pem")).signed(), "foreign_url"),
        (ours.with("SigningCertURL", "http://169.254.169.254/leaf.pem").signed(), "foreign_url"),
        (
            sns.confirmation("SubscriptionConfirmation")
                .with("SubscribeURL", "http://169.254.169.254/?Action=ConfirmSubscription")
                .signed(),
            "foreign_url",
        ),
    ] {
        assert_eq!(sns.judge(&message).await.unwrap_err().code(), code);
    }
    assert_eq!(sns.asked(), Vec::<String>::new());
}
