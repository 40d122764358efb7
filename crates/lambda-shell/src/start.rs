//! The first lines of every `main`.

use aws_config::SdkConfig;

use crate::config::{Configuration, InvalidConfig, ServiceConfig, Vars};
use crate::{aws, logs, metrics};

/// Reads the function's configuration and begins logging; then loads the AWS configuration for its Region.
///
/// # Errors
/// All variables that are missing or malformed, those of the function and those that every function has.
pub async fn start<C: Configuration>() -> Result<(C, SdkConfig), InvalidConfig> {
    let Both(service, config) = Both::<C>::from_vars(&Vars::from_env())?;
    logs::init(service.log);
    metrics::choose_namespace(service.metrics_namespace);
    tracing::info!(service.version = service.version, "starting");
    let aws = aws::load(&service.region).await;
    Ok((config, aws))
}

struct Both<C>(ServiceConfig, C);

impl<C: Configuration> Configuration for Both<C> {
    fn read(vars: &mut crate::config::Reader<'_>) -> Option<Self> {
        let service = ServiceConfig::read(vars);
        let config = C::read(vars);
        Some(Self(service?, config?))
    }
}
