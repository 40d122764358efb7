//! What log lines are about: the span around them carries subscription and license.

use domain::ids::{LicenseRef, SubscriptionId};
use tracing::Span;
use tracing::field::display;

/// Tells the span around what it is about; a span without these fields takes no notice.
pub fn about(subscription: &SubscriptionId, license: Option<&LicenseRef>) {
    let span = Span::current();
    span.record("subscription.id", display(subscription));
    if let Some(license) = license {
        span.record("license", display(license.name()));
    }
}
