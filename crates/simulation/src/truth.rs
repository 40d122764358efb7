//! What AWS itself holds of a subscription, whatever the product was told or made of it.

use app::ports::Store;
use domain::ids::{LicenseRef, SubscriptionId};
use domain::subscription::FINAL_WINDOW;
use domain::time::after;
use jiff::{SignedDuration, Timestamp};
use simulator::{Agreement, AgreementStatus};

use crate::laws;
use crate::world::World;

/// The agreements that a subscription stands for.
pub(crate) struct Truth(Vec<Agreement>);

impl Truth {
    pub(crate) fn of<S: Store>(world: &World<S>, id: &SubscriptionId) -> Self {
        let agreements = world.simulator.agreements().into_iter();
        Self(agreements.filter(|it| subscription(it).as_ref() == Some(id)).collect())
    }

    pub(crate) fn agreements(&self) -> &[Agreement] {
        &self.0
    }

    /// Whether AWS has yet to tell something about it: nobody can know that.
    pub(crate) fn is_untold<S: Store>(&self, world: &World<S>) -> bool {
        world.simulator.notifications().iter().any(|notification| {
            let body = notification.body.to_string();
            self.0.iter().any(|it| {
                let customer = it.customer_identifier.as_ref();
                // Some name a license in the form of AWS's sample, which has the same end.
                let license = it.license_arn.rsplit(':').next().unwrap_or(&it.license_arn);
                body.contains(&it.id)
                    || body.contains(license)
                    || customer.is_some_and(|customer| body.contains(customer))
            })
        })
    }

    /// Since when usage could be metered, as of a time; `None` when nothing had been active by then.
    pub(crate) fn began_by(&self, at: Timestamp) -> Option<Timestamp> {
        let active = self.0.iter().filter(|it| was_active(it));
        active
            .filter_map(|it| Some(it.grants.first()?.effective))
            .filter(|since| *since <= at)
            .min()
    }

    /// Whether some of the time between two lies between the end of an agreement and the activation of the next.
    pub(crate) fn is_gap(&self, from: Timestamp, to: Timestamp) -> bool {
        self.0.iter().filter(|it| it.updated <= to && it.status != AgreementStatus::Active).any(
            |ended| {
                let later = self.0.iter().filter(|it| it.accepted >= ended.accepted);
                let next = later.filter_map(|it| Some(it.grants.first()?.effective));
                next.filter(|effective| *effective > ended.updated).any(|next| from < next)
            },
        )
    }

    /// Whether an agreement went on in one that ended before AWS told that the license goes on with it.
    pub(crate) fn ended_unheard(&self, told_after: SignedDuration) -> bool {
        self.0.iter().any(|it| {
            it.previous_id.is_some()
                && it.status != AgreementStatus::Active
                && it.updated < after(it.accepted, told_after)
        })
    }

    /// Whether AWS took records for it at a time.
    pub(crate) fn is_open_at(&self, at: Timestamp) -> bool {
        let active = self.0.iter().filter(|it| was_active(it));
        active
            .filter(|it| it.status == AgreementStatus::Active || it.updated > at)
            .any(|it| it.grants.first().is_some_and(|grant| grant.effective <= at))
    }

    /// When the last agreement that had been active had ended, as of a time.
    pub(crate) fn ended_by(&self, at: Timestamp) -> Option<Timestamp> {
        let active = self.0.iter().filter(|it| was_active(it));
        let ended = active.filter(|it| it.status != AgreementStatus::Active && it.updated <= at);
        ended.map(|it| it.updated).max()
    }

    /// Whether the newest agreement, as of a time, had ended before it was ever active: we are told of a final hour, and
    /// AWS grants none.
    pub(crate) fn never_began_by(&self, at: Timestamp) -> bool {
        let accepted = self.0.iter().filter(|it| it.accepted <= at);
        let newest = accepted.max_by_key(|it| (it.accepted, it.updated));
        newest.is_some_and(|it| !was_active(it) && it.updated <= at)
    }

    /// Whether the last agreement is over at a time, its final hour included; what was never active has none.
    pub(crate) fn is_over_at(&self, at: Timestamp) -> bool {
        let accepted = || self.0.iter().filter(|it| it.accepted <= at);
        let over = accepted().all(|it| {
            let last = if was_active(it) { FINAL_WINDOW } else { SignedDuration::ZERO };
            it.status != AgreementStatus::Active && after(it.updated, last) <= at
        });
        over && accepted().next().is_some()
    }
}

/// The subscription that the product makes of an agreement.
fn subscription(agreement: &Agreement) -> Option<SubscriptionId> {
    match &agreement.customer_identifier {
        None => laws::owner(&agreement.license_arn),
        Some(customer) => {
            let product = agreement.product_code.parse().ok()?;
            let customer = customer.parse().ok()?;
            Some(LicenseRef::Legacy { product, customer }.subscription_id())
        }
    }
}

/// Whether AWS activated an agreement before it ended.
pub(crate) fn was_active(agreement: &Agreement) -> bool {
    agreement.status == AgreementStatus::Active
        || agreement.grants.first().is_some_and(|grant| grant.effective <= agreement.updated)
}
