//! The audit trail in words.

use domain::audit::Actor;
use domain::catalog::Overage;
use domain::subscription::{Access, Tenant};

/// Who did it.
pub(super) fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Marketplace(notice) => format!("AWS Marketplace, notice {notice}"),
        Actor::Buyer => "the buyer".to_owned(),
        Actor::Caller(subject) => subject.clone(),
        Actor::Schedule(name) => format!("by itself ({name})"),
    }
}

/// What was done.
pub(super) fn action(action: &str) -> String {
    match action {
        "registration.started" => "The buyer came to the registration page".to_owned(),
        "registration.completed" => "The buyer completed the registration".to_owned(),
        "registration.changed" => "The buyer gave other contact details".to_owned(),
        "settlement.requested" => "A settlement was asked for".to_owned(),
        "subscription.created" => "The subscription was taken up by hand".to_owned(),
        "plan.set" => "The plan was set".to_owned(),
        "hold.set" => "Access was withheld".to_owned(),
        "hold.lifted" => "Access was given back".to_owned(),
        "tenant.confirmed" => "The platform confirmed the workspace".to_owned(),
        "cancellation.requested" => "AWS was asked to cancel the agreement".to_owned(),
        "parked.retried" => "A parked record was sent once more".to_owned(),
        "parked.closed" => "A parked record was settled otherwise".to_owned(),
        other => {
            let mut text = other.replace(['.', '-', '_'], " ");
            if let Some(first) = text.get_mut(0..1) {
                first.make_ascii_uppercase();
            }
            text
        }
    }
}

pub(super) fn access(access: Access) -> &'static str {
    match access {
        Access::Granted => "granted",
        Access::NotActive => "not yet: AWS has not activated the license",
        Access::NotRegistered => "not yet: the buyer has not registered",
        Access::OnHold => "withheld",
        Access::Ended => "ended",
    }
}

pub(super) fn tenant(tenant: &Tenant) -> String {
    match tenant {
        Tenant::None => "none".to_owned(),
        Tenant::Requested => "asked for, not confirmed yet".to_owned(),
        Tenant::Ready { id } => id.to_string(),
        Tenant::Revoked { id } => {
            id.as_ref().map_or("withdrawn".to_owned(), |id| format!("{id}, withdrawn"))
        }
    }
}

pub(super) fn overage(overage: Overage) -> &'static str {
    match overage {
        Overage::Billed => "billed",
        Overage::Blocked => "blocked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_without_words_of_its_own_is_still_readable() {
        assert_eq!(action("license.updated"), "License updated");
        assert_eq!(action(""), "");
    }
}
