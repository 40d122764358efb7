//! A secret that Secrets Manager keeps: read at the start, read again every five minutes, so that a rotation needs no
//! deployment.
//!
//! The current version signs. The former one (`AWSPREVIOUS`) verifies as well until the rotation window is over, counted
//! from when the current version was put. When Secrets Manager cannot be asked, what was read last stays in force.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::config::{KeptSecret, Secrets, SecretsConfig, list};
use crate::logs::Chain;

/// How old what was read may be.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How long to wait after Secrets Manager could not be asked.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Why there is no secret. Says nothing of what was read.
#[derive(thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not answer.
    #[error("the secret MARKETPLACE_SECRET_ID cannot be read")]
    Unavailable(#[source] Box<SdkError<GetSecretValueError>>),
    /// It keeps something else.
    #[error(
        "the secret MARKETPLACE_SECRET_ID must be text of at least 32 characters, or several separated by commas"
    )]
    Unfit,
}

/// The sentence and its causes: a failing `main` prints its error with `Debug`.
impl fmt::Debug for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

/// What keeps [`Secrets`] up to date.
#[derive(Debug, Clone)]
pub struct Refresher(Option<Arc<Kept>>);

#[derive(Debug)]
struct Kept {
    client: Client,
    secret: KeptSecret,
    secrets: Secrets,
    due: Mutex<Timestamp>,
}

/// Reads the secret for the first time.
///
/// # Errors
/// When Secrets Manager cannot be asked, or what it keeps is no secret: a function without one must not start.
pub async fn open(
    config: SecretsConfig,
    aws: &SdkConfig,
    now: Timestamp,
) -> Result<(Secrets, Refresher), SecretError> {
    match config {
        SecretsConfig::Given(secrets) => Ok((secrets, Refresher(None))),
        SecretsConfig::Kept(secret) => {
            let client = Client::new(aws);
            let secrets = Secrets::of(read(&client, &secret, now).await?);
            let due = Mutex::new(later(now, FRESH));
            let kept = Kept { client, secret, secrets: secrets.clone(), due };
            Ok((secrets, Refresher(Some(Arc::new(kept)))))
        }
    }
}

impl Refresher {
    /// Reads the secret again when what was read is five minutes old.
    pub async fn refresh(&self, now: Timestamp) {
        let Some(kept) = &self.0 else { return };
        if !kept.take_turn(now) {
            return;
        }
        match read(&kept.client, &kept.secret, now).await {
            Ok(secrets) => kept.secrets.replace(secrets),
            Err(error) => {
                kept.set_due(later(now, PAUSE));
                tracing::error!(error = %Chain(&error), "the secret is not refreshed; the last one stays in force");
            }
        }
    }
}

impl Kept {
    /// Whether it is time; the next one is then in five minutes, so that of several requests one goes.
    fn take_turn(&self, now: Timestamp) -> bool {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = *due <= now;
        if turn {
            *due = later(now, FRESH);
        }
        turn
    }

    fn set_due(&self, at: Timestamp) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// Refreshes before a request is served; a layer of the functions that hold a secret.
pub async fn refreshed(
    State(refresher): State<Refresher>,
    request: Request,
    next: Next,
) -> Response {
    refresher.refresh(Timestamp::now()).await;
    next.run(request).await
}

async fn read(
    client: &Client,
    secret: &KeptSecret,
    now: Timestamp,
) -> Result<Vec<SecretString>, SecretError> {
    let unavailable = |error| SecretError::Unavailable(Box::new(error));
    let get = |stage| client.get_secret_value().secret_id(&secret.id).version_stage(stage).send();
    let current = get("AWSCURRENT").await.map_err(unavailable)?;
    let mut secrets = current.secret_string.as_deref().and_then(list).ok_or(SecretError::Unfit)?;
    let put = current.created_date.and_then(|at| Timestamp::from_second(at.secs()).ok());
    if put.is_some_and(|put| later(put, secret.rotation) > now) {
        match get("AWSPREVIOUS").await {
            // What was there before need not be fit; it is believed only if it is.
            Ok(former) => {
                secrets
                    .extend(former.secret_string.as_deref().and_then(list).into_iter().flatten());
            }
            Err(error) if error.as_service_error().is_some_and(is_absent) => {}
            Err(error) => return Err(unavailable(error)),
        }
    }
    Ok(secrets)
}

fn is_absent(error: &GetSecretValueError) -> bool {
    error.is_resource_not_found_exception()
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    domain::time::after(at, by)
}

#[cfg(test)]
mod tests;
