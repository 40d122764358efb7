use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::signature::{sign, verify};

const OLD: &str = "the-old-secret-of-32-characters-";
const NEW: &str = "the-new-secret-of-32-characters-";

/// Secrets Manager as the wire shows it: per stage a value and when it was put; nothing while it is out of order.
#[derive(Debug, Clone, Default)]
struct Keeper(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    values: BTreeMap<&'static str, (&'static str, Timestamp)>,
    out_of_order: bool,
    calls: usize,
}

impl Keeper {
    fn put(&self, value: &'static str, at: Timestamp) {
        let mut kept = self.0.lock().unwrap();
        if let Some(former) = kept.values.remove("AWSCURRENT") {
            kept.values.insert("AWSPREVIOUS", former);
        }
        kept.values.insert("AWSCURRENT", (value, at));
    }

    fn break_down(&self, out_of_order: bool) {
        self.0.lock().unwrap().out_of_order = out_of_order;
    }

    fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    async fn open(&self, now: Timestamp) -> Result<(Secrets, Refresher), SecretError> {
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(self.clone())
            .build();
        let secret =
            KeptSecret { id: "webhook".to_owned(), rotation: SignedDuration::from_hours(1) };
        open(SecretsConfig::Kept(secret), &aws, now).await
    }
}

impl HttpClient for Keeper {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Keeper {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut kept = self.0.lock().unwrap();
        kept.calls += 1;
        let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        assert_eq!(asked["SecretId"], "webhook");
        let found = kept.values.get(asked["VersionStage"].as_str().unwrap());
        let (status, body) = match found {
            _ if kept.out_of_order => (500, json!({"__type": "InternalServiceError"})),
            Some((value, at)) => {
                (200, json!({"SecretString": value, "CreatedDate": at.as_second()}))
            }
            None => (400, json!({"__type": "ResourceNotFoundException"})),
        };
        let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

fn minute(minute: i64) -> Timestamp {
    "2026-11-24T07:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

/// Whether what `secret` signs is believed.
fn believed(secrets: &Secrets, secret: &str) -> bool {
    let now = minute(0);
    let headers: HeaderMap = sign(&Secrets::parse(secret).unwrap(), b"{}", now)
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    verify(secrets, &headers, b"{}", now).is_ok()
}

#[tokio::test]
async fn a_new_secret_is_taken_while_running_and_the_former_is_believed_until_its_window_is_over() {
    let keeper = Keeper::default();
    keeper.put(OLD, minute(-600));
    let (secrets, refresher) = keeper.open(minute(0)).await.unwrap();
    assert!(believed(&secrets, OLD));
    assert_eq!(
        keeper.calls(),
        1,
        "nothing was rotated lately, so the former secret is not asked for"
    );

    keeper.put(NEW, minute(1));
    refresher.refresh(minute(4)).await;
    assert!(!believed(&secrets, NEW), "what was read is fresh for five minutes");
    assert_eq!(keeper.calls(), 1);
    refresher.refresh(minute(5)).await;
    assert!(believed(&secrets, NEW) && believed(&secrets, OLD));
    let signed = sign(&secrets, b"{}", minute(0));
    assert_eq!(signed, sign(&Secrets::parse(NEW).unwrap(), b"{}", minute(0)), "the new one signs");

    refresher.refresh(minute(62)).await;
    assert!(believed(&secrets, NEW) && !believed(&secrets, OLD), "its window is over");
}

#[tokio::test]
async fn the_last_secret_stays_in_force_while_secrets_manager_is_out_of_order() {
    let keeper = Keeper::default();
    keeper.put(OLD, minute(-600));
    let (secrets, refresher) = keeper.open(minute(0)).await.unwrap();
    keeper.put(NEW, minute(1));
    keeper.break_down(true);
    refresher.refresh(minute(6)).await;
    refresher.refresh(minute(6)).await;
    assert_eq!(keeper.calls(), 2, "it is left alone for half a minute");
    assert!(believed(&secrets, OLD) && !believed(&secrets, NEW));
    keeper.break_down(false);
    refresher.refresh(minute(7)).await;
    assert!(believed(&secrets, NEW));
}

#[tokio::test]
async fn a_function_does_not_start_without_a_secret_or_with_a_weak_one() {
    let keeper = Keeper::default();
    let told = keeper.open(minute(0)).await.map(|_| ()).unwrap_err();
    assert!(matches!(told, SecretError::Unavailable(_)), "{told:?}");
    keeper.put("weak", minute(0));
    let told = format!("{:?}", keeper.open(minute(0)).await.map(|_| ()).unwrap_err());
    assert!(told.contains("at least 32 characters") && !told.contains("weak"), "{told}");
}
