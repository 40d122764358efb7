//! What the functions reach for: the real adapters of AWS Marketplace, pointed at the simulator, and the bus in the place
//! of SQS and SNS.

use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::bus::LocalQueue;
use crate::functions::Parts;

/// AWS as the functions see it, except the notifier.
pub(crate) type LocalAws = marketplace_aws::Aws<LocalQueue>;

/// The marketplace's services over the wire, and the bus's settlement queue.
pub(crate) fn connect(parts: &Parts) -> LocalAws {
    let queue = LocalQueue::new(parts.bus.clone(), parts.clock.clone());
    LocalAws::connect(&config(&parts.marketplace), "us-east-1", queue)
}

fn config(marketplace: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(marketplace)
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// The simulator believes any signature.
fn credentials() -> aws_sdk_dynamodb::config::SharedCredentialsProvider {
    use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
    SharedCredentialsProvider::new(Credentials::for_tests())
}
