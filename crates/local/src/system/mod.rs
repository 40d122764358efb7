//! The system: everything that is deployed, and everything it talks to, in one process.

mod drive;
mod options;
mod schedules;
mod settled;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use app::Listing;
use axum::Router;
use axum::middleware::from_fn;
use domain::catalog::{Catalog, InvalidCatalog, PricingModel};
use domain::subscription::TenantNotice;
use jiff::Timestamp;
use simulator::Simulator;
use store_dynamodb::DynamoStore;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::bus::{Bus, BusError};
use crate::data_dir::{DataDir, DataDirError};
use crate::database::{Database, DatabaseError, RoundTrips};
use crate::functions::{ComposeError, Functions, Parts};
use crate::http::this_machine::only;
use crate::mail::{Mail, Mailbox};
use crate::reconciliation::{Reconciled, reconcile};
use crate::secrets::Secrets;
use crate::tables::{Tables, create_tables};
use crate::webhooks::{Inbox, Received};

pub use drive::DriveError;
pub use options::{ClockChoice, SystemOptions};

/// The template whose tables are made.
const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// Why a system could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken.
    #[error("port {port} is taken: stop what uses it, or pass --port with another (0 takes any)")]
    PortTaken {
        /// Which.
        port: u16,
    },
    /// There is no loopback port to be had.
    #[error("the port {port} cannot be opened")]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database.
    #[error("the database could not be started")]
    Database(#[from] DatabaseError),
    /// The tables.
    #[error("the tables could not be made")]
    Tables(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bus.
    #[error("the bus could not be started")]
    Bus(#[from] BusError),
    /// The simulator.
    #[error("the simulator could not be started")]
    Simulator(#[from] simulator::OpenError),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] InvalidCatalog),
    /// A function.
    #[error(transparent)]
    Functions(#[from] ComposeError),
}

/// What can be seen and done of a running system, shared by whoever works on it.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

/// A running system: a [`Handle`], and what ends with it. Dropping it stops the servers and lets go of the data
/// directory. A test whose system is left unsettled fails when it is dropped.
pub struct System {
    handle: Handle,
    servers: Vec<JoinHandle<()>>,
    must_settle: bool,
    data: Option<DataDir>,
}

struct Inner {
    driving: Mutex<()>,
    simulator: Simulator,
    bus: Bus,
    database: Database,
    tables: Tables,
    store: DynamoStore,
    round_trips: RoundTrips,
    functions: Functions,
    inbox: Inbox,
    mailbox: Mailbox,
    secrets: Secrets,
    pricing: PricingModel,
    reconciles: bool,
    address: SocketAddr,
    marketplace: SocketAddr,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("address", &self.inner.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Deref for System {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl System {
    /// Starts a system.
    ///
    /// # Errors
    /// When the port is taken, or the data directory is in use or not usable.
    pub async fn start(options: SystemOptions) -> Result<Self, StartError> {
        let listener = listen(options.port).await?;
        let address = address_of(&listener, options.port)?;
        let data = options.data.as_deref().map(|path| DataDir::open(path, options.pricing));
        let data = data.transpose()?;
        let secrets = data.as_ref().map_or_else(|| Ok(Secrets::random()), DataDir::secrets)?;
        let pricing =
            data.as_ref().map_or_else(|| options.pricing.unwrap_or_default(), DataDir::pricing);

        let catalog = Catalog::from_toml(include_str!("../../../../config/plans.toml"))?;
        let clock = options.clock.clock();
        let bus = Bus::open(data.as_ref().map(DataDir::bus).as_deref())?;
        let sns_url = format!("http://{address}/_sim/sns/");
        let simulator = Simulator::open(simulator::Options {
            product: crate::product::product(&catalog, pricing),
            more_products: vec![crate::product::other_listing()],
            clock: clock.clone(),
            switches: options.switches.clone(),
            seed: options.seed,
            storage: data.as_ref().map(DataDir::marketplace),
            fulfilment_url: format!("http://{address}/marketplace/register"),
            sns_url: sns_url.clone(),
            ..simulator::Options::default()
        })?;
        let marketplace_listener = listen(0).await?;
        let marketplace = address_of(&marketplace_listener, 0)?;

        let database = Database::start(data.as_ref().map(DataDir::database).as_deref()).await?;
        let round_trips = RoundTrips::default();
        let client = database.client(&round_trips);
        let tables = create_tables(&client, TEMPLATE)
            .await
            .map_err(|error| StartError::Tables(error.into()))?;
        round_trips.reset();
        let store = crate::functions::store(&client, &tables);

        let inbox = Inbox::new(&secrets);
        let parts = Parts {
            store: store.clone(),
            tables: tables.clone(),
            marketplace: format!("http://{marketplace}"),
            bus: bus.clone(),
            sns: crate::sns::Sns { url: sns_url, simulator: simulator.clone() },
            clock,
            secrets: secrets.clone(),
            pricing,
            heartbeat: options.heartbeat,
            platform: options.platform,
            webhook_url: options
                .webhooks
                .then(|| format!("http://{address}/_local/webhooks/inbox")),
            inbox: inbox.clone(),
            brand: options.brand.as_ref().map(|path| path.display().to_string()),
            metrics: options.metrics.clone(),
        };
        let functions = Functions::compose(&parts)?;
        let handle = Handle {
            inner: Arc::new(Inner {
                driving: Mutex::new(()),
                simulator,
                bus,
                database,
                tables,
                store,
                round_trips,
                functions,
                inbox,
                mailbox: Mailbox::default(),
                secrets,
                pricing,
                reconciles: options.reconciles,
                address,
                marketplace,
            }),
        };
        let servers = vec![
            serve(marketplace_listener, handle.simulator().router().layer(from_fn(only))),
            serve(listener, crate::http::router(&handle)),
        ];
        Ok(Self { handle, servers, must_settle: options.settled_on_drop, data })
    }

    /// Another handle, for a task of its own.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Lets the drop of this system pass although something is unsettled: for tests that are about exactly that.
    pub fn may_stay_unsettled(&mut self) {
        self.must_settle = false;
    }

    /// Stops as a killed process does, with whatever is under way, and demands nothing.
    pub async fn kill(mut self) {
        self.must_settle = false;
        for server in std::mem::take(&mut self.servers) {
            server.abort();
            // Aborted is what was asked for.
            let _ = server.await;
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
        drop(self.data.take());
        if self.must_settle && !std::thread::panicking() {
            let unsettled = settled::unsettled_when_over(&self.handle);
            assert!(unsettled.is_empty(), "something is left unsettled:\n{}", unsettled.join("\n"));
        }
    }
}

fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(crate::http::server::serve(listener, router))
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { port },
        _ => StartError::Listen { port, source },
    })
}

fn address_of(listener: &TcpListener, port: u16) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen { port, source })
}

impl Handle {
    /// What the local webhook endpoint received, oldest first.
    pub fn webhooks_received(&self) -> Vec<Received> {
        self.inner.inbox.received()
    }

    /// What the stand-in platform wrote to buyers, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.inner.mailbox.all()
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.inner.mailbox
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inner.inbox
    }

    /// The functions, composed as they are deployed.
    pub(crate) fn functions(&self) -> &Functions {
        &self.inner.functions
    }

    /// The functions' routes: those that anyone may call, and those that need a verified caller.
    pub fn routers(&self) -> (Router, Router) {
        (self.functions().public_router(), self.functions().api_router())
    }

    /// The listing that is sold.
    pub fn listing(&self) -> &Listing {
        self.inner.functions.listing()
    }

    /// The address of the HTTP functions and of the control API, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    /// The address that stands in for AWS Marketplace, its control API included.
    pub fn marketplace_url(&self) -> String {
        format!("http://{}", self.inner.marketplace)
    }

    /// The address that stands in for DynamoDB.
    pub fn database_url(&self) -> String {
        self.inner.database.endpoint()
    }

    /// AWS's side.
    pub fn simulator(&self) -> &Simulator {
        &self.inner.simulator
    }

    /// The seller's store, as the functions use it.
    pub fn store(&self) -> &DynamoStore {
        &self.inner.store
    }

    /// The names of its tables.
    pub fn tables(&self) -> &Tables {
        &self.inner.tables
    }

    /// The queues.
    pub fn bus(&self) -> &Bus {
        &self.inner.bus
    }

    /// The secrets it was started with.
    pub fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    /// How the listing charges.
    pub fn pricing(&self) -> PricingModel {
        self.inner.pricing
    }

    /// How often DynamoDB was asked, since the start or the last reset. For AWS Marketplace see [`Simulator::calls`].
    pub fn round_trips(&self) -> &RoundTrips {
        &self.inner.round_trips
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.inner.simulator.clock().now()
    }

    /// Every tenant notice that was published, oldest first.
    ///
    /// # Errors
    /// When the bus cannot be read.
    pub fn tenant_notices(&self) -> Result<Vec<TenantNotice>, BusError> {
        self.inner.bus.tenant_notices()
    }

    /// What AWS would bill beside what is due.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn reconciliation(&self) -> Result<Vec<Reconciled>, app::Error> {
        let invoice = self.inner.simulator.invoice();
        reconcile(&self.inner.store, &invoice, self.now()).await
    }

    /// Everything that is not settled, a sentence each: queued notices, outbox items, dead letters, meters whose due
    /// differs from the invoice.
    pub async fn unsettled(&self) -> Vec<String> {
        settled::unsettled(self, &self.inner.store).await
    }
}
