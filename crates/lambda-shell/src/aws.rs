//! The configuration of all AWS clients.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Loads credentials and endpoints from the environment, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` included,
/// for clients in `region`.
pub async fn load(region: &str) -> SdkConfig {
    // The ring provider alone: the SDK's default brings a second, outdated HTTP stack and a slower start.
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(http)
        .load()
        .await
}
