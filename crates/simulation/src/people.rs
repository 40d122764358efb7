//! What buyers, AWS and the seller do.

use std::collections::BTreeMap;

use app::parked;
use app::ports::{MeteringService, OutgoingRecord, RegistrationToken, Store};
use app::registration::{self, Profile};
use app::subscriptions::{Update, Updated, confirm_tenant, request_cancellation, update};
use domain::audit::Actor;
use domain::ids::SubscriptionId;
use domain::metering::{Closing, MeterKey, MeteringPhase, MeteringRecord};
use domain::time::{Hour, after};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use simulator::{AgreementStatus, Purchase};

use crate::dice::Dice;
use crate::hold::{Advisory, SellersHold, Wish};
use crate::laws;
use crate::task::After;
use crate::world::World;

/// Most agreements of a world.
const MOST: usize = 9;

/// Buyers; few, so that an account holds several licenses.
const ACCOUNTS: [&str; 3] = ["111122223333", "222233334444", "333344445555"];

const FIELD: &str = "x-amzn-marketplace-token";

impl<S: Store> World<S> {
    /// A buyer accepts an offer.
    pub(crate) fn buy(&mut self, dice: &mut Dice) {
        if self.agreements.len() >= MOST {
            return;
        }
        let contract = self.setup.listing.pricing.has_entitlements();
        let now = self.core.now();
        let mut purchase = Purchase {
            account: dice.pick(&ACCOUNTS).copied().unwrap_or(ACCOUNTS[0]).to_owned(),
            entitlements: self.entitlements(dice),
            free_trial: dice.one_in(8).then_some(7),
            fails: dice.one_in(25),
            // The reconciler would take a purchase of the older way up a second time, under its license.
            legacy: dice.one_in(5) && !self.setup.reconciles,
            ..Purchase::default()
        };
        if contract && dice.one_in(4) {
            purchase.ends = Some(after(now, hours(dice, 1, 40)));
            purchase.auto_renew = dice.one_in(2);
        }
        if contract && dice.one_in(10) && purchase.ends.is_none() {
            purchase.starts = Some(after(now, hours(dice, 1, 6)));
        }
        let told = format!("{} accepts {:?}", purchase.account, purchase.entitlements);
        // The older way knows one subscription of a customer at a time.
        purchase.legacy &= !self.simulator.agreements().iter().any(|it| {
            it.account == purchase.account
                && it.customer_identifier.is_some()
                && it.status == AgreementStatus::Active
        });
        match self.simulator.buy(purchase) {
            Ok(bought) => {
                let id = SubscriptionIdOf(&bought.license_arn);
                self.core.tell(format_args!("{told}: {} under {id}", bought.agreement_id));
                self.agreements.push(bought.agreement_id);
            }
            Err(error) => self.core.tell(format_args!("{told}: {error}")),
        }
    }

    /// A plan, and now and then amounts of its own.
    fn entitlements(&self, dice: &mut Dice) -> BTreeMap<String, Decimal> {
        let catalog = &self.setup.listing.catalog;
        if !self.setup.listing.pricing.has_entitlements() {
            return BTreeMap::new();
        }
        let mut bought = BTreeMap::new();
        if let Some(plan) = dice.pick(catalog.plans()) {
            bought.insert(plan.entitlement.clone(), Decimal::ONE);
        }
        if dice.one_in(3)
            && let Some(spec) = dice.pick(catalog.dimensions())
        {
            bought.insert(spec.id.to_string(), Decimal::from(dice.between(1, 300)));
        }
        bought
    }

    /// A buyer sets up the account.
    pub(crate) fn register(&mut self, dice: &mut Dice) {
        if let Some(agreement) = dice.pick(&self.agreements).cloned() {
            self.register_for(agreement);
        }
    }

    /// Buyers whose registration did not work out come back.
    pub(crate) fn register_again(&mut self) {
        let again: Vec<String> = self
            .registrations
            .iter()
            .filter(|(_, done)| !**done)
            .map(|(agreement, _)| agreement.clone())
            .collect();
        for agreement in again {
            self.register_for(agreement);
        }
    }

    fn register_for(&mut self, agreement: String) {
        let Ok(form) = self.simulator.fulfilment_form(&agreement) else { return };
        let token = form.into_iter().find(|(name, _)| name == FIELD);
        let Some(token) = token.and_then(|(_, token)| RegistrationToken::from_form(token)) else {
            return;
        };
        self.registrations.entry(agreement.clone()).or_default();
        let (context, clock) = (self.context.clone(), self.clock.clone());
        self.start(&format!("registration({agreement})"), async move {
            let done = async {
                let landing = registration::land(&context, &token, clock.now()).await.ok()?;
                let profile = Profile::new("Acme", "Jo", "jo@example.com").ok()?;
                let complete =
                    registration::complete(&context, &landing.buyer, &profile, clock.now());
                complete.await.ok()
            };
            let done = done.await.is_some();
            After::Registered { agreement, done }
        });
    }

    /// Something happens to an agreement.
    pub(crate) fn change(&mut self, dice: &mut Dice) {
        let active: Vec<String> = self
            .simulator
            .agreements()
            .into_iter()
            .filter(|it| it.status == AgreementStatus::Active)
            .map(|it| it.id)
            .collect();
        let Some(agreement) = dice.pick(&active).cloned() else { return };
        let id = agreement.as_str();
        let follows =
            self.simulator.agreements().iter().any(|it| {
                it.id == agreement && (it.previous_id.is_some() || it.initial_id != it.id)
            });
        let entitlements = self.entitlements(dice);
        let simulator = self.simulator.clone();
        let (what, done) = match dice.below(12) {
            0 | 1 => ("is amended", simulator.amend(id, entitlements).map(|_| None)),
            2 => ("is renewed", simulator.renew(id).map(|it| Some(it.agreement_id))),
            3 | 4 => {
                let replaced = simulator.replace(id, entitlements);
                ("is replaced", replaced.map(|it| Some(it.agreement_id)))
            }
            5..=7 => ("is cancelled", simulator.cancel(id).map(|()| None)),
            8 => ("expires", simulator.expire(id).map(|()| None)),
            9 => ("is terminated", simulator.terminate(id).map(|()| None)),
            10 => {
                self.advise(&agreement, true);
                ("gets an advisory", simulator.issue_advisory(id).map(|()| None))
            }
            _ if self.advisories.contains_key(&agreement) => {
                self.advise(&agreement, false);
                ("has its advisory resolved", simulator.resolve_advisory(id).map(|()| None))
            }
            // A renewal or replacement that is not paid leaves what was before in force: nothing happens.
            _ if follows => return,
            _ => ("fails to be paid", simulator.fail_subscription(id).map(|()| None)),
        };
        match done {
            Ok(successor) => {
                self.core.tell(format_args!("{agreement} {what}"));
                self.agreements.extend(successor);
            }
            Err(error) => self.core.tell(format_args!("{agreement} {what}: {error}")),
        }
    }

    fn advise(&mut self, agreement: &str, warns: bool) {
        let before = self.advisories.get(agreement).copied();
        let told = Advisory::told(before, warns, self.core.now());
        self.advisories.insert(agreement.to_owned(), told);
    }

    /// The platform confirms a tenant that it was asked to make.
    pub(crate) fn confirm(&mut self, dice: &mut Dice) {
        let waiting: Vec<SubscriptionId> = {
            let inner = self.core.lock();
            let waiting = inner.workspaces.iter().filter(|(_, workspace)| workspace.to_confirm);
            waiting.map(|(id, _)| id.clone()).collect()
        };
        let Some(subscription) = dice.pick(&waiting).cloned() else { return };
        let Ok(tenant) = format!("tenant-{subscription}").parse() else { return };
        let (context, clock) = (self.context.clone(), self.clock.clone());
        let actor = Actor::Caller("platform".to_owned());
        self.start(&format!("confirm({subscription})"), async move {
            let done =
                confirm_tenant(&context, &subscription, tenant, actor, clock.now()).await.is_ok();
            After::Confirmed { subscription, done }
        });
    }

    /// The seller sets a plan, suspends or resumes, or asks AWS to cancel.
    pub(crate) fn manage(&mut self, dice: &mut Dice) {
        let known: Vec<SubscriptionId> = self.core.lock().accounts.keys().cloned().collect();
        let Some(id) = dice.pick(&known).cloned() else { return };
        let (context, clock) = (self.context.clone(), self.clock.clone());
        let actor = Actor::Caller("seller".to_owned());
        let plan = dice.pick(self.setup.listing.catalog.plans()).map(|plan| plan.id.clone());
        let draw = dice.below(7);
        let hold = match draw {
            3 | 4 => Some(true),
            5 => Some(false),
            _ => None,
        };
        let subscription = id.clone();
        let work = self.start(&format!("manage({id})"), async move {
            let now = clock.now();
            let wish = match draw {
                0..=2 => Update { plan, suspended: None },
                3..=5 => Update { plan: None, suspended: hold },
                _ => {
                    let _ = request_cancellation(&context, &id, None, actor, now).await;
                    return After::Nothing;
                }
            };
            // Whoever asked sees the answer and asks again, or does not.
            let how = match update(&context, &id, wish, None, actor, now).await {
                Ok(Updated::Done(_)) => Wish::Granted,
                Ok(
                    Updated::NotFound
                    | Updated::Overtaken { .. }
                    | Updated::UnknownPlan
                    | Updated::PlanFromEntitlement
                    | Updated::Ended,
                ) => Wish::Refused,
                Err(_) => Wish::Unanswered,
            };
            After::Held { subscription: id, how }
        });
        if let Some(value) = hold {
            self.holds.entry(subscription).or_insert_with(SellersHold::none).ask(work, value);
        }
    }

    /// Somebody meters by hand the hour for which a record is frozen, or is about to be: AWS takes one quantity a key,
    /// and bills that.
    pub(crate) async fn stray(&mut self, dice: &mut Dice) {
        if !self.setup.strays {
            return;
        }
        let last_hour = Hour::of(self.core.now()).previous();
        let chances: Vec<(MeterKey, Hour, u64)> = {
            let inner = self.core.lock();
            let each = inner.meters.values().filter_map(|meter| {
                let (hour, quantity) = match meter.pending {
                    Some(pending) => (pending.hour, pending.quantity),
                    None if meter.to_meter() > 0 => (last_hour, meter.to_meter()),
                    None => return None,
                };
                let name = laws::hour_key(&meter.key, hour);
                let fits = hour.month() == meter.key.month
                    && !inner.sent.contains_key(&name)
                    && !inner.stray_hours.contains(&name);
                fits.then(|| (meter.key.clone(), hour, quantity))
            });
            each.collect()
        };
        let Some((key, hour, quantity)) = dice.pick(&chances).cloned() else { return };
        let Ok(Some(state)) = self.store.subscription(&key.subscription).await else { return };
        // Before a license is active, AWS may accept what it does not bill.
        if state.metering_phase(self.core.now()) == MeteringPhase::NotYet {
            return;
        }
        let record = OutgoingRecord {
            license: state.license.clone(),
            account: state.account.clone(),
            dimension: key.dimension.clone(),
            hour,
            // Of two records with the same quantity nobody can tell whose AWS holds.
            quantity: quantity.saturating_add(1_000_003),
            allocations: Vec::new(),
        };
        let product = self.setup.listing.product.clone();
        let aws = self.context.aws.aws.clone();
        let before = laws::bill(&self.core, &key);
        // Whatever AWS answers, or does not: its bill shows whether it took the record.
        let _ = aws.submit(&product, std::slice::from_ref(&record)).await;
        if laws::bill(&self.core, &key) > before {
            self.core.tell(format_args!("somebody meters {key} {} by hand", record.hour));
            let mut inner = self.core.lock();
            inner.stray_hours.insert(laws::hour_key(&key, hour));
            *inner.strays.entry(key).or_default() += Decimal::from(record.quantity);
        }
    }
}

impl<S: Store> World<S> {
    /// An operator has something that is parked sent once more, or settles it otherwise.
    pub(crate) async fn operate(&mut self, dice: &mut Dice) {
        let Ok(page) = self.store.parked(None, 100).await else { return };
        let Some(key) = dice.pick(&page.items).map(MeteringRecord::name) else { return };
        let (context, clock) = (self.context.clone(), self.clock.clone());
        let actor = Actor::Caller("operator".to_owned());
        let closes = dice.one_in(4);
        self.start(&format!("operate({})", key.meter), async move {
            let now = clock.now();
            // Whoever asked sees the answer and asks again, or does not.
            if closes {
                let how = Closing::WrittenOff;
                let _ = parked::close(&context, &key, how, "settled", actor, now).await;
            } else {
                let _ = parked::retry(&context, &key, actor, now).await;
            }
            After::Nothing
        });
    }
}

/// A license's subscription, to tell of it.
struct SubscriptionIdOf<'a>(&'a str);

impl std::fmt::Display for SubscriptionIdOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match laws::owner(self.0) {
            Some(id) => write!(f, "{id}"),
            None => f.write_str(self.0),
        }
    }
}

fn hours(dice: &mut Dice, low: u64, high: u64) -> SignedDuration {
    SignedDuration::from_hours(i64::try_from(dice.between(low, high)).unwrap_or_default())
}
