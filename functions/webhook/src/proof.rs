//! Who sent a request: one of three proofs, told apart by their headers. Claiming another proof gains nothing, since each
//! must hold by itself.

use std::error::Error;
use std::time::Duration;

use guarded_http::{Client, Limits, Networks};
use http::HeaderMap;
use jiff::Timestamp;
use lambda_shell::config::SnsTopics;
use lambda_shell::logs::Chain;
use lambda_shell::metrics;
use lambda_shell::problem::Problem;
use lambda_shell::signature::{self, standard};
use sns_https::{Delivery, Hosts, Kind, Roots, Rules, SnsError, Verifier};

use crate::Deps;
use crate::body::Body;

/// The header by which SNS's deliveries are known.
const SNS_HEADER: &str = "x-amz-sns-message-type";

/// SNS waits 15 seconds for us; a certificate, an issuer and a confirmation must fit.
const LIMITS: Limits = Limits { time: Duration::from_secs(4), body: 64 * 1024 };

/// Whose secret proved a request.
#[derive(Debug)]
pub(crate) enum Proved {
    /// One that we share with the sender.
    Shared,
    /// SNS's.
    Sns(Delivery),
}

/// TLS cannot be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("messages of SNS cannot be judged")]
pub struct CannotJudge(#[source] Box<dyn Error + Send + Sync>);

/// What judges messages of SNS where these topics may deliver; `None` for no topics.
///
/// # Errors
/// When the operating system has no trusted roots.
pub fn from_aws(topics: SnsTopics) -> Result<Option<Verifier>, CannotJudge> {
    let SnsTopics(topics) = topics;
    if topics.is_empty() {
        return Ok(None);
    }
    let roots = Roots::system().map_err(|error| CannotJudge(error.into()))?;
    let client =
        Client::new(Networks::PublicOrPlain, LIMITS).map_err(|error| CannotJudge(error.into()))?;
    Ok(Some(Verifier::new(Rules { topics, hosts: Hosts::Aws, roots }, client)))
}

/// Checks the proof over the raw body.
///
/// # Errors
/// 401 for a proof that fails, 400 for an envelope of SNS that cannot be read, 503 when SNS's certificate cannot be had.
pub(crate) async fn prove<S, A>(
    deps: &Deps<S, A>,
    headers: &HeaderMap,
    raw: &[u8],
    now: Timestamp,
) -> Result<Proved, Problem> {
    let refused = |code: &'static str, why: &dyn std::fmt::Display| {
        tracing::warn!(reason = code, "a webhook request was not believed");
        deps.metrics.emit_by(now, metrics::WEBHOOK_REJECTED, code, 1);
        Problem::unauthorized(code, format!("The request is not believed: {why}."))
    };
    if headers.contains_key(SNS_HEADER) {
        let Some(verifier) = &deps.sns else {
            return Err(refused("unknown_topic", &"no topic of SNS is allowed to deliver here"));
        };
        return match verifier.verify(raw, now).await {
            Ok(delivery) => Ok(Proved::Sns(delivery)),
            Err(error @ SnsError::Unavailable(_)) => Err(unavailable(&error)),
            Err(error @ SnsError::Unreadable(_)) => {
                let problem = refused(error.code(), &error);
                Err(Problem { status: http::StatusCode::BAD_REQUEST, ..problem })
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "a message of SNS was not believed");
                Err(refused(error.code(), &error))
            }
        };
    }
    let proved = if standard::is_claimed(headers) {
        standard::verify(&deps.secrets, headers, raw, now)
    } else {
        signature::verify(&deps.secrets, headers, raw, now)
    };
    proved.map(|()| Proved::Shared).map_err(|error| refused(error.code(), &error))
}

/// What a believed message of SNS is; a subscription is confirmed on the way.
///
/// # Errors
/// 400 for a message that is not the marketplace's, 503 when the confirmation does not reach SNS.
pub(crate) async fn from_sns<S, A>(
    deps: &Deps<S, A>,
    raw: &[u8],
    delivery: &Delivery,
) -> Result<Body, Problem> {
    match delivery.kind {
        Kind::Notification => Body::of_sns(raw),
        Kind::SubscriptionConfirmation => {
            if let Some(verifier) = &deps.sns {
                verifier.confirm(delivery).await.map_err(|error| unavailable(&error))?;
            }
            tracing::info!(sns.topic = delivery.topic, "confirmed a subscription to a topic");
            Ok(Body::Handshake("confirmed"))
        }
        Kind::UnsubscribeConfirmation => {
            tracing::error!(
                sns.topic = delivery.topic,
                "a topic delivers here no more; subscribe again unless that was meant"
            );
            Ok(Body::Handshake("unsubscribed"))
        }
    }
}

fn unavailable(error: &SnsError) -> Problem {
    tracing::error!(error = %Chain(error), "SNS cannot be asked; the message comes again");
    Problem::unavailable()
}
