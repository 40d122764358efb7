//! Whose events are believed.

use domain::notice::Notice;

use super::{Unreadable, event_bridge, object, sns};

/// AWS's source of agreement and license events.
const AGREEMENT_MARKETPLACE: &str = "aws.agreement-marketplace";

/// The sources whose EventBridge events are read. AWS's is always one; nobody else can publish under it, so a test
/// publisher needs another, which has to be allowed by name (fact sheet §6.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    test: Option<String>,
}

impl Sources {
    /// AWS's source and that of a test publisher.
    pub fn with_test(source: String) -> Self {
        Self { test: Some(source) }
    }

    pub(super) fn allow(&self, source: &str) -> bool {
        source == AGREEMENT_MARKETPLACE || self.test.as_deref() == Some(source)
    }

    /// As [`super::from_event_bridge`], from these sources.
    ///
    /// # Errors
    /// As there.
    pub fn event_bridge(&self, event: &[u8]) -> Result<Notice, Unreadable> {
        event_bridge::read(&object(event)?, self)
    }

    /// As [`super::from_sqs_body`], from these sources.
    ///
    /// # Errors
    /// As there.
    pub fn sqs_body(&self, body: &[u8]) -> Result<Notice, Unreadable> {
        let value = object(body)?;
        if value.get("detail-type").is_some() {
            event_bridge::read(&value, self)
        } else {
            sns::read(&value)
        }
    }
}
