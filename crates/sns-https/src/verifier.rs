//! The checks, in their order.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guarded_http::{Client, RequestError};
use jiff::{SignedDuration, Timestamp};

use crate::certificate::{Chain, Roots, Version, fits};
use crate::envelope::{Delivery, Envelope, Kind, need};
use crate::error::SnsError;
use crate::shelf::{Known, Shelf};
use crate::urls::Hosts;

/// How old a message may be. SNS gives up after an hour unless told otherwise.
pub const OLDEST: SignedDuration = SignedDuration::from_hours(24);

/// How far ahead of ours SNS's clock may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Issuers between a leaf and its root.
const MOST_ISSUERS: usize = 3;

/// What is believed.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The ARNs of the topics whose messages are wanted.
    pub topics: Vec<String>,
    /// Whose URLs are visited.
    pub hosts: Hosts,
    /// Who may issue the certificate.
    pub roots: Roots,
}

/// Judges messages. Clones share the certificates they have fetched.
#[derive(Debug, Clone)]
pub struct Verifier {
    rules: Arc<Rules>,
    shelf: Arc<Shelf>,
    client: Client,
}

impl Verifier {
    /// A verifier that goes out through `client`.
    pub fn new(rules: Rules, client: Client) -> Self {
        Self { rules: Arc::new(rules), shelf: Arc::default(), client }
    }

    /// Judges a body that arrived at `now`.
    ///
    /// # Errors
    /// The check that failed. Only [`SnsError::Unavailable`] may pass by itself.
    pub async fn verify(&self, raw: &[u8], now: Timestamp) -> Result<Delivery, SnsError> {
        let envelope = Envelope::read(raw)?;
        let topic = need(envelope.topic_arn.as_ref(), "TopicArn")?;
        if !self.rules.topics.iter().any(|allowed| allowed == topic) {
            return Err(SnsError::UnknownTopic);
        }
        let version = match need(envelope.signature_version.as_ref(), "SignatureVersion")? {
            "1" => Version::One,
            "2" => Version::Two,
            _ => return Err(SnsError::UnknownVersion),
        };
        let url = need(envelope.signing_cert_url.as_ref(), "SigningCertURL")?;
        if !self.rules.hosts.may_fetch(url, topic) {
            return Err(SnsError::ForeignUrl("SigningCertURL"));
        }
        let subscribe_url = envelope.subscribe_url.as_deref();
        if envelope.kind == Kind::SubscriptionConfirmation
            && !subscribe_url.is_some_and(|url| self.rules.hosts.may_confirm(url, topic))
        {
            return Err(SnsError::ForeignUrl("SubscribeURL"));
        }
        is_fresh(need(envelope.timestamp.as_ref(), "Timestamp")?, now)?;
        let signature = need(envelope.signature.as_ref(), "Signature")?;
        let signature = STANDARD.decode(signature).map_err(|_| SnsError::Malformed("Signature"))?;
        let to_sign = envelope.string_to_sign()?;

        let names = self.rules.hosts.names(topic);
        let chain = self.chain(url, &names, now).await?;
        let leaf = chain.check(&self.rules.roots, &names, now).map_err(untrusted)?;
        if !fits(&leaf, version, to_sign.as_bytes(), &signature) {
            return Err(SnsError::NoMatch);
        }
        Ok(Delivery {
            kind: envelope.kind,
            message_id: need(envelope.message_id.as_ref(), "MessageId")?.to_owned(),
            topic: topic.to_owned(),
            subscribe_url: envelope
                .subscribe_url
                .filter(|_| envelope.kind == Kind::SubscriptionConfirmation),
        })
    }

    /// Confirms the subscription that a believed message asks about; another message needs nothing. Doing it again
    /// changes nothing.
    ///
    /// # Errors
    /// When SNS cannot be reached or does not accept it.
    pub async fn confirm(&self, delivery: &Delivery) -> Result<(), SnsError> {
        let Some(url) = &delivery.subscribe_url else { return Ok(()) };
        let answer = self.client.get(url).await.map_err(unavailable)?;
        if answer.status == http::StatusCode::OK {
            Ok(())
        } else {
            Err(SnsError::Unavailable(format!("SNS answered {}", answer.status).into()))
        }
    }

    /// The chain behind a URL that was judged already.
    async fn chain(
        &self,
        url: &str,
        names: &[String],
        now: Timestamp,
    ) -> Result<Arc<Chain>, SnsError> {
        match self.shelf.get(url, now) {
            Some(Known::Good(chain)) => return Ok(chain),
            Some(Known::Bad) => {
                return Err(SnsError::Untrusted("it was of no use a minute ago".into()));
            }
            None => {}
        }
        match self.fetch_chain(url, names, now).await {
            Ok(chain) => {
                let chain = Arc::new(chain);
                self.shelf.put(url, Known::Good(chain.clone()), now);
                Ok(chain)
            }
            Err(error) => {
                if matches!(error, SnsError::Untrusted(_)) {
                    self.shelf.put(url, Known::Bad, now);
                }
                Err(error)
            }
        }
    }

    /// Fetches a certificate, and its issuers where it came without them.
    async fn fetch_chain(
        &self,
        url: &str,
        names: &[String],
        now: Timestamp,
    ) -> Result<Chain, SnsError> {
        let mut chain = Chain::read(&self.fetch(url).await?)?;
        for _ in 0..MOST_ISSUERS {
            match chain.check(&self.rules.roots, names, now).map(|_| ()) {
                Err(webpki::Error::UnknownIssuer) => {}
                judged => return judged.map(|()| chain).map_err(untrusted),
            }
            let issuer = chain.issuer_url().filter(|url| self.rules.hosts.may_fetch_issuer(url));
            match issuer {
                Some(issuer) => chain.push(self.fetch(&issuer).await?),
                None => break,
            }
        }
        chain.check(&self.rules.roots, names, now).map(|_| ()).map_err(untrusted)?;
        Ok(chain)
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, SnsError> {
        let answer = self.client.get(url).await.map_err(unavailable)?;
        if answer.status.is_success() {
            Ok(answer.body.to_vec())
        } else if answer.status.is_server_error() {
            Err(SnsError::Unavailable(format!("it answered {}", answer.status).into()))
        } else {
            Err(SnsError::Untrusted(format!("its address answered {}", answer.status).into()))
        }
    }
}

fn is_fresh(timestamp: &str, now: Timestamp) -> Result<(), SnsError> {
    let signed: Timestamp = timestamp.parse().map_err(|_| SnsError::Malformed("Timestamp"))?;
    let age = now.duration_since(signed);
    if age > OLDEST || age < -AHEAD { Err(SnsError::Stale) } else { Ok(()) }
}

fn untrusted(error: webpki::Error) -> SnsError {
    SnsError::Untrusted(error.into())
}

fn unavailable(error: RequestError) -> SnsError {
    match error {
        RequestError::Refused(_) | RequestError::TooLarge(_) => SnsError::Untrusted(error.into()),
        RequestError::TooSlow(_) | RequestError::Unreachable(_) => {
            SnsError::Unavailable(error.into())
        }
    }
}
