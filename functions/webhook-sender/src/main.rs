//! The sender as a Lambda function.

use app::Clock;
use guarded_http::Networks;
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use marketplace_aws::WebhookSqsQueue;
use serde_json::Value;
use store_dynamodb::{DynamoStore, Tables};
use webhook_sender::{Config, Deps, HttpPostman, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (config, aws) = lambda_shell::start::<Config>().await?;
    let TablesConfig { customer, subscription, usage, audit } = config.tables;
    let deps = &Deps {
        store: DynamoStore::connect(&aws, Tables { subscription, customer, usage, audit }),
        endpoints: config.webhooks.names(),
        postman: HttpPostman::new(config.webhooks, Networks::Public)?,
        wake_up: WebhookSqsQueue::connect(&aws, config.queue.0),
        clock: Clock::new(jiff::Timestamp::now),
        metrics: Metrics::stdout(),
    };
    let invoked = |event: LambdaEvent<Value>| handle(deps, event.payload);
    lambda_runtime::run(service_fn(invoked)).await
}
