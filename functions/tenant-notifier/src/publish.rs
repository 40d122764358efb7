//! Publishing in the order of each subscription.

use std::collections::BTreeMap;

use app::outbox::publish;
use app::ports::{Outbox, OutboxItem, TenantTopic};
use domain::ids::SubscriptionId;
use domain::time::before;
use jiff::{SignedDuration, Timestamp};
use lambda_shell::batch::at_most;
use lambda_shell::failure::Failure;
use lambda_shell::logs::Chain;
use lambda_shell::metrics;

use crate::Deps;

/// Subscriptions at work at the same time.
const AT_ONCE: usize = 10;

/// Outbox items read at once.
const PAGE: u16 = 100;

/// What is younger than this is still on its way through the stream.
const LEFT_OVER_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Publishes items, each under a name, and answers with the name of the first of each subscription that was not
/// published; the later ones of that subscription were not tried.
pub(crate) async fn in_order<S, A, N>(
    deps: &Deps<S, A>,
    items: Vec<(N, OutboxItem)>,
    now: Timestamp,
) -> Vec<N>
where
    S: Outbox + Sync,
    A: TenantTopic + Sync,
{
    let mut by_subscription: BTreeMap<SubscriptionId, Vec<(N, OutboxItem)>> = BTreeMap::new();
    for (name, item) in items {
        by_subscription.entry(item.key.subscription.clone()).or_default().push((name, item));
    }
    let stopped =
        at_most(AT_ONCE, by_subscription.into_values(), |items| one_by_one(deps, items, now)).await;
    stopped.into_iter().flatten().collect()
}

async fn one_by_one<S, A, N>(
    deps: &Deps<S, A>,
    items: Vec<(N, OutboxItem)>,
    now: Timestamp,
) -> Option<N>
where
    S: Outbox + Sync,
    A: TenantTopic + Sync,
{
    for (name, item) in items {
        let notice = &item.notice;
        if let Err(error) = publish(&deps.context, &item).await {
            deps.metrics.emit(now, &[(metrics::TENANT_NOTICES_FAILED, 1)]);
            tracing::error!(
                error = %Chain(&error),
                subscription.id = notice.subscription_id.as_str(),
                subscription.revision = notice.revision,
                notice.kind = notice.kind.as_str(),
                "a tenant notice was not published; it is tried again"
            );
            return Some(name);
        }
        deps.metrics.emit_by(now, metrics::TENANT_NOTICES_PUBLISHED, notice.kind.as_str(), 1);
        tracing::info!(
            subscription.id = notice.subscription_id.as_str(),
            subscription.revision = notice.revision,
            notice.kind = notice.kind.as_str(),
            "published a tenant notice"
        );
    }
    None
}

/// Publishes what has been in the outbox for longer than the stream takes.
///
/// # Errors
/// The outbox cannot be read, or something was not published.
pub(crate) async fn leftovers<S, A>(deps: &Deps<S, A>, now: Timestamp) -> Result<(), Failure>
where
    S: Outbox + Sync,
    A: TenantTopic + Sync,
{
    let mut after = None;
    let mut all_published = true;
    loop {
        let page = deps.context.store.unpublished(after.as_ref(), PAGE).await?;
        let limit = before(now, LEFT_OVER_AFTER);
        let left: Vec<_> = page
            .items
            .into_iter()
            .filter(|item| item.notice.at < limit)
            .map(|item| ((), item))
            .collect();
        all_published &= in_order(deps, left, now).await.is_empty();
        after = page.next;
        if after.is_none() {
            return if all_published { Ok(()) } else { Err(Failure::NotDone) };
        }
    }
}

/// An outbox item that nobody can read blocks its part of the stream until the stream gives up on it and hands it to
/// the dead-letter queue; a human must look.
pub(crate) fn log_unreadable<S, A>(deps: &Deps<S, A>, error: &app::Error, now: Timestamp) {
    deps.metrics.emit(now, &[(metrics::TENANT_NOTICES_FAILED, 1)]);
    tracing::error!(error = %Chain(error), "an outbox item cannot be read; it is left for a human");
}
