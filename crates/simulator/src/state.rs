//! Everything the marketplace side knows, under one lock, and what becomes due with time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::clock::later;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::notice::Queued;
use crate::options::Options;
use crate::product::Product;
use crate::records::{
    Agreement, CancellationRequest, CancellationStatus, Customer, License, Metered, Token,
};
use crate::storage::{Change, Storage, StorageError};
use crate::switches::Switches;
use crate::table::Table;

/// After so long, a seller's cancellation request counts as approved (F§5.3).
const AUTO_APPROVAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Something that happens by itself when its time comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Matter {
    AgreementEnds(String),
    CancellationApproved(String),
}

pub(crate) struct State {
    pub(crate) products: BTreeMap<String, Product>,
    pub(crate) main_product: String,
    pub(crate) fulfilment_url: String,
    pub(crate) switches: Switches,
    pub(crate) faults: Faults,
    pub(crate) ids: Ids,
    pub(crate) random: StdRng,
    pub(crate) agreements: Table<Agreement>,
    pub(crate) licenses: Table<License>,
    pub(crate) customers: Table<Customer>,
    pub(crate) tokens: Table<Token>,
    pub(crate) ledger: Table<Metered>,
    pub(crate) notices: Table<Queued>,
    pub(crate) cancellations: Table<CancellationRequest>,
    agenda: BTreeSet<(Timestamp, Matter)>,
    storage: Option<Arc<Storage>>,
    written_ids: String,
}

impl State {
    pub(crate) fn open(
        options: &Options,
        storage: Option<Arc<Storage>>,
    ) -> Result<Self, StorageError> {
        let from = storage.as_deref();
        let ids = match from.map(|it| it.load::<Ids>("ids")).transpose()?.unwrap_or_default().pop()
        {
            Some((_, stored)) => stored.resume(options.seed),
            None => Ids::new(options.seed),
        };
        let products = std::iter::once(&options.product).chain(&options.more_products);
        let mut state = Self {
            products: products.map(|it| (it.code.clone(), it.clone())).collect(),
            main_product: options.product.code.clone(),
            fulfilment_url: options.fulfilment_url.clone(),
            switches: options.switches.clone(),
            faults: Faults::default(),
            ids,
            random: StdRng::seed_from_u64(options.seed),
            agreements: Table::load("agreement", from)?,
            licenses: Table::load("license", from)?,
            customers: Table::load("customer", from)?,
            tokens: Table::load("token", from)?,
            ledger: Table::load("metered", from)?,
            notices: Table::load("notice", from)?,
            cancellations: Table::load("cancellation", from)?,
            agenda: BTreeSet::new(),
            storage,
            written_ids: String::new(),
        };
        state.recall_agenda();
        Ok(state)
    }

    fn recall_agenda(&mut self) {
        let ends = self.agreements.values().filter(|it| it.is_active());
        let ends = ends.filter_map(|it| Some((it.ends?, Matter::AgreementEnds(it.id.clone()))));
        let approvals = self
            .cancellations
            .values()
            .filter(|it| it.status == CancellationStatus::PendingApproval);
        let approvals = approvals.map(|it| {
            (later(it.created, AUTO_APPROVAL), Matter::CancellationApproved(it.id.clone()))
        });
        self.agenda = ends.chain(approvals).collect();
    }

    /// Notes the end of an agreement for [`State::catch_up`].
    pub(crate) fn plan_end(&mut self, agreement: &Agreement) {
        if let Some(ends) = agreement.ends {
            self.agenda.insert((ends, Matter::AgreementEnds(agreement.id.clone())));
        }
    }

    /// Notes the silent approval of a cancellation request for [`State::catch_up`].
    pub(crate) fn plan_approval(&mut self, request: &CancellationRequest) {
        let at = later(request.created, AUTO_APPROVAL);
        self.agenda.insert((at, Matter::CancellationApproved(request.id.clone())));
    }

    /// Does, in order of time, what became due up to `now`.
    pub(crate) fn catch_up(&mut self, now: Timestamp) {
        while let Some((at, matter)) = self.agenda.first().cloned() {
            if at > now {
                break;
            }
            self.agenda.pop_first();
            match matter {
                Matter::AgreementEnds(id) => self.reach_end(&id, at),
                Matter::CancellationApproved(id) => {
                    self.decide_cancellation(&id, CancellationStatus::Approved, at);
                }
            }
        }
    }

    /// Writes what changed; a no-op without a storage.
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        if let Some(storage) = &self.storage {
            let mut changes = Vec::new();
            self.agreements.collect(&mut changes)?;
            self.licenses.collect(&mut changes)?;
            self.customers.collect(&mut changes)?;
            self.tokens.collect(&mut changes)?;
            self.ledger.collect(&mut changes)?;
            self.notices.collect(&mut changes)?;
            self.cancellations.collect(&mut changes)?;
            let ids = serde_json::to_string(&self.ids)?;
            if ids != self.written_ids {
                changes.push(Change { kind: "ids", key: String::new(), json: Some(ids.clone()) });
            }
            if !changes.is_empty() {
                storage.write(&changes)?;
            }
            self.written_ids = ids;
        }
        self.agreements.settle();
        self.licenses.settle();
        self.customers.settle();
        self.tokens.settle();
        self.ledger.settle();
        self.notices.settle();
        self.cancellations.settle();
        Ok(())
    }

    pub(crate) fn product_of(&self, agreement: &Agreement) -> Option<&Product> {
        self.products.get(&agreement.product_code)
    }

    pub(crate) fn license_of(&self, agreement: &Agreement) -> Option<&License> {
        self.licenses.get(&agreement.license_arn)
    }

    /// The legacy customer with this identifier.
    pub(crate) fn customer(&self, product_code: &str, identifier: &str) -> Option<&Customer> {
        self.customers.get(&customer_row(product_code, identifier))
    }

    /// The legacy customer that is this account.
    pub(crate) fn customer_by_account(
        &self,
        product_code: &str,
        account: &str,
    ) -> Option<&Customer> {
        self.customers.values().find(|it| it.product_code == product_code && it.account == account)
    }
}

pub(crate) fn customer_row(product_code: &str, identifier: &str) -> String {
    format!("{product_code} {identifier}")
}
