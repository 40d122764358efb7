//! The API as a Lambda function.

use app::{Clock, Context};
use axum::middleware::from_fn;
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use marketplace_aws::{Aws, SettlementSqsQueue};
use store_dynamodb::{DynamoStore, Tables};
use subscription_api::{Config, Deps, caller_from_api_gateway, router};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let (config, aws) = lambda_shell::start::<Config>().await?;
    let TablesConfig { customer, subscription, usage, audit } = config.tables;
    let queue = SettlementSqsQueue::connect(&aws, config.settlement_queue.0);
    let context = Context {
        listing: config.listing.into(),
        store: DynamoStore::connect(&aws, Tables { subscription, customer, usage, audit }),
        aws: Aws::connect(&aws, &config.service.region, queue),
    };
    let deps = Deps {
        context,
        clock: Clock::new(jiff::Timestamp::now),
        version: config.service.version,
        metrics: Metrics::stdout(),
    };
    lambda_http::run(router(deps).layer(from_fn(caller_from_api_gateway))).await
}
