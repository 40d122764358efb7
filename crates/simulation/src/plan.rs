//! A seed's plan: what happens, step by step. Each step carries dice of its own, so that leaving steps out does not
//! change what the others mean; that is what makes a failing story shrinkable.

use crate::dice::Dice;

/// How much goes wrong in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nothing fails and the schedule is kept; but work interleaves, and notices come late, twice and out of order.
    Calm,
    /// Calls fail before or after their effect, and processes die; the schedule is kept.
    Windy,
    /// As windy, more of it, and for hours nothing runs at all.
    Stormy,
}

/// What may be done in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Some work in progress goes on to its next boundary.
    GoOn,
    /// The process of some work dies where it stands.
    Crash,
    /// Time passes.
    Wait,
    /// AWS delivers a notification to a listener.
    Deliver,
    /// The schedule fires.
    Schedule,
    /// The settlement queue delivers to a scheduler.
    Flush,
    /// The stream or the schedule starts the tenant notifier.
    Notify,
    /// A buyer accepts an offer.
    Buy,
    /// A buyer sets up the account.
    Register,
    /// A buyer, or AWS, changes or ends an agreement.
    Change,
    /// The platform reports usage.
    Report,
    /// The platform reserves, or gives a reservation back.
    Reserve,
    /// The platform confirms a tenant.
    Confirm,
    /// The seller sets a plan, suspends, or asks for a cancellation.
    Manage,
    /// Somebody meters by hand, past the product.
    Stray,
    /// The reconciler is started.
    Reconcile,
    /// An operator has something parked sent once more, or closes it.
    Operate,
    /// The machine's clock and AWS's go apart by seconds.
    Skew,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    /// Whether the next call that is answered in this step fails.
    pub(crate) strikes: bool,
    /// What the step's dice begin with.
    pub(crate) draw: u64,
}

/// How often each deed is drawn, of 1000.
const SHARES: [(Deed, u64); 18] = [
    (Deed::GoOn, 424),
    (Deed::Crash, 20),
    (Deed::Wait, 105),
    (Deed::Deliver, 100),
    (Deed::Schedule, 30),
    (Deed::Flush, 30),
    (Deed::Notify, 30),
    (Deed::Buy, 18),
    (Deed::Register, 18),
    (Deed::Change, 28),
    (Deed::Report, 110),
    (Deed::Reserve, 12),
    (Deed::Confirm, 20),
    (Deed::Manage, 11),
    (Deed::Stray, 20),
    (Deed::Reconcile, 10),
    (Deed::Operate, 10),
    (Deed::Skew, 4),
];

/// Draws a plan. It begins with a purchase: a world without a buyer has no story.
pub(crate) fn draw(dice: &mut Dice, steps: usize, weather: Weather) -> Vec<Step> {
    let struck = match weather {
        Weather::Calm => 0,
        Weather::Windy => 50,
        Weather::Stormy => 140,
    };
    (0..steps)
        .map(|place| {
            let deed = if place == 0 { Deed::Buy } else { deed(dice, weather) };
            Step { deed, strikes: dice.permille(struck), draw: dice.next() }
        })
        .collect()
}

fn deed(dice: &mut Dice, weather: Weather) -> Deed {
    let mut left = dice.below(1000);
    for (deed, share) in SHARES {
        if left < share {
            let dies_in_calm = deed == Deed::Crash && weather == Weather::Calm;
            return if dies_in_calm { Deed::GoOn } else { deed };
        }
        left = left.saturating_sub(share);
    }
    Deed::GoOn
}
