#![doc = include_str!("../README.md")]

mod commands;
mod config;
mod event;
mod postman;
mod tries;

use app::Clock;
use app::ports::{Deliveries, Postman, WakeUp};
use app::webhooks::announce;
use domain::delivery::EndpointName;
use lambda_shell::batch::{BatchResponse, Failed, each};
use lambda_shell::failure::Failure;
use lambda_shell::logs::Chain;
use lambda_shell::metrics::{self, Metrics};
use serde::Serialize;
use serde_json::Value;

pub use commands::Report;
pub use config::Config;
pub use postman::HttpPostman;

use event::{Message, Trigger};

/// Messages of one batch at work at the same time: one slow endpoint must not hold up the others' news.
const AT_ONCE: usize = 10;

/// What the sender works with.
#[derive(Debug, Clone)]
pub struct Deps<S, P, W> {
    /// Deliveries and endpoints.
    pub store: S,
    /// The way out.
    pub postman: P,
    /// What calls back.
    pub wake_up: W,
    /// The configured endpoints.
    pub endpoints: Vec<EndpointName>,
    /// The time.
    pub clock: Clock,
    /// Where metrics go.
    pub metrics: Metrics,
}

/// An answer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the queue.
    Queue(BatchResponse),
    /// To an operator.
    Report(Report),
}

/// Does what the event asks for.
///
/// # Errors
/// An event of another kind; on schedule or for a command also when the store cannot be reached.
pub async fn handle<S, P, W>(deps: &Deps<S, P, W>, event: Value) -> Result<Answer, Failure>
where
    S: Deliveries + Sync,
    P: Postman + Sync,
    W: WakeUp + Sync,
{
    match Trigger::read(event).map_err(Failure::UnknownEvent)? {
        Trigger::Queue(messages) => {
            let response = each(messages, AT_ONCE, |message| take(deps, message)).await;
            Ok(Answer::Queue(response))
        }
        Trigger::Schedule => {
            tries::all_due(deps).await?;
            Ok(Answer::Queue(BatchResponse::default()))
        }
        Trigger::Command(command) => commands::obey(deps, command).await.map(Answer::Report),
    }
}

/// Takes one message of the queue. A notice comes again until its deliveries are kept; what becomes of them is theirs.
async fn take<S, P, W>(
    deps: &Deps<S, P, W>,
    message: Result<Message, serde_json::Error>,
) -> Result<(), Failed>
where
    S: Deliveries + Sync,
    P: Postman + Sync,
    W: WakeUp + Sync,
{
    let done = match message {
        Err(error) => {
            deps.metrics.emit(deps.clock.now(), &[(metrics::TENANT_NOTICES_FAILED, 1)]);
            tracing::error!(error = %Chain(&error), "a message is no tenant notice; it is left for a human");
            return Err(Failed);
        }
        Ok(Message::Wake) => tries::all_due(deps).await,
        Ok(Message::Notice(notice)) => {
            match announce(&deps.store, &deps.endpoints, &notice, deps.clock.now()).await {
                Ok(new) => tries::each_of(deps, new).await,
                Err(error) => Err(error),
            }
        }
    };
    done.map_err(|error| {
        tracing::error!(error = %Chain(&error), "a message was not dealt with; it comes again");
        Failed
    })
}
