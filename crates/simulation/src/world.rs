//! A world: a listing, its buyers, its platform, and all the work in progress, on one thread.

use std::collections::{BTreeMap, BTreeSet};

use app::ports::Store;
use app::{Clock, Context};
use domain::ids::SubscriptionId;
use domain::time::{Hour, after, before};
use jiff::{SignedDuration, Timestamp};
use lambda_shell::metrics::Metrics;
use marketplace_aws::Aws;
use simulator::{AgreementStatus, Options, Simulator};

use crate::core::{Broken, Core};
use crate::dice::Dice;
use crate::hold::{Advisory, SellersHold, Wish};
use crate::laws;
use crate::outside::Outside;
use crate::plan::{Deed, Step, Weather};
use crate::setup::Setup;
use crate::store::Watched;
use crate::task::{After, Task};
use crate::usage::Event;

/// Most work in progress.
const AT_ONCE: usize = 10;

/// Minutes past the hour at which the schedule fires.
const PAST_THE_HOUR: SignedDuration = SignedDuration::from_mins(10);

/// Longest time that passes at once while somebody looks after things.
const LONGEST_HOP: SignedDuration = SignedDuration::from_mins(12);

/// Longest time after which the same happens to a letter that waits already: SQS delivers it soon.
const WHILE_IT_WAITS: SignedDuration = SignedDuration::from_mins(4);

/// How long an end takes to be told, at the latest by the license's deprovisioning, and to be concluded.
const AFTER_AN_END: SignedDuration = SignedDuration::from_hours(4);

/// What Lambda allows an invocation at most.
pub(crate) const LONGEST_INVOCATION: SignedDuration = SignedDuration::from_mins(15);

/// How often the reconciler looks for what notifications should have told.
pub(crate) const LOOKS_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// Most rounds of work that one moment may take.
const PATIENCE: usize = 20_000;

/// A world.
#[derive(Debug)]
pub(crate) struct World<S> {
    pub(crate) setup: Setup,
    pub(crate) core: Core,
    pub(crate) simulator: Simulator,
    /// The store itself, past all faults: for the judge.
    pub(crate) store: S,
    pub(crate) context: Context<Watched<S>, Outside>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: Vec<Task>,
    pub(crate) started: u64,
    /// Agreements that were accepted, in order.
    pub(crate) agreements: Vec<String>,
    /// Agreements for which a buyer tried to register, and whether it is known to have worked.
    pub(crate) registrations: BTreeMap<String, bool>,
    pub(crate) events: Vec<Event>,
    /// Requests of the platform that have no answer yet, by work, and the events that they report.
    pub(crate) asking: BTreeMap<String, Vec<usize>>,
    /// Notifications that a listener is at.
    pub(crate) in_flight: BTreeSet<u64>,
    /// Notifications that were taken, as they were told, for the laws.
    pub(crate) taken: Vec<simulator::Notification>,
    /// Notifications that were acknowledged.
    pub(crate) acknowledged: BTreeSet<u64>,
    /// Letters that a scheduler is at.
    pub(crate) letters_in_flight: BTreeSet<u64>,
    /// The seller's holds.
    pub(crate) holds: BTreeMap<SubscriptionId, SellersHold>,
    /// AWS's advisories, by agreement.
    pub(crate) advisories: BTreeMap<String, Advisory>,
    /// From when to when nobody looked after things.
    pub(crate) outages: Vec<(Timestamp, Timestamp)>,
    /// The next time at which the schedule fires.
    pub(crate) next_run: Timestamp,
    /// The next time at which the reconciler is started.
    pub(crate) next_look: Timestamp,
    pub(crate) steps: u64,
}

/// What came of a world.
#[derive(Debug, Clone)]
pub(crate) struct Lived {
    pub(crate) broken: Option<Broken>,
    pub(crate) hash: u64,
    pub(crate) steps: u64,
    pub(crate) lines: u64,
    pub(crate) struck: u64,
    pub(crate) trace: Vec<String>,
}

impl<S: Store> World<S> {
    /// Makes a world over an empty store.
    ///
    /// # Errors
    /// Never: the simulator keeps nothing on disk.
    pub(crate) fn new(setup: Setup, store: S, keep: bool) -> Result<Self, simulator::OpenError> {
        let clock = simulator::Clock::manual(setup.starts);
        let simulator = Simulator::open(Options {
            product: setup.product.clone(),
            clock,
            switches: setup.switches.clone(),
            seed: setup.seed,
            ..Options::default()
        })?;
        let core = Core::new(simulator.clone(), setup.bug, keep);
        let aws = Aws::connect(&crate::line::config(simulator.router()), "us-east-1", ());
        let watched = Watched { inner: store.clone(), core: core.clone(), page: setup.page };
        let context = Context {
            listing: setup.listing.clone(),
            store: watched,
            aws: Outside { aws, core: core.clone() },
        };
        let read = core.clone();
        let next_run = next_run(setup.starts);
        Ok(Self {
            core,
            simulator,
            store,
            context,
            clock: Clock::new(move || read.machine_now()),
            metrics: Metrics::discard(),
            tasks: Vec::new(),
            started: 0,
            agreements: Vec::new(),
            registrations: BTreeMap::new(),
            events: Vec::new(),
            asking: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            taken: Vec::new(),
            acknowledged: BTreeSet::new(),
            letters_in_flight: BTreeSet::new(),
            holds: BTreeMap::new(),
            advisories: BTreeMap::new(),
            outages: Vec::new(),
            next_run,
            next_look: after(setup.starts, LOOKS_EVERY),
            steps: 0,
            setup,
        })
    }

    /// Lives through a plan, then lets the faults stop and time pass, and judges.
    pub(crate) async fn live(mut self, plan: &[Step]) -> Lived {
        let Setup { seed, weather, listing, starts, .. } = &self.setup;
        self.core.tell(format_args!(
            "world {seed}: {:?}, {weather:?}, from {starts}{}",
            listing.pricing,
            if listing.heartbeat { ", with heartbeats" } else { "" },
        ));
        self.core.tell(format_args!("AWS today: {}", crate::setup::told(&self.setup.switches)));
        for step in plan {
            if self.is_broken() {
                break;
            }
            self.take(*step).await;
        }
        if !self.is_broken() {
            self.heal().await;
        }
        if !self.is_broken() {
            crate::verdict::judge(&self).await;
        }
        let mut inner = self.core.lock();
        Lived {
            broken: inner.broken.clone(),
            hash: inner.hash,
            steps: self.steps,
            lines: inner.lines,
            struck: inner.struck,
            trace: inner.trace.take().unwrap_or_default(),
        }
    }

    /// Whether nobody looked after things at some time in between.
    pub(crate) fn nobody_looked(&self, from: Timestamp, to: Timestamp) -> bool {
        self.outages.iter().any(|(began, ended)| *began <= to && from <= *ended)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.core.lock().broken.is_some()
    }

    async fn take(&mut self, step: Step) {
        let mut dice = Dice::of(step.draw);
        let deed = if self.tasks.len() >= AT_ONCE && step.deed != Deed::Crash {
            Deed::GoOn
        } else {
            step.deed
        };
        self.core.lock().armed = step.strikes;
        match deed {
            Deed::GoOn => self.go_on(&mut dice).await,
            Deed::Crash => self.crash(&mut dice),
            Deed::Wait => self.wait(&mut dice).await,
            Deed::Deliver => self.deliver(&mut dice),
            Deed::Schedule => self.schedule(&mut dice),
            Deed::Flush => self.flush(&mut dice),
            Deed::Notify => self.notify(&mut dice).await,
            Deed::Buy => self.buy(&mut dice),
            Deed::Register => self.register(&mut dice),
            Deed::Change => self.change(&mut dice),
            Deed::Report => self.report(&mut dice),
            Deed::Reserve => self.reserve(&mut dice),
            Deed::Confirm => self.confirm(&mut dice),
            Deed::Manage => self.manage(&mut dice),
            Deed::Stray => self.stray(&mut dice).await,
            Deed::Reconcile => self.look(&mut dice),
            Deed::Operate => self.operate(&mut dice).await,
            Deed::Skew => self.skew(&mut dice),
        }
        self.core.lock().armed = false;
        self.steps = self.steps.saturating_add(1);
    }

    /// Starts a piece of work; it runs to its first boundary when it is picked.
    /// Answers its name.
    pub(crate) fn start(
        &mut self,
        name: &str,
        work: impl Future<Output = After> + 'static,
    ) -> String {
        self.started = self.started.saturating_add(1);
        let name = format!("{name}#{}", self.started);
        self.core.tell(format_args!("{name} starts"));
        self.tasks.push(Task::new(name.clone(), self.core.now(), work));
        name
    }

    /// Lets one piece of work go on to its next boundary.
    async fn go_on(&mut self, dice: &mut Dice) {
        if self.tasks.is_empty() {
            return;
        }
        let place = dice.place(self.tasks.len());
        let Some(task) = self.tasks.get_mut(place) else { return };
        if self.core.now() >= after(task.since, LONGEST_INVOCATION) {
            return self.bury(place, "runs out of time");
        }
        if let Some(after) = task.go_on(&self.core).await {
            let task = self.tasks.remove(place);
            self.core.tell(format_args!("{} ends", task.name));
            self.asking.remove(&task.name);
            self.finish(&task.name, after);
        }
    }

    fn crash(&mut self, dice: &mut Dice) {
        if self.tasks.is_empty() {
            return;
        }
        let place = dice.place(self.tasks.len());
        self.bury(place, "dies");
    }

    fn bury(&mut self, place: usize, how: &str) {
        let task = self.tasks.remove(place);
        self.core.tell(format_args!("{} {how}", task.name));
        self.asking.remove(&task.name);
        for hold in self.holds.values_mut() {
            hold.end(&task.name, Wish::Unanswered);
        }
        self.forget(&task.name);
    }

    /// A message whose handler died becomes visible again.
    fn forget(&mut self, name: &str) {
        // What was in flight is known by the work's name only to the dead; all of it may come again.
        if name.starts_with("listener") {
            self.in_flight.clear();
        } else if name.starts_with("scheduler") {
            self.letters_in_flight.clear();
        }
    }

    fn skew(&mut self, dice: &mut Dice) {
        let seconds = i64::try_from(dice.below(5)).unwrap_or_default().saturating_sub(2);
        self.core.lock().skew = seconds;
        self.core.tell(format_args!("the machine's clock is {seconds} s ahead of AWS's"));
    }

    async fn wait(&mut self, dice: &mut Dice) {
        let by = match dice.below(20) {
            0..=6 => SignedDuration::from_secs(seconds(dice, 1, 120)),
            7..=12 => SignedDuration::from_secs(seconds(dice, 120, 2400)),
            13..=18 => self.next_run.duration_since(self.core.now()),
            _ => SignedDuration::from_secs(seconds(dice, 3600, 6 * 3600)),
        };
        let nobody_looks = self.setup.weather == Weather::Stormy && dice.one_in(2);
        if nobody_looks {
            let by = if dice.one_in(6) { by.saturating_mul(5) } else { by };
            self.outages.push((self.core.now(), after(self.core.now(), by)));
            self.simulator.clock().advance(by);
            self.next_run = next_run(self.core.now());
            self.core.tell(format_args!("{by:#} pass"));
        } else {
            self.pass(by, dice).await;
        }
    }

    /// Lets time pass with the schedule kept and everything delivered.
    pub(crate) async fn pass(&mut self, by: SignedDuration, dice: &mut Dice) {
        let end = after(self.core.now(), by);
        while self.core.now() < end && !self.is_broken() {
            let hop = self.next_moment(end);
            self.simulator.clock().set(hop);
            self.core.tell(format_args!("it is {hop}"));
            if self.core.now() >= self.next_run {
                self.next_run = next_run(self.core.now());
                self.start_schedule();
                self.reconcile(reconciler::Task::Reservations);
            }
            if self.core.now() >= self.next_look {
                self.next_look = after(self.core.now(), LOOKS_EVERY);
                self.reconcile(reconciler::Task::Notices);
            }
            if by > SignedDuration::from_mins(2) {
                self.settle_down(dice).await;
            }
        }
    }

    /// When something is to be done next: the schedule, a letter or a notification that becomes visible, and at the
    /// latest a few minutes from now.
    fn next_moment(&self, end: Timestamp) -> Timestamp {
        let now = self.core.now();
        let letters = self.core.lock().letters.iter().map(|it| it.visible).collect::<Vec<_>>();
        let longest =
            if letters.iter().any(|at| *at <= now) { WHILE_IT_WAITS } else { LONGEST_HOP };
        let notices = self.simulator.next_notification_at();
        let looks = self.setup.reconciles.then_some(self.next_look).filter(|at| *at > now);
        let soon = letters.into_iter().chain(notices).chain(looks).filter(|at| *at > now);
        let at_most = end.min(after(now, longest)).min(self.next_run);
        soon.fold(at_most, Timestamp::min).max(now)
    }

    /// Delivers and does everything that can be done now, interleaved as the dice fall.
    pub(crate) async fn settle_down(&mut self, dice: &mut Dice) {
        for _ in 0..PATIENCE {
            if self.is_broken() {
                return;
            }
            if !self.tasks.is_empty() {
                self.go_on(dice).await;
                continue;
            }
            if !self.start_what_waits(dice).await {
                return;
            }
        }
        self.core.break_law(laws::WORK_ENDS, "work goes on for ever at one moment");
    }

    /// Starts whatever can be started; answers whether there was anything.
    async fn start_what_waits(&mut self, dice: &mut Dice) -> bool {
        let before = self.started;
        self.deliver(dice);
        self.flush(dice);
        self.notify_stream(dice).await;
        self.report_again();
        self.confirm(dice);
        self.started != before
    }

    /// The faults stop, everybody comes back to what they left, and time passes.
    async fn heal(&mut self) {
        let mut dice = Dice::of(self.setup.seed ^ 0x6865_616c);
        self.core.lock().skew = 0;
        self.in_flight.clear();
        self.letters_in_flight.clear();
        self.core.tell(format_args!("the faults stop"));
        self.simulator.switches(|aws| {
            aws.unprocessed_rate = simulator::Rate::ZERO;
            aws.lost_response_rate = simulator::Rate::ZERO;
            aws.event_drop_rate = simulator::Rate::ZERO;
        });
        self.settle_down(&mut dice).await;
        self.register_again();
        self.settle_down(&mut dice).await;
        for hour in 0..48 {
            if hour >= 32 && !self.ended_lately() {
                break;
            }
            let by = self.next_run.duration_since(self.core.now());
            self.pass(by, &mut dice).await;
        }
    }

    /// Whether an agreement ended so lately that its end may not have been told or concluded.
    fn ended_lately(&self) -> bool {
        let since = before(self.core.now(), AFTER_AN_END);
        self.simulator
            .agreements()
            .iter()
            .any(|it| it.status != AgreementStatus::Active && it.updated > since)
    }
}

/// A number of seconds.
fn seconds(dice: &mut Dice, low: u64, high: u64) -> i64 {
    i64::try_from(dice.between(low, high)).unwrap_or_default()
}

/// The first time after `now` at which the schedule fires.
fn next_run(now: Timestamp) -> Timestamp {
    let this_hour = after(Hour::of(now).start(), PAST_THE_HOUR);
    if now < this_hour { this_hour } else { after(Hour::of(now).end(), PAST_THE_HOUR) }
}
