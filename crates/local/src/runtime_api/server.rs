//! The Runtime API itself.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};

/// What a function tells of its failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{error_type}: {error_message}")]
pub struct Failure {
    /// Its kind, stable.
    pub error_type: String,
    /// What happened.
    pub error_message: String,
}

/// Why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function answered with an error.
    #[error("the function failed")]
    Failed(#[source] Failure),
    /// The function gave up before its first poll.
    #[error("the function failed to initialise")]
    Init(#[source] Failure),
    /// The answer is not JSON.
    #[error("the function's answer is not JSON")]
    Answer(#[from] serde_json::Error),
    /// The time is over.
    #[error("the function did not answer in time")]
    TimedOut,
    /// The process is gone.
    #[error("the function's process ended: {0}")]
    Exited(String),
}

type Answer = Result<Bytes, Failure>;

struct Invocation {
    event: Bytes,
    deadline: Duration,
    answer: oneshot::Sender<Answer>,
}

/// The longest timeout that Lambda lets a function have.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(15);

struct Shared {
    waiting: AsyncMutex<mpsc::Receiver<Invocation>>,
    running: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    init_failure: watch::Sender<Option<Failure>>,
    polls: watch::Sender<u64>,
}

/// A Runtime API on a loopback port of its own. Dropping it stops it.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<Invocation>,
    init_failure: watch::Receiver<Option<Failure>>,
    polls: watch::Receiver<u64>,
    server: tokio::task::JoinHandle<()>,
}

impl RuntimeApi {
    /// Starts one.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (invocations, waiting) = mpsc::channel(1);
        let (failed, init_failure) = watch::channel(None);
        let (polled, polls) = watch::channel(0);
        let shared = Arc::new(Shared {
            waiting: AsyncMutex::new(waiting),
            running: Mutex::new(None),
            init_failure: failed,
            polls: polled,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
            .route("/2018-06-01/runtime/init/error", post(fail_init))
            .with_state(shared);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the runtime API stopped");
            }
        });
        Ok(Self { address, invocations, init_failure, polls, server })
    }

    /// What the function finds in `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the function's first request for work, which is when its initialisation is over.
    ///
    /// # Errors
    /// When initialisation fails or takes longer than `patience`.
    pub async fn ready(&self, patience: Duration) -> Result<(), InvokeError> {
        let mut polls = self.polls.clone();
        let polled = async { polls.wait_for(|polls| *polls > 0).await.is_ok() };
        tokio::select! {
            failure = self.init_failed() => Err(InvokeError::Init(failure)),
            ready = tokio::time::timeout(patience, polled) => match ready {
                Ok(true) => Ok(()),
                Ok(false) | Err(_) => Err(InvokeError::TimedOut),
            },
        }
    }

    /// Hands an event to the function and waits for its answer.
    ///
    /// # Errors
    /// When the function fails, fails to initialise, answers something else than JSON, or takes longer than
    /// `patience`. The function is told Lambda's longest deadline, so that none refuses work for want of time.
    pub async fn invoke(&self, event: &Value, patience: Duration) -> Result<Value, InvokeError> {
        let (answer, answered) = oneshot::channel();
        let event = Bytes::from(serde_json::to_vec(event)?);
        let invocation = Invocation { event, deadline: deadline(), answer };
        let answered = async {
            self.invocations.send(invocation).await.ok()?;
            answered.await.ok()
        };
        tokio::select! {
            failure = self.init_failed() => Err(InvokeError::Init(failure)),
            answer = tokio::time::timeout(patience, answered) => match answer {
                Ok(Some(Ok(answer))) => Ok(serde_json::from_slice(&answer)?),
                Ok(Some(Err(failure))) => Err(InvokeError::Failed(failure)),
                Ok(None) | Err(_) => Err(InvokeError::TimedOut),
            },
        }
    }

    async fn init_failed(&self) -> Failure {
        let mut failures = self.init_failure.clone();
        loop {
            if let Some(failure) = failures.borrow_and_update().clone() {
                return failure;
            }
            if failures.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn deadline() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(LONGEST_TIMEOUT)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.polls.send_modify(|polls| *polls = polls.saturating_add(1));
    let Some(invocation) = shared.waiting.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let id = uuid::Uuid::new_v4().to_string();
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("lambda-runtime-aws-request-id", &id);
    put("lambda-runtime-deadline-ms", &invocation.deadline.as_millis().to_string());
    put(
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:us-east-1:444455556666:function:local",
    );
    put("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0");
    put("content-type", "application/json");
    *shared.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, invocation.answer));
    (headers, invocation.event).into_response()
}

async fn respond(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    shared.answer(&id, Ok(body))
}

async fn fail(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    shared.answer(&id, Err(failure(&body)))
}

async fn fail_init(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    shared.init_failure.send_replace(Some(failure(&body)));
    StatusCode::ACCEPTED
}

fn failure(body: &[u8]) -> Failure {
    serde_json::from_slice(body).unwrap_or_else(|_| Failure {
        error_type: "Unreadable".to_owned(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}

impl Shared {
    /// Hands the answer of the running invocation over; an answer to another is refused, as Lambda does.
    fn answer(&self, id: &str, answer: Answer) -> StatusCode {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.take() {
            Some((expected, sender)) if expected == id => {
                // Nobody waits any more when the time was over.
                let _ = sender.send(answer);
                StatusCode::ACCEPTED
            }
            other => {
                *running = other;
                StatusCode::BAD_REQUEST
            }
        }
    }
}
