//! DynamoDB in this process: dynoxide behind a loopback port, spoken to by the same SDK client as in AWS, and a count of
//! what was asked of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
};
use aws_sdk_dynamodb::error::BoxError;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Why the database could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file is not a database, or cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// No loopback port.
    #[error("the database cannot be served")]
    Listen(#[from] io::Error),
}

/// How often each DynamoDB operation was asked, retries included. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RoundTrips {
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl RoundTrips {
    /// By operation, e.g. `TransactWriteItems`.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.lock().clone()
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    /// Starts again at nothing.
    pub fn reset(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for RoundTrips {
    fn name(&self) -> &'static str {
        "RoundTrips"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or(target);
        *self.lock().entry(operation.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// A running database.
pub struct Database {
    engine: dynoxide::Database,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database of a file, or a new one in memory, and serves it.
    ///
    /// # Errors
    /// When the file cannot be opened, or there is no port.
    pub async fn start(path: Option<&Path>) -> Result<Self, DatabaseError> {
        let engine = match path {
            Some(path) => dynoxide::Database::new(&path.to_string_lossy()),
            None => dynoxide::Database::memory(),
        };
        Self::serve(engine.map_err(|error| DatabaseError::Open(error.to_string()))?).await
    }

    /// Serves the same data on another port; for a reader in another runtime.
    pub(crate) async fn serve(engine: dynoxide::Database) -> Result<Self, DatabaseError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let data = engine.clone();
        let server = tokio::spawn(async move {
            let shutdown = async {
                // Asked to stop, or dropped: the same.
                let _ = stopped.await;
            };
            if let Err(error) =
                dynoxide::server::serve_with_shutdown(listener, data, shutdown).await
            {
                tracing::error!(%error, "the database stopped");
            }
        });
        Ok(Self { engine, address, stop: Some(stop), server: Some(server) })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The data, without the network.
    pub(crate) fn engine(&self) -> &dynoxide::Database {
        &self.engine
    }

    /// A client for it, counted by `round_trips`.
    pub fn client(&self, round_trips: &RoundTrips) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.endpoint())
            .credentials_provider(Credentials::for_tests())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .interceptor(round_trips.clone())
            .build();
        Client::from_conf(config)
    }

    /// Stops serving; requests under way are finished first.
    pub async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have stopped by itself.
            let _ = stop.send(());
        }
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }
}
