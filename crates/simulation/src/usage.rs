//! The platform's reports and reservations: what it believes of each, and that it asks again until it knows.

use std::collections::BTreeMap;

use app::ports::{BookedEvent, Store};
use app::usage::{self, Consumed, Kept, Refusal, Released, Report, ReportAnswer, Reported};
use domain::ids::SubscriptionId;
use domain::time::{Hour, Month, after, before};
use jiff::{SignedDuration, Timestamp};
use simulator::Rate;

use crate::bug::Bug;
use crate::dice::Dice;
use crate::laws;
use crate::task::After;
use crate::truth::Truth;
use crate::world::{LONGEST_INVOCATION, World};

/// How long the platform has a reservation held that it may not need.
const HELD_FOR: SignedDuration = SignedDuration::from_mins(30);

/// What the platform knows of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No answer yet.
    Open,
    /// It counts.
    Counts,
    /// It was refused, and why.
    Refused(String),
}

/// A report or reservation.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish or an answer of its own")]
pub(crate) struct Event {
    pub(crate) subscription: SubscriptionId,
    pub(crate) report: Report,
    pub(crate) reservation: bool,
    /// For how long it is held; a reservation without counts for good.
    pub(crate) hold: Option<SignedDuration>,
    /// Whether the platform wants a held reservation kept, and knows that it is.
    pub(crate) to_keep: bool,
    pub(crate) kept: bool,
    pub(crate) fate: Fate,
    /// When it was asked last.
    asked: Timestamp,
    /// Whether AWS had something to tell of its subscription then.
    untold: bool,
    /// Whether the platform wants the reservation back.
    pub(crate) to_release: bool,
    pub(crate) released: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Report,
    /// For so long, or for good.
    Reservation(Option<SignedDuration>),
}

impl Event {
    /// Whether what the store holds of a held reservation is what the platform was told: it counts for good when it was
    /// kept, and nothing when its time was over before, unless it cannot be taken back any more.
    pub(crate) fn is_held_right(&self, found: &BookedEvent) -> bool {
        match (self.hold, self.kept) {
            (None, _) => true,
            (Some(_), true) => !found.released && found.held_until.is_none(),
            (Some(_), false) => found.released || found.held_until.is_none(),
        }
    }

    /// When it was used.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.report.at.parse().ok()
    }
}

impl<S: Store> World<S> {
    /// Reports one to four things that were used, or reports again what was reported before.
    pub(crate) fn report(&mut self, dice: &mut Dice) {
        if dice.one_in(6) {
            return self.repeat(dice);
        }
        let farewell = dice.one_in(3).then(|| self.one_that_closes(dice)).flatten();
        let somebody = farewell.or_else(|| self.any_subscription(dice));
        let Some(subscription) = somebody else { return };
        let events: Vec<usize> = (0..dice.between(1, 4))
            .map(|_| {
                let report = self.draw_report(dice);
                self.add_event(&subscription, report, Kind::Report)
            })
            .collect();
        self.send_reports(subscription, events);
    }

    /// An impatient platform: reports again although the answer may be on its way or known.
    fn repeat(&mut self, dice: &mut Dice) {
        let reports: Vec<usize> = (0..self.events.len()).filter(|it| self.is_report(*it)).collect();
        let Some(event) = dice.pick(&reports).copied() else { return };
        let Some(known) = self.events.get(event) else { return };
        self.send_reports(known.subscription.clone(), vec![event]);
    }

    fn is_report(&self, event: usize) -> bool {
        self.events.get(event).is_some_and(|event| !event.reservation)
    }

    /// Asks again for all that was never answered.
    pub(crate) fn report_again(&mut self) {
        let open: Vec<(usize, SubscriptionId, bool)> = self
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.fate == Fate::Open)
            .map(|(place, event)| (place, event.subscription.clone(), event.reservation))
            .collect();
        for (place, subscription, reservation) in open {
            if reservation {
                self.send_reservation(place);
            } else {
                self.send_reports(subscription, vec![place]);
            }
        }
        let unkept: Vec<usize> = self
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.to_keep && event.fate == Fate::Counts && !event.kept)
            .map(|(place, _)| place)
            .collect();
        for place in unkept {
            self.send_keep(place);
        }
        let unreleased: Vec<usize> = self
            .events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.to_release && event.fate == Fate::Counts && !event.released)
            .map(|(place, _)| place)
            .collect();
        for place in unreleased {
            self.send_release(place);
        }
    }

    /// Reserves, or gives a reservation back.
    pub(crate) fn reserve(&mut self, dice: &mut Dice) {
        let held: Vec<usize> = (0..self.events.len())
            .filter(|place| {
                self.events.get(*place).is_some_and(|event| {
                    event.reservation && event.fate == Fate::Counts && !event.released
                })
            })
            .collect();
        if dice.one_in(2)
            && let Some(place) = dice.pick(&held).copied()
            && let Some(event) = self.events.get_mut(place)
        {
            if event.hold.is_some() && !event.to_release && (event.to_keep || dice.one_in(2)) {
                event.to_keep = true;
                return self.send_keep(place);
            }
            event.to_release = true;
            return self.send_release(place);
        }
        let Some(subscription) = self.any_subscription(dice) else { return };
        let report = self.draw_report(dice);
        let kind = Kind::Reservation(dice.one_in(2).then_some(HELD_FOR));
        let place = self.add_event(&subscription, report, kind);
        self.send_reservation(place);
    }

    fn any_subscription(&mut self, dice: &mut Dice) -> Option<SubscriptionId> {
        let known: Vec<SubscriptionId> = self.core.lock().accounts.keys().cloned().collect();
        dice.pick(&known).cloned()
    }

    /// A subscription in its final hour.
    fn one_that_closes(&self, dice: &mut Dice) -> Option<SubscriptionId> {
        let now = self.core.now();
        let closing: Vec<SubscriptionId> = {
            let inner = self.core.lock();
            let closing = inner.closing.iter().filter(|(_, until)| **until > now);
            closing.map(|(id, _)| id.clone()).collect()
        };
        dice.pick(&closing).cloned()
    }

    fn draw_report(&mut self, dice: &mut Dice) -> Report {
        let now = self.core.now();
        let ago = match dice.below(100) {
            0..=64 => dice.below(40 * 60),
            65..=84 => dice.below(6 * 3600),
            85..=96 => dice.below(6 * 86400),
            97 => 8 * 86400,
            _ => {
                return self.draw_report_at(dice, after(now, SignedDuration::from_hours(2)));
            }
        };
        let ago = SignedDuration::from_secs(i64::try_from(ago).unwrap_or_default());
        self.draw_report_at(dice, before(now, ago))
    }

    fn draw_report_at(&mut self, dice: &mut Dice, at: Timestamp) -> Report {
        let dimensions = self.setup.listing.catalog.dimensions();
        let spec = dice.pick(dimensions);
        let name = spec.map_or_else(String::new, |spec| {
            if dice.one_in(2) { spec.id.to_string() } else { spec.metric.clone() }
        });
        let whole = if dice.one_in(3) { dice.below(900) } else { dice.below(30) };
        let quantity = if dice.one_in(4) {
            format!("{whole}.{:06}", dice.below(1_000_000))
        } else {
            whole.to_string()
        };
        let key = format!("event-{}", self.events.len());
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Report { key, name, quantity, at, tags: self.draw_tags(dice) }
    }

    fn draw_tags(&self, dice: &mut Dice) -> BTreeMap<String, String> {
        if !self.setup.tags || dice.one_in(3) {
            return BTreeMap::new();
        }
        let team = dice.pick(&["scanning", "audit", "web"]).copied().unwrap_or_default();
        let mut tags = BTreeMap::from([("team".to_owned(), team.to_owned())]);
        if dice.one_in(3) {
            tags.insert("stage".to_owned(), "test".to_owned());
        }
        tags
    }

    fn add_event(&mut self, subscription: &SubscriptionId, report: Report, kind: Kind) -> usize {
        let (reservation, hold) = match kind {
            Kind::Report => (false, None),
            Kind::Reservation(hold) => (true, hold),
        };
        let mut report = report;
        report.key = format!("event-{}", self.events.len());
        self.events.push(Event {
            subscription: subscription.clone(),
            report,
            reservation,
            hold,
            to_keep: false,
            kept: false,
            fate: Fate::Open,
            asked: self.core.machine_now(),
            untold: false,
            to_release: false,
            released: false,
        });
        self.events.len().saturating_sub(1)
    }

    fn send_reports(&mut self, subscription: SubscriptionId, events: Vec<usize>) {
        let reports: Vec<Report> = events
            .iter()
            .filter_map(|place| self.events.get(*place))
            .map(|event| event.report.clone())
            .collect();
        // Who asks again waits for the new answer.
        let now = self.core.machine_now();
        let untold = Truth::of(self, &subscription).is_untold(self);
        for place in &events {
            let Some(event) = self.events.get_mut(*place) else { continue };
            (event.asked, event.untold) = (now, untold);
            if matches!(event.fate, Fate::Refused(_)) {
                event.fate = Fate::Open;
            }
        }
        let (context, clock) = (self.context.clone(), self.clock.clone());
        let told: Vec<String> = reports
            .iter()
            .map(|report| {
                format!("{} {} {} at {}", report.key, report.name, report.quantity, report.at)
            })
            .collect();
        self.core
            .tell(format_args!("the platform reports for {subscription}: {}", told.join(", ")));
        if self.core.is(Bug::RefuseInTheFinalHour)
            && self.core.lock().closing.contains_key(&subscription)
        {
            let refused = ReportAnswer::Refused(Refusal::SubscriptionEnded);
            return self.answered(&events, Some(vec![refused; events.len()]));
        }
        let asked = events.clone();
        let request = self.start("report", async move {
            let answer = usage::report(&context, &subscription, &reports, clock.now()).await;
            let answers = match answer {
                Ok(Reported::Answers(answers)) => Some(answers),
                Ok(Reported::NoSuchSubscription) | Err(_) => None,
            };
            After::Reported { events, answers }
        });
        self.asking.insert(request, asked);
    }

    fn send_reservation(&mut self, event: usize) {
        let Some(known) = self.events.get(event) else { return };
        let (subscription, report) = (known.subscription.clone(), known.report.clone());
        let hold = known.hold;
        let (context, clock) = (self.context.clone(), self.clock.clone());
        self.core.tell(format_args!(
            "the platform reserves for {subscription}: {} {} {} at {}",
            report.key, report.name, report.quantity, report.at
        ));
        self.start("reserve", async move {
            let answer = usage::consume(&context, &subscription, &report, hold, clock.now()).await;
            let counts = match answer {
                // A conflict is with itself: it was given back, and the giving back was told before.
                Ok(Consumed::Reserved { .. } | Consumed::Duplicate | Consumed::Conflict) => {
                    Some(true)
                }
                Ok(Consumed::Refused(_) | Consumed::Denied(_)) => Some(false),
                Ok(Consumed::NoSuchSubscription) | Err(_) => None,
            };
            After::Reserved { event, counts }
        });
    }

    fn send_keep(&mut self, event: usize) {
        let Some(known) = self.events.get(event) else { return };
        let Some(month) = known.at().map(Month::of) else { return };
        let (subscription, key) = (known.subscription.clone(), known.report.key.clone());
        let (context, clock) = (self.context.clone(), self.clock.clone());
        self.core.tell(format_args!("the platform keeps {key}"));
        self.start("keep", async move {
            let answer = usage::keep(&context, &subscription, &key, month, clock.now()).await;
            After::Kept { event, answer: answer.ok() }
        });
    }

    fn send_release(&mut self, event: usize) {
        let Some(known) = self.events.get(event) else { return };
        let Some(month) = known.at().map(Month::of) else { return };
        let (subscription, key) = (known.subscription.clone(), known.report.key.clone());
        let (context, clock) = (self.context.clone(), self.clock.clone());
        self.core.tell(format_args!("the platform gives {key} back"));
        self.start("release", async move {
            let answer = usage::release(&context, &subscription, &key, month, clock.now()).await;
            let done = match answer {
                Ok(Released::Done | Released::AlreadyReleased) => true,
                Ok(Released::NotReversible | Released::NotFound) | Err(_) => false,
            };
            let keeps = matches!(answer, Ok(Released::NotReversible | Released::NotFound));
            After::Released { event, done, keeps }
        });
    }

    /// Takes the answers to reports.
    pub(crate) fn answered(&mut self, events: &[usize], answers: Option<Vec<ReportAnswer>>) {
        let Some(answers) = answers else { return };
        for (place, answer) in events.iter().zip(answers) {
            if let ReportAnswer::Refused(refusal) = &answer {
                self.refused(*place, refusal);
            }
            // A refusal is the last word only when no other request about the event can still take effect.
            let open = self.asking.values().any(|asked| asked.contains(place));
            let Some(event) = self.events.get_mut(*place) else { continue };
            self.core.tell(format_args!("{}: {answer:?}", event.report.key));
            match answer {
                ReportAnswer::Accepted { .. } | ReportAnswer::Duplicate => {
                    event.fate = Fate::Counts;
                }
                ReportAnswer::Refused(refusal) if event.fate == Fate::Open && !open => {
                    event.fate = Fate::Refused(refusal.code().to_owned());
                }
                ReportAnswer::Conflict => {
                    self.core.break_law(laws::EVENTS_COUNT_ONCE, &event.report.key);
                }
                ReportAnswer::Refused(_) | ReportAnswer::Failed => {}
            }
        }
    }

    /// Judges a refusal: usage that AWS could still bill must be taken.
    fn refused(&self, place: usize, refusal: &Refusal) {
        let Some(event) = self.events.get(place) else { return };
        let Some(at) = event.at() else { return };
        // Nobody knows when in between it was looked at, nor which request this answers; and the clocks differ by seconds.
        let earliest = before(event.asked, LONGEST_INVOCATION);
        let latest = after(self.core.now(), SignedDuration::from_secs(2));
        let days = i64::from(self.setup.listing.late_usage_days);
        let right = match refusal {
            Refusal::FutureHour => Hour::of(at) > Hour::of(earliest),
            Refusal::TooLate { .. } => at < before(latest, SignedDuration::from_hours(days * 24)),
            Refusal::SubscriptionEnded => {
                let truth = Truth::of(self, &event.subscription);
                let unknown = event.untold
                    || truth.is_untold(self)
                    || self.setup.switches.event_drop_rate != Rate::ZERO;
                // Who comes back in the second of the request may come after it.
                let asked = before(event.asked, SignedDuration::from_secs(1));
                unknown || truth.is_over_at(asked) || truth.is_over_at(latest)
            }
            Refusal::InvalidKey(_)
            | Refusal::UnknownDimension
            | Refusal::UnknownFeature
            | Refusal::InvalidQuantity(_)
            | Refusal::InvalidTime
            | Refusal::NotReversible
            | Refusal::InvalidTags(_)
            | Refusal::TooManyTagSets => false,
        };
        self.core.hold(right, laws::REFUSED_RIGHTLY, || {
            let Event { subscription, report, asked, .. } = event;
            format!("{subscription}: {} at {at}, asked at {asked}: {refusal}", report.key)
        });
    }

    /// Takes the answer to a reservation.
    pub(crate) fn reserved(&mut self, event: usize, counts: Option<bool>) {
        let Some(event) = self.events.get_mut(event) else { return };
        self.core.tell(format_args!("{}: counts {counts:?}", event.report.key));
        match counts {
            Some(true) => event.fate = Fate::Counts,
            Some(false) if event.fate == Fate::Open => {
                event.fate = Fate::Refused("denied".to_owned());
            }
            Some(false) | None => {}
        }
    }

    /// Takes the answer to keeping a held reservation.
    pub(crate) fn kept(&mut self, event: usize, answer: Option<Kept>) {
        let Some(event) = self.events.get_mut(event) else { return };
        self.core.tell(format_args!("{}: {answer:?}", event.report.key));
        match answer {
            Some(Kept::Done | Kept::AlreadyKept) => event.kept = true,
            Some(Kept::Lapsed | Kept::NotFound) => event.to_keep = false,
            None => {}
        }
    }

    /// Takes the answer to giving a reservation back.
    pub(crate) fn gave_back(&mut self, event: usize, done: bool, keeps: bool) {
        let Some(event) = self.events.get_mut(event) else { return };
        self.core.tell(format_args!("{}: given back {done}", event.report.key));
        event.released |= done;
        if keeps {
            event.to_release = false;
        }
    }
}
