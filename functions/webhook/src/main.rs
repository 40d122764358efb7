//! The webhook as a Lambda function.

use app::{Clock, Context};
use lambda_shell::config::TablesConfig;
use lambda_shell::metrics::Metrics;
use marketplace_aws::{Aws, SettlementSqsQueue};
use store_dynamodb::{DynamoStore, Tables};
use webhook::{Config, Deps, router};

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
    let sns = webhook::from_aws(config.sns_topics)?;
    let deps = Deps {
        context,
        clock: Clock::new(jiff::Timestamp::now),
        secrets: config.secrets,
        sns,
        endpoint: config.endpoint,
        metrics: Metrics::stdout(),
    };
    lambda_http::run(router(deps)).await
}
