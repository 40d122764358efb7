//! The environment, read once at the start. Every problem names its variable and what that must be, and all problems
//! are told together. A value never appears in a problem: it may be a secret.

mod listing;
mod secrets;
mod service;
mod tables;
mod topics;
mod vars;
mod webhooks;

pub use listing::ListingConfig;
pub(crate) use secrets::list;
pub use secrets::{KeptSecret, Secrets, SecretsConfig};
pub use service::{
    MeteringRegion, ServiceConfig, SettlementQueueUrl, TenantTopicArn, WebhookEndpoint,
};
pub use tables::TablesConfig;
pub use topics::SnsTopics;
pub use vars::{InvalidConfig, Reader, Vars};
pub use webhooks::{OutgoingWebhook, OutgoingWebhooks, WebhookQueueUrl};

/// A group of variables that are read together.
///
/// `read` must ask for every variable before it gives up on any, so that all problems are found at once: bind each
/// part first, then unpack them with `?`.
pub trait Configuration: Sized {
    /// Reads the group; `None` when the reader has noted a problem.
    fn read(vars: &mut Reader<'_>) -> Option<Self>;

    /// Reads the group from `vars`.
    ///
    /// # Errors
    /// All variables that are missing or malformed.
    fn from_vars(vars: &Vars) -> Result<Self, InvalidConfig> {
        let mut reader = Reader::new(vars);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    /// The names of the variables that the group asks for, sorted.
    fn variables() -> Vec<&'static str> {
        let vars = Vars::new(|_| None);
        let mut reader = Reader::new(&vars);
        // Read for what it asks, not for what it makes of an empty environment.
        drop(Self::read(&mut reader));
        reader.asked()
    }
}

#[cfg(test)]
mod tests;
