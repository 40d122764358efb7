//! The reconciler as a Lambda function.

use app::{Clock, Context};
use lambda_runtime::{LambdaEvent, service_fn};
use lambda_shell::budget::budget;
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use marketplace_aws::{Aws, SettlementSqsQueue};
use reconciler::{Config, Deps, ProductId, handle};
use serde_json::Value;
use store_dynamodb::{DynamoStore, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (config, aws) = lambda_shell::start::<Config>().await?;
    let TablesConfig { customer, subscription, usage, audit } = config.tables;
    let queue = SettlementSqsQueue::connect(&aws, config.settlement_queue.0);
    let ProductId(product) = config.product_id;
    let context = Context {
        listing: config.listing.into(),
        store: DynamoStore::connect(&aws, Tables { subscription, customer, usage, audit }),
        aws: Aws::connect(&aws, &config.metering_region.0, queue).of_product(product),
    };
    let clock = Clock::new(jiff::Timestamp::now);
    let deps = &Deps { context, clock, metrics: Metrics::stdout() };
    let invoked = |event: LambdaEvent<Value>| async move {
        Box::pin(handle(deps, event.payload, &budget(event.context.deadline()))).await
    };
    Box::pin(lambda_runtime::run(service_fn(invoked))).await
}
