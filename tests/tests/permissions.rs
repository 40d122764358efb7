//! The table of what port methods need of the tables, beside the wire: the store is put to its contract, every request is
//! watched, and what was asked is exactly what the table says. So a policy made of the table is enough, and no more.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::large_futures,
    reason = "a test may panic and need not be lean"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
};
use aws_sdk_dynamodb::error::BoxError;
use local::{Database, RoundTrips, create_tables};
use serde_json::Value;
use store_dynamodb::DynamoStore;
use template::{Target, table_needs};

/// Actions, and the table or index that each was on, as on the wire.
type Asked = BTreeSet<(String, String)>;

#[derive(Debug, Clone, Default)]
struct Watch(Arc<Mutex<Asked>>);

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or(target);
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        self.0.lock().unwrap().extend(asked(operation, &body));
        Ok(())
    }
}

/// What IAM is asked for a request: a transaction is asked for by its parts.
fn asked(operation: &str, body: &Value) -> Vec<(String, String)> {
    let on = |body: &Value| {
        let table = body["TableName"].as_str().unwrap().to_owned();
        body["IndexName"].as_str().map_or(table.clone(), |index| format!("{table}/index/{index}"))
    };
    match operation {
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().unwrap().iter();
            let parts = parts.flat_map(|part| part.as_object().unwrap());
            parts
                .map(|(kind, part)| {
                    let action = if kind == "ConditionCheck" {
                        "ConditionCheckItem"
                    } else {
                        &format!("{kind}Item")
                    };
                    (format!("dynamodb:{action}"), on(part))
                })
                .collect()
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            tables.map(|table| ("dynamodb:BatchGetItem".to_owned(), table.clone())).collect()
        }
        operation => vec![(format!("dynamodb:{operation}"), on(body))],
    }
}

#[tokio::test]
async fn the_store_asks_for_what_the_table_of_needs_says_and_for_nothing_else() {
    let database = Database::start(None).await.unwrap();
    let template =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
    let maker = database.client(&RoundTrips::default());
    let tables = create_tables(&maker, &template.unwrap()).await.unwrap();
    let watch = Watch::default();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(database.endpoint())
        .credentials_provider(Credentials::for_tests())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .interceptor(watch.clone())
        .build();
    let store = DynamoStore::new(Client::from_conf(config), tables.clone());
    app::contracts::all(&store).await;
    app::contracts::deliveries::all(&store).await;

    let named = |table: &str| match table {
        "SubscriptionTable" => tables.subscription.clone(),
        "CustomerTable" => tables.customer.clone(),
        "UsageTable" => tables.usage.clone(),
        "AuditTable" => tables.audit.clone(),
        other => panic!("no table {other}"),
    };
    let expected: Asked = table_needs()
        .into_iter()
        .map(|(action, target)| {
            let on = match target {
                Target::Table(table) => named(table),
                Target::Index(table, index) => format!("{}/index/{index}", named(table)),
                Target::Resource(_) | Target::Anything => panic!("{action} is on no table"),
            };
            (action.to_owned(), on)
        })
        .collect();
    let asked = watch.0.lock().unwrap().clone();
    let unforeseen: Vec<_> = asked.difference(&expected).collect();
    assert!(unforeseen.is_empty(), "add to crates/template/src/needs.rs: {unforeseen:?}");
    let unused: Vec<_> = expected.difference(&asked).collect();
    assert!(unused.is_empty(), "the contract never asked for: {unused:?}");
}
