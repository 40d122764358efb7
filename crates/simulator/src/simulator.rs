//! The simulator as a library: everything that people do in a console, and what they would see.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::buyer::{Bought, BuyError, ChangeError, Purchase};
use crate::clock::{Clock, Reading};
use crate::faults::Faults;
use crate::https::Https;
use crate::ids::Ids;
use crate::invoice::InvoiceLine;
use crate::notice::Notification;
use crate::options::{OpenError, Options};
use crate::quota::Quotas;
use crate::records::{Agreement, AgreementStatus, CancellationStatus};
use crate::state::State;
use crate::storage::{Storage, StorageError};
use crate::switches::Switches;
use crate::wire::Call;

/// Calls that the wire log remembers.
const LOG_LENGTH: usize = 1000;

/// A simulated AWS Marketplace. Clones share everything.
///
/// Each method first catches up with the clock, then acts, then commits to the storage.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    accounts: BTreeMap<String, String>,
    publishing_account: String,
    quotas: Quotas,
    state: Mutex<State>,
    calls: Mutex<VecDeque<Call>>,
    request_ids: Mutex<Ids>,
    https: Https,
    sns_url: String,
    product_code: String,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("clock", &self.inner.clock).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Opens a simulator; with a storage it goes on where it stopped.
    ///
    /// # Errors
    /// When the storage cannot be read, or two products share a code.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let mut codes = vec![&options.product.code];
        for product in &options.more_products {
            if codes.contains(&&product.code) {
                return Err(OpenError::DuplicateProduct { code: product.code.clone() });
            }
            codes.push(&product.code);
        }
        let path = options.storage.clone().unwrap_or_default();
        let state = Self::load(&options).map_err(|source| OpenError::Storage { path, source })?;
        Ok(Self {
            inner: Arc::new(Inner {
                clock: options.clock,
                accounts: options.accounts,
                https: Https::default(),
                sns_url: options.sns_url,
                product_code: options.product.code,
                publishing_account: options.product.publishing_account,
                quotas: Quotas::new(options.stopwatch),
                state: Mutex::new(state),
                calls: Mutex::default(),
                request_ids: Mutex::new(Ids::new(options.seed)),
            }),
        })
    }

    fn load(options: &Options) -> Result<State, StorageError> {
        let storage = options.storage.as_deref().map(Storage::open).transpose()?.map(Arc::new);
        if let Some(storage) = &storage {
            if let Some((_, stored)) = storage.load::<Reading>("clock")?.pop() {
                options.clock.restore(stored);
            }
            let keep = Arc::clone(storage);
            options.clock.keep_with(move |reading| {
                if let Err(error) = keep.write_one("clock", &reading) {
                    tracing::error!(%error, "the moved clock could not be stored");
                }
            });
            storage.write_one("clock", &options.clock.reading())?;
        }
        State::open(options, storage)
    }

    /// The AWS APIs at `POST /` and `POST /service/…`, and the control API under `/_sim/`.
    pub fn router(&self) -> axum::Router {
        crate::wire::router(self.clone())
            .merge(crate::control::router(self.clone()))
            .merge(crate::https::router(self.clone()))
    }

    pub(crate) fn https(&self) -> &Https {
        &self.inner.https
    }

    pub(crate) fn sns_url(&self) -> &str {
        &self.inner.sns_url
    }

    /// The code of the product that purchases are for unless they name another.
    pub(crate) fn product_code(&self) -> String {
        self.inner.product_code.clone()
    }

    /// The simulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// A buyer accepts an offer (F§8.2).
    ///
    /// # Errors
    /// When the marketplace would refuse it.
    pub fn buy(&self, purchase: Purchase) -> Result<Bought, BuyError> {
        self.change(|state, now| state.buy(purchase, now))
    }

    /// A buyer clicks *Set up your account*: mints a token and answers the fields of the form
    /// that the browser posts (F§2.1).
    ///
    /// # Errors
    /// When there is no such agreement.
    pub fn fulfilment_form(
        &self,
        agreement_id: &str,
    ) -> Result<Vec<(String, String)>, ChangeError> {
        self.change(|state, now| state.fulfilment_form(agreement_id, now))
    }

    /// The buyer accepts other entitlements within the agreement: `Amended`, then
    /// `License Updated` (F§8.6). The given entitlements replace the old ones.
    ///
    /// # Errors
    /// When it is not an active contract, or the product does not sell that.
    pub fn amend(
        &self,
        agreement_id: &str,
        entitlements: BTreeMap<String, Decimal>,
    ) -> Result<Bought, ChangeError> {
        self.change(|state, now| state.amend(agreement_id, entitlements, now))
    }

    /// The buyer switches automatic renewal on or off: `Amended`.
    ///
    /// # Errors
    /// When it is not an active contract.
    pub fn set_auto_renew(&self, agreement_id: &str, on: bool) -> Result<(), ChangeError> {
        self.change(|state, now| state.set_auto_renew(agreement_id, on, now))
    }

    /// The agreement is renewed now: a new one takes its place (F§8.6).
    ///
    /// # Errors
    /// When it is not an active contract.
    pub fn renew(&self, agreement_id: &str) -> Result<Bought, ChangeError> {
        self.change(|state, now| state.renew(agreement_id, now))
    }

    /// The buyer accepts a replacement offer; also how a contract's trial turns paid (F§8.5).
    ///
    /// # Errors
    /// When it is not active, or the product does not sell that.
    pub fn replace(
        &self,
        agreement_id: &str,
        entitlements: BTreeMap<String, Decimal>,
    ) -> Result<Bought, ChangeError> {
        self.change(|state, now| state.replace(agreement_id, entitlements, now))
    }

    /// The buyer unsubscribes, or AWS Support cancels a contract: CANCELLED.
    ///
    /// # Errors
    /// When it is not active.
    pub fn cancel(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.finish(agreement_id, AgreementStatus::Cancelled)
    }

    /// The agreement runs out now, whatever its end date: EXPIRED.
    ///
    /// # Errors
    /// When it is not active.
    pub fn expire(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.finish(agreement_id, AgreementStatus::Expired)
    }

    /// AWS ends the agreement, for instance after a failed payment: TERMINATED.
    ///
    /// # Errors
    /// When it is not active.
    pub fn terminate(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.finish(agreement_id, AgreementStatus::Terminated)
    }

    fn finish(&self, agreement_id: &str, status: AgreementStatus) -> Result<(), ChangeError> {
        self.change(|state, now| state.finish(agreement_id, status, now))
    }

    /// The payment fails before the subscription succeeded: no `License Updated` will come, and
    /// a legacy product hears `subscribe-fail`.
    ///
    /// # Errors
    /// When the license has been updated already.
    pub fn fail_subscription(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.change(|state, now| state.fail_subscription(agreement_id, now))
    }

    /// AWS finds account closure, compromise, abuse or fraud. The agreement goes on.
    ///
    /// # Errors
    /// When it is not active.
    pub fn issue_advisory(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.change(|state, now| state.advise(agreement_id, false, now))
    }

    /// The advisory is resolved.
    ///
    /// # Errors
    /// When the agreement is not active.
    pub fn resolve_advisory(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.change(|state, now| state.advise(agreement_id, true, now))
    }

    /// The buyer approves the seller's pending cancellation request; by itself that happens
    /// after 7 days (F§5.3).
    ///
    /// # Errors
    /// When no request is pending.
    pub fn approve_cancellation(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.answer(agreement_id, CancellationStatus::Approved)
    }

    /// The buyer rejects the seller's pending cancellation request.
    ///
    /// # Errors
    /// When no request is pending.
    pub fn reject_cancellation(&self, agreement_id: &str) -> Result<(), ChangeError> {
        self.answer(agreement_id, CancellationStatus::Rejected)
    }

    fn answer(&self, agreement_id: &str, answer: CancellationStatus) -> Result<(), ChangeError> {
        self.change(|state, now| state.answer_cancellation(agreement_id, answer, now))
    }

    /// Every agreement, by id.
    pub fn agreements(&self) -> Vec<Agreement> {
        self.read(|state, _| state.agreements.values().cloned().collect())
    }

    /// Notifications that are due and not acknowledged, in order of delivery.
    pub fn due_notifications(&self) -> Vec<Notification> {
        self.read(|state, now| state.due_notifications(now))
    }

    /// Every notification not acknowledged, also those of the future, in order of delivery.
    pub fn notifications(&self) -> Vec<Notification> {
        self.read(|state, _| state.all_notifications())
    }

    /// Takes a delivered notification off the queue; false if it was not on it.
    pub fn acknowledge(&self, id: u64) -> bool {
        self.read(|state, _| state.acknowledge(id))
    }

    /// Notifications not acknowledged, due or not.
    pub fn notifications_pending(&self) -> usize {
        self.read(|state, _| state.notices.len())
    }

    /// When the next notification that is not acknowledged is or was due.
    pub fn next_notification_at(&self) -> Option<Timestamp> {
        self.read(|state, _| state.notices.values().map(|it| it.notification.due).min())
    }

    /// What AWS would bill, to this moment.
    pub fn invoice(&self) -> Vec<InvoiceLine> {
        self.read(|state, _| state.invoice())
    }

    /// Looks at the faults and changes them. `change` must not call the simulator.
    pub fn faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        self.read(|state, _| change(&mut state.faults))
    }

    /// Looks at the switches and changes them. `change` must not call the simulator.
    pub fn switches<T>(&self, change: impl FnOnce(&mut Switches) -> T) -> T {
        self.read(|state, _| change(&mut state.switches))
    }

    /// The last 1,000 calls of the AWS APIs, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }

    pub(crate) fn log(&self, call: Call) {
        let mut calls = self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == LOG_LENGTH {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// An id for `x-amzn-requestid`. These are not kept: after a restart they begin anew.
    pub(crate) fn request_id(&self) -> String {
        let mut ids = self.inner.request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.uuid("request")
    }

    pub(crate) fn quotas(&self) -> &Quotas {
        &self.inner.quotas
    }

    /// The account that signs with `access_key`.
    pub(crate) fn account_of(&self, access_key: &str) -> String {
        self.inner.accounts.get(access_key).unwrap_or(&self.inner.publishing_account).clone()
    }

    /// Runs `act` on the caught-up state; what it changed is committed before this returns.
    pub(crate) fn change<T, E: From<StorageError>>(
        &self,
        act: impl FnOnce(&mut State, Timestamp) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.clock.now();
        state.catch_up(now);
        let result = act(&mut state, now);
        state.commit()?;
        result
    }

    /// As [`Simulator::change`] for acts that cannot fail. A failing commit is logged here, and
    /// its rows are written with the next one.
    fn read<T>(&self, act: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.clock.now();
        state.catch_up(now);
        let result = act(&mut state, now);
        if let Err(error) = state.commit() {
            tracing::error!(%error, "the state could not be stored");
        }
        result
    }
}
