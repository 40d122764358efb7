//! The laws about access, notices, the audit trail and the outbox.

use app::ports::{Store, ViewKeys};
use domain::subscription::{LicensePhase, Subscription, Tenant};
use simulator::switches::{RenewalCreatedEvent, ResolveLicenseArn};
use simulator::{Agreement, AgreementStatus};

use crate::laws;
use crate::truth::{Truth, was_active};
use crate::verdict::{Books, all};
use crate::world::World;

pub(crate) async fn judge<S: Store>(world: &World<S>, books: &Books) {
    access(world, books);
    platform(world, books);
    ends(world, books);
    audit(world, books).await;
    outbox(world).await;
    marks(world).await;
}

/// What AWS says of a license.
struct Said {
    active: bool,
    /// Whether it is certain that the buyer registered; `None` when nobody can know.
    registered: Option<bool>,
    /// Whether it is on hold; `None` when nobody can know.
    held: Option<bool>,
}

fn access<S: Store>(world: &World<S>, books: &Books) {
    let now = world.core.now();
    for state in &books.states {
        let Some(said) = said(world, books, state) else { continue };
        let given = state.access(now).is_granted();
        let must = said.active && said.registered == Some(true) && said.held == Some(false);
        let must_not = !said.active || said.registered == Some(false) || said.held == Some(true);
        world.core.hold((!must || given) && !(must_not && given), laws::ACCESS_FOLLOWS_AWS, || {
            format!(
                "{}: access {}, AWS says active {}, registered {:?}, on hold {:?}",
                state.id,
                state.access(now).as_str(),
                said.active,
                said.registered,
                said.held
            )
        });
    }
}

fn said<S: Store>(world: &World<S>, books: &Books, state: &Subscription) -> Option<Said> {
    let now = world.core.now();
    let held = Truth::of(world, &state.id);
    let mine = held.agreements();
    // Access follows within one delivery: what AWS has yet to tell cannot be known.
    if mine.is_empty() || held.is_untold(world) {
        return None;
    }
    let active = mine.iter().any(|it| {
        it.status == AgreementStatus::Active && it.grants.iter().any(|grant| grant.effective <= now)
    });
    // Where AWS tells of no renewal, and no license with a token, only the reconciler learns that an agreement which was
    // renewed before its license was told belongs to it.
    let switches = &world.setup.switches;
    let untellable = switches.renewal_created_event == RenewalCreatedEvent::Off
        && switches.resolve_license_arn != ResolveLicenseArn::Always
        && !world.setup.reconciles;
    let goes_on = |id: &String| mine.iter().any(|other| other.previous_id.as_ref() == Some(id));
    let registered_here = mine.iter().any(|it| {
        // What ended before its license was told, and goes on in nothing, nobody can find again; and what goes on under
        // another license has its buyer there.
        let moved = matches!(it.status, AgreementStatus::Renewed | AgreementStatus::Replaced);
        world.registrations.get(&it.id) == Some(&true)
            && ((was_active(it) && !moved) || goes_on(&it.id))
            && (!untellable || !goes_on(&it.id))
    });
    let tried = mine.iter().any(|it| world.registrations.contains_key(&it.id));
    let chained = mine.iter().any(|it| it.previous_id.is_some());
    let registered = match (registered_here, tried || chained) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    };
    let held = match (held_by_seller(world, books, state), held_by_aws(world, state, mine)) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (Some(false) | None, Some(false) | None) => None,
    };
    Some(Said { active, registered, held })
}

fn held_by_seller<S: Store>(world: &World<S>, books: &Books, state: &Subscription) -> Option<bool> {
    if let Some(hold) = world.holds.get(&state.id) {
        return hold.held();
    }
    // A hold goes on with the tenant, if it was there by then.
    let earlier = |state: &&Subscription| {
        books.states.iter().find(|it| Some(&it.id) == state.continues.as_ref())
    };
    let mut chain = std::iter::successors(Some(state), earlier).take(books.states.len());
    (!chain.any(|it| world.holds.contains_key(&it.id))).then_some(false)
}

fn held_by_aws<S: Store>(
    world: &World<S>,
    state: &Subscription,
    mine: &[Agreement],
) -> Option<bool> {
    let advised: Vec<_> = mine
        .iter()
        .filter_map(|it| Some((it.status, world.advisories.get(&it.id)?.warns())))
        .collect();
    // An advisory names an agreement: it gets lost like any notification, and nothing ties it to an older listing's
    // customer. That what was advised goes on in another agreement may be told by nobody.
    let unknown = world.setup.switches.event_drop_rate != simulator::Rate::ZERO
        || state.license.arn().is_none()
        || advised.iter().any(|(status, _)| *status != AgreementStatus::Active);
    if advised.is_empty() {
        Some(false)
    } else if unknown {
        None
    } else if advised.iter().any(|(_, warns)| *warns == Some(true)) {
        Some(true)
    } else if advised.iter().all(|(_, warns)| *warns == Some(false)) {
        Some(false)
    } else {
        None
    }
}

/// What ended is concluded.
fn ends<S: Store>(world: &World<S>, books: &Books) {
    let now = world.core.now();
    for state in books.states.iter().filter(|state| state.phase(now) == LicensePhase::Ended) {
        world.core.hold(state.concluded.is_some(), laws::WORK_ENDS, || {
            format!("{} has ended and is not concluded", state.id)
        });
    }
}

fn platform<S: Store>(world: &World<S>, books: &Books) {
    let now = world.core.now();
    let workspaces = world.core.lock().workspaces.clone();
    for state in &books.states {
        let given = state.access(now).is_granted();
        let open = workspaces.get(&state.id).is_some_and(|workspace| workspace.open);
        let asked = state.tenant != Tenant::None;
        world.core.hold(given == open || (!asked && !given), laws::PLATFORM_SEES_IT, || {
            format!("{}: the state gives {given}, the platform {open}", state.id)
        });
    }
}

async fn audit<S: Store>(world: &World<S>, books: &Books) {
    for state in &books.states {
        let store = &world.store;
        let entries = all(|after| async move { store.audit(&state.id, after.as_ref(), 100).await });
        let verified = match entries.await {
            Ok(entries) => domain::audit::verify(&state.id, &entries, &state.audit)
                .map_err(|broken| broken.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(broken) = verified {
            world.core.break_law(laws::AUDIT_VERIFIES, broken);
        }
    }
}

async fn outbox<S: Store>(world: &World<S>) {
    let left = world.store.unpublished(None, 100).await.map(|page| page.items);
    world
        .core
        .hold(left.as_ref().is_ok_and(Vec::is_empty), laws::OUTBOX_DRAINS, || format!("{left:?}"));
    let now = world.core.now();
    let letters = world.core.lock().letters.clone();
    let letter = letters.iter().find(|letter| letter.visible <= now);
    world.core.hold(letter.is_none(), laws::WORK_ENDS, || format!("the queue holds {letter:?}"));
    let waiting = world.simulator.due_notifications();
    world.core.hold(waiting.is_empty(), laws::WORK_ENDS, || {
        format!("AWS still delivers {:?}", waiting.first())
    });
}

/// Every notice that was acknowledged is marked.
async fn marks<S: Store>(world: &World<S>) {
    // AWS may take one back while a listener is at it, and what dies then leaves nothing behind.
    let acknowledged = world.taken.iter().filter(|it| world.acknowledged.contains(&it.id));
    for notification in acknowledged {
        let body = notification.body.to_string();
        let Ok(notice) = marketplace_aws::notices::from_sqs_body(body.as_bytes()) else { continue };
        let keys =
            ViewKeys { notice: Some((notice.channel, notice.id.clone())), ..ViewKeys::default() };
        let seen = world.store.view(&keys).await.is_ok_and(|view| view.notice_seen);
        world.core.hold(seen, laws::NOTICES_ARE_MARKED, || format!("{:?}", notice.id));
    }
}
