//! Publishing tenant notices: at least once, then forgotten.

use crate::ports::{Outbox, OutboxItem, TenantTopic};
use crate::{Context, Error};

/// Publishes one notice and forgets it. A crash between the two publishes it again; consumers drop revisions they have
/// passed.
///
/// # Errors
/// When the topic or the store cannot be reached: publish it again.
pub async fn publish<S: Outbox, A: TenantTopic>(
    ctx: &Context<S, A>,
    item: &OutboxItem,
) -> Result<(), Error> {
    ctx.aws.publish(&item.notice).await?;
    ctx.store.published(&item.key).await
}
