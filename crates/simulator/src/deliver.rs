//! Posts due notifications to a URL until it answers 2xx: at least once, in order of due time.

use std::time::Duration;

use simulator::{Channel, Notification, Simulator};

/// How often the queue is looked at, and how long a refused notification waits.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(simulator: Simulator, url: String) {
    let client = reqwest::Client::new();
    let mut failing = false;
    loop {
        for notification in simulator.due_notifications() {
            match post(&client, &url, &notification).await {
                Ok(()) => {
                    failing = false;
                    simulator.acknowledge(notification.id);
                }
                Err(reason) => {
                    if !failing {
                        tracing::warn!(
                            notification.id,
                            %reason,
                            "a notification was not taken; it is tried again until it is"
                        );
                    }
                    failing = true;
                    break;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn post(client: &reqwest::Client, url: &str, it: &Notification) -> Result<(), String> {
    let request = client.post(url).timeout(Duration::from_secs(15));
    let request = match it.channel {
        Channel::EventBridge => request.header("content-type", "application/json"),
        Channel::SubscriptionTopic | Channel::EntitlementTopic => request
            .header("content-type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", "Notification"),
    };
    let answer = request.body(it.body.to_string()).send().await;
    match answer.and_then(reqwest::Response::error_for_status) {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("it answered {}", answer.status())),
        Err(error) => Err(error.to_string()),
    }
}
