//! The API as a Lambda function.

use app::{Clock, Context};
use axum::middleware::{from_fn, from_fn_with_state};
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use lambda_shell::secrets;
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
    let (secrets, refresher) = secrets::open(config.secrets, &aws, jiff::Timestamp::now()).await?;
    let deps = Deps {
        context,
        clock: Clock::new(jiff::Timestamp::now),
        version: config.service.version,
        secrets,
        brand: config.brand,
        metrics: Metrics::stdout(),
    };
    let fresh = from_fn_with_state(refresher, secrets::refreshed);
    lambda_http::run(router(deps).layer(from_fn(caller_from_api_gateway)).layer(fresh)).await
}
