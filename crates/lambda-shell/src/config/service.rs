//! What a function is told about itself and its neighbours.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{Configuration, Reader};
use crate::metrics::NAMESPACE;

/// `AWS_REGION`, `LOG_LEVEL`, `SERVICE_VERSION` and `METRICS_NAMESPACE`; every function reads these.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// The Region the function runs in; Lambda sets it.
    pub region: String,
    /// What is logged, `info` unless told.
    pub log: Targets,
    /// The deployed version, for the log.
    pub version: String,
    /// The namespace of its metrics.
    pub metrics_namespace: String,
}

impl Configuration for ServiceConfig {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let region = vars.required("AWS_REGION", REGION, region);
        let log = vars.or(
            "LOG_LEVEL",
            "error, warn, info, debug or trace, or a list such as info,webhook=debug",
            Targets::new().with_default(tracing::Level::INFO),
            log_targets,
        );
        let version = vars.or(
            "SERVICE_VERSION",
            "1 to 64 visible characters",
            env!("CARGO_PKG_VERSION").to_owned(),
            |text| {
                (text.len() <= 64 && text.chars().all(|c| c.is_ascii_graphic()))
                    .then(|| text.to_owned())
            },
        );
        let metrics_namespace = vars.or(
            "METRICS_NAMESPACE",
            "1 to 255 letters, digits, . - _ / # or :",
            NAMESPACE.to_owned(),
            |text| {
                let plain = |c: char| c.is_ascii_alphanumeric() || ".-_/#:".contains(c);
                (text.len() <= 255 && text.chars().all(plain)).then(|| text.to_owned())
            },
        );
        Some(Self {
            region: region?,
            log: log?,
            version: version?,
            metrics_namespace: metrics_namespace?,
        })
    }
}

/// `Targets` would take an unknown level for the name of a target and log everything of it.
fn log_targets(text: &str) -> Option<Targets> {
    let text = text.to_lowercase();
    let known = text.split(',').all(|part| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        level.parse::<LevelFilter>().is_ok()
    });
    if known { text.parse().ok() } else { None }
}

const REGION: &str = "an AWS Region such as us-east-1";

fn region(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (text.contains('-') && text.len() <= 32 && text.chars().all(plain)).then(|| text.to_owned())
}

/// `METERING_REGION`, by default `AWS_REGION`. AWS deduplicates metering records per Region, so a deployment meters
/// through one Region for ever (fact sheet §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeteringRegion(pub String);

impl Configuration for MeteringRegion {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        match vars.optional("METERING_REGION", REGION, region)? {
            Some(region) => Some(Self(region)),
            None => vars.required("AWS_REGION", REGION, region).map(Self),
        }
    }
}

/// `WEBHOOK_ENDPOINT`: the path of the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint(String);

impl WebhookEndpoint {
    /// Takes a path that begins with `/` and holds only what needs no escaping; braces would be a route pattern.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        (text.starts_with('/') && text.chars().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for WebhookEndpoint {
    fn default() -> Self {
        Self("/marketplace/webhook".to_owned())
    }
}

impl Configuration for WebhookEndpoint {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.or("WEBHOOK_ENDPOINT", "a path that begins with /", Self::default(), Self::parse)
    }
}

/// `SETTLEMENT_QUEUE_URL`: the queue of the metering scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementQueueUrl(pub String);

impl Configuration for SettlementQueueUrl {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let rule = "the URL of an SQS queue";
        vars.required("SETTLEMENT_QUEUE_URL", rule, |text| {
            let url = text.starts_with("https://") || text.starts_with("http://");
            url.then(|| Self(text.to_owned()))
        })
    }
}

/// `TENANT_TOPIC_ARN`: the topic that tells the platform what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantTopicArn(pub String);

impl Configuration for TenantTopicArn {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.required("TENANT_TOPIC_ARN", "the ARN of an SNS topic", |text| {
            let arn = text.starts_with("arn:") && text.contains(":sns:");
            arn.then(|| Self(text.to_owned()))
        })
    }
}
