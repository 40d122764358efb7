//! The registration as a Lambda function.

use app::{Clock, Context};
use axum::middleware::from_fn_with_state;
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use lambda_shell::secrets;
use marketplace_aws::Aws;
use registration::{Config, Deps, router};
use store_dynamodb::{DynamoStore, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let (config, aws) = lambda_shell::start::<Config>().await?;
    let TablesConfig { customer, subscription, usage, audit } = config.tables;
    let context = Context {
        listing: config.listing.into(),
        store: DynamoStore::connect(&aws, Tables { subscription, customer, usage, audit }),
        aws: Aws::connect(&aws, &config.service.region, ()),
    };
    let (secrets, refresher) = secrets::open(config.secrets, &aws, jiff::Timestamp::now()).await?;
    let deps = Deps {
        context,
        clock: Clock::new(jiff::Timestamp::now),
        secrets,
        brand: config.brand,
        metrics: Metrics::stdout(),
    };
    let fresh = from_fn_with_state(refresher, secrets::refreshed);
    lambda_http::run(router(deps).layer(fresh)).await
}
