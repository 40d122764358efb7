#![doc = include_str!("../README.md")]

mod agreements;
mod bundle;
mod directory;
mod entitlements;
mod failure;
mod metering;
pub mod notices;
mod patience;
mod queue;
mod topic;

pub use agreements::Agreements;
pub use bundle::Aws;
pub use entitlements::Entitlements;
pub use metering::Metering;
pub use queue::{SettlementSqsQueue, WebhookSqsQueue};
pub use topic::TenantSnsTopic;
