//! Confirming a subscription.

use crate::server::{Found, Sns};

#[tokio::test]
async fn a_believed_request_is_confirmed_where_it_says() {
    let sns = Sns::sound().await;
    sns.put("confirm", Found::Body(b"<ConfirmSubscriptionResponse/>".to_vec()));
    let delivery = sns.judge(&sns.confirmation("SubscriptionConfirmation").signed()).await.unwrap();
    assert_eq!(sns.asked(), ["leaf.pem"], "believing is not yet confirming");
    sns.verifier.confirm(&delivery).await.unwrap();
    assert_eq!(sns.asked(), ["leaf.pem", "confirm"]);
}

#[tokio::test]
async fn a_goodbye_and_a_notification_confirm_nothing() {
    let sns = Sns::sound().await;
    for message in [sns.confirmation("UnsubscribeConfirmation"), sns.notification("1")] {
        let delivery = sns.judge(&message.signed()).await.unwrap();
        sns.verifier.confirm(&delivery).await.unwrap();
    }
    assert_eq!(sns.asked(), ["leaf.pem"]);
}

#[tokio::test]
async fn a_refusal_or_a_redirect_is_no_confirmation() {
    let sns = Sns::sound().await;
    for found in [Found::Status(403), Found::Status(500), Found::Elsewhere] {
        sns.put("confirm", found);
        let delivery =
            sns.judge(&sns.confirmation("SubscriptionConfirmation").signed()).await.unwrap();
        assert_eq!(sns.verifier.confirm(&delivery).await.unwrap_err().code(), "unavailable");
    }
    assert_eq!(sns.asked(), ["leaf.pem", "confirm", "confirm", "confirm"]);
}
