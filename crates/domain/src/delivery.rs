//! Deliveries of tenant notices to webhook endpoints: when each is tried, and when an endpoint is left alone.
//!
//! A delivery is claimed before it is tried. The claim counts the try and keeps others away for a while; whoever dies
//! with a claim leaves a delivery that is due again when the claim runs out, and is then sent again with the same id.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::subscription::TenantNotice;
use crate::time::after;

/// What passes between two tries, as Standard Webhooks recommends: three days in all.
pub const RETRIES: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// Longest wait that an endpoint may ask for: the longest of our own.
pub const LONGEST_PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// How long a claim keeps others away: longer than a try may take.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(1);

/// An endpoint that failed so often in a row, …
pub const FAILURES_TO_PAUSE: u32 = 20;

/// … and for so long, is paused.
pub const FAILING_TO_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// An endpoint's name in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointName(String);

/// No name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint's name has 1 to 40 lower-case letters, digits and hyphens")]
pub struct InvalidEndpointName;

impl EndpointName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointName {
    type Err = InvalidEndpointName;

    fn from_str(text: &str) -> Result<Self, InvalidEndpointName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=40).contains(&text.len()) && text.chars().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidEndpointName) }
    }
}

impl TryFrom<String> for EndpointName {
    type Error = InvalidEndpointName;

    fn try_from(text: String) -> Result<Self, InvalidEndpointName> {
        text.parse()
    }
}

impl From<EndpointName> for String {
    fn from(name: EndpointName) -> Self {
        name.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum DeliveryState {
    /// It is tried when it is due.
    Waiting {
        /// When.
        due: Timestamp,
    },
    /// Its endpoint is paused.
    Held,
    /// The endpoint took it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It was tried for three days in vain.
    GivenUp {
        /// When.
        at: Timestamp,
    },
}

/// One notice on its way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Where to.
    pub endpoint: EndpointName,
    /// The message's id: the same at every try and every replay, and for every endpoint.
    pub id: String,
    /// When what it tells of happened.
    pub at: Timestamp,
    /// What is posted.
    pub body: String,
    /// Tries since it was made or last replayed.
    pub tries: u32,
    /// Where it stands.
    pub state: DeliveryState,
    /// What became of the last try, in a few words.
    pub last: Option<String>,
    /// How many writes it has seen; guards every write.
    pub revision: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    timestamp: Timestamp,
    data: &'a TenantNotice,
}

impl Delivery {
    /// A delivery of a notice, due at once. The id follows from the body, so that a notice that comes twice makes one
    /// delivery.
    ///
    /// # Errors
    /// Never for our notices: they can all be written as JSON.
    pub fn of(
        notice: &TenantNotice,
        endpoint: EndpointName,
        now: Timestamp,
    ) -> Result<Self, serde_json::Error> {
        let kind = format!("tenant.{}", notice.kind.as_str());
        let body =
            serde_json::to_string(&Body { r#type: kind, timestamp: notice.at, data: notice })?;
        let digest = hex::encode(Sha256::digest(body.as_bytes()));
        let id = format!("msg_{}", digest.get(..32).unwrap_or(&digest));
        let state = DeliveryState::Waiting { due: now };
        Ok(Self { endpoint, id, at: notice.at, body, tries: 0, state, last: None, revision: 1 })
    }

    /// When it is to be tried.
    pub fn due(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Waiting { due } => Some(due),
            DeliveryState::Held
            | DeliveryState::Delivered { .. }
            | DeliveryState::GivenUp { .. } => None,
        }
    }

    /// Claims it for one try; `None` when it is not due. The claim is written before anything is sent.
    #[must_use]
    pub fn claimed(&self, now: Timestamp) -> Option<Self> {
        self.due().filter(|due| *due <= now)?;
        let state = DeliveryState::Waiting { due: after(now, CLAIM) };
        Some(Self { tries: self.tries.saturating_add(1), ..self.in_state(state) })
    }

    /// The endpoint took it.
    #[must_use]
    pub fn delivered(&self, now: Timestamp, told: String) -> Self {
        Self { last: Some(told), ..self.in_state(DeliveryState::Delivered { at: now }) }
    }

    /// The try was in vain. `patience` is how long the endpoint wants to be left alone: it makes a wait longer, never
    /// shorter and never longer than [`LONGEST_PATIENCE`], and gives no further try.
    #[must_use]
    pub fn failed(&self, now: Timestamp, told: String, patience: Option<SignedDuration>) -> Self {
        let tried = usize::try_from(self.tries).unwrap_or(usize::MAX);
        let state = match RETRIES.get(tried.saturating_sub(1)) {
            Some(wait) => {
                let wanted = patience.unwrap_or(*wait).min(LONGEST_PATIENCE);
                DeliveryState::Waiting { due: after(now, wanted.max(*wait)) }
            }
            None => DeliveryState::GivenUp { at: now },
        };
        Self { last: Some(told), ..self.in_state(state) }
    }

    /// Its endpoint is paused; the try that found this out is not counted.
    #[must_use]
    pub fn held(&self) -> Self {
        Self { tries: self.tries.saturating_sub(1), ..self.in_state(DeliveryState::Held) }
    }

    /// To be sent from the beginning, whatever became of it.
    #[must_use]
    pub fn again(&self, now: Timestamp) -> Self {
        Self { tries: 0, ..self.in_state(DeliveryState::Waiting { due: now }) }
    }

    fn in_state(&self, state: DeliveryState) -> Self {
        Self { state, revision: self.revision.saturating_add(1), ..self.clone() }
    }
}

/// How an endpoint does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointHealth {
    /// Which.
    pub endpoint: EndpointName,
    /// Tries in a row that were in vain.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// Since when nothing is sent, until somebody resumes it.
    pub paused_since: Option<Timestamp>,
    /// How many writes it has seen; 0 was never written.
    pub revision: u64,
}

impl EndpointHealth {
    /// Of an endpoint that was never heard of.
    pub fn unknown(endpoint: EndpointName) -> Self {
        Self { endpoint, failures: 0, failing_since: None, paused_since: None, revision: 0 }
    }

    /// Whether nothing is sent there.
    pub fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    /// After a success; `None` when that changes nothing.
    #[must_use]
    pub fn succeeded(&self) -> Option<Self> {
        (self.failures > 0).then(|| Self {
            failures: 0,
            failing_since: None,
            revision: self.revision.saturating_add(1),
            ..self.clone()
        })
    }

    /// After a failure. `gone`: the endpoint says that it wants nothing more.
    #[must_use]
    pub fn failed(&self, now: Timestamp, gone: bool) -> Self {
        let failures = self.failures.saturating_add(1);
        let since = self.failing_since.unwrap_or(now);
        let long = now.duration_since(since) >= FAILING_TO_PAUSE;
        let pause = gone || (failures >= FAILURES_TO_PAUSE && long);
        Self {
            failures,
            failing_since: Some(since),
            paused_since: self.paused_since.or(pause.then_some(now)),
            revision: self.revision.saturating_add(1),
            ..self.clone()
        }
    }

    /// Somebody looked at it: begin anew.
    #[must_use]
    pub fn resumed(&self) -> Self {
        Self {
            failures: 0,
            failing_since: None,
            paused_since: None,
            revision: self.revision.saturating_add(1),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::subscription::TenantNoticeKind;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn notice(revision: u64) -> TenantNotice {
        TenantNotice {
            subscription_id: "sub_00000000000000000000000000000001".parse().unwrap(),
            revision,
            at: at("2026-11-24T07:00:00Z"),
            kind: TenantNoticeKind::Provision,
            tenant_id: None,
            plan: None,
            features: BTreeSet::new(),
        }
    }

    fn delivery() -> Delivery {
        Delivery::of(&notice(2), "crm".parse().unwrap(), at("2026-11-24T08:00:00Z")).unwrap()
    }

    #[test]
    fn a_notice_has_one_id_however_often_it_comes_and_another_notice_another() {
        let later = Delivery::of(&notice(2), "erp".parse().unwrap(), at("2026-12-01T00:00:00Z"));
        assert_eq!(later.unwrap().id, delivery().id);
        let other = Delivery::of(&notice(3), "crm".parse().unwrap(), at("2026-11-24T08:00:00Z"));
        assert_ne!(other.unwrap().id, delivery().id);
        let body: serde_json::Value = serde_json::from_str(&delivery().body).unwrap();
        assert_eq!(
            (&body["type"], &body["data"]["revision"]),
            (&"tenant.provision".into(), &2.into())
        );
    }

    #[test]
    fn it_is_tried_ten_times_over_three_days_and_then_given_up() {
        let mut delivery = delivery();
        let began = delivery.due().unwrap();
        let mut waits = Vec::new();
        for _ in 0..20 {
            let Some(due) = delivery.due() else { break };
            let claimed = delivery.claimed(due).unwrap();
            assert_eq!(claimed.claimed(due), None, "a claim keeps others away");
            delivery = claimed.failed(due, "503".into(), None);
            waits.extend(delivery.due().map(|next| next.duration_since(due)));
        }
        assert_eq!(waits, RETRIES);
        assert_eq!(delivery.tries, 10);
        let DeliveryState::GivenUp { at } = delivery.state else { panic!("{delivery:?}") };
        let days = at.duration_since(began).as_hours() / 24;
        assert_eq!(days, 3);
    }

    #[test]
    fn an_endpoint_may_ask_for_a_longer_wait_up_to_a_day_and_for_no_further_try() {
        let now = at("2026-11-24T08:00:00Z");
        let claimed = delivery().claimed(now).unwrap();
        let waits = |asked: SignedDuration| {
            let failed = claimed.failed(now, "429".into(), Some(asked));
            failed.due().unwrap().duration_since(now)
        };
        assert_eq!(waits(SignedDuration::from_mins(7)), SignedDuration::from_mins(7));
        assert_eq!(waits(SignedDuration::ZERO), RETRIES[0], "never sooner than our own");
        assert_eq!(waits(SignedDuration::from_hours(9_000)), LONGEST_PATIENCE);
        let last = Delivery { tries: 10, ..claimed.clone() };
        let over = last.failed(now, "429".into(), Some(SignedDuration::from_mins(7)));
        assert_eq!(over.state, DeliveryState::GivenUp { at: now });
    }

    #[test]
    fn a_claim_that_nobody_concluded_runs_out_and_counts() {
        let now = at("2026-11-24T08:00:00Z");
        let claimed = delivery().claimed(now).unwrap();
        assert_eq!(claimed.claimed(now + SignedDuration::from_secs(59)), None);
        let again = claimed.claimed(now + CLAIM).unwrap();
        assert_eq!((again.tries, again.id == claimed.id), (2, true));
    }

    #[test]
    fn an_endpoint_is_paused_after_many_failures_over_an_hour_or_when_it_is_gone() {
        let began = at("2026-11-24T08:00:00Z");
        let mut health = EndpointHealth::unknown("crm".parse().unwrap());
        for _ in 0..30 {
            health = health.failed(began, false);
        }
        assert!(!health.is_paused(), "many at once are one outage");
        let later = began + FAILING_TO_PAUSE;
        assert!(health.failed(later, false).is_paused());
        let recovered = health.succeeded().unwrap();
        assert!(!recovered.failed(later, false).is_paused(), "a success begins anew");
        assert_eq!(recovered.succeeded(), None);
        let gone = recovered.failed(later, true);
        assert!(gone.is_paused() && !gone.resumed().is_paused());
    }

    #[test]
    fn held_deliveries_lose_no_try_and_replayed_ones_begin_anew() {
        let now = at("2026-11-24T08:00:00Z");
        let claimed = delivery().claimed(now).unwrap();
        assert_eq!(claimed.held().tries, 0);
        assert_eq!(claimed.held().due(), None);
        let again = claimed.delivered(now, "200".into()).again(now);
        assert_eq!((again.due(), again.tries), (Some(now), 0));
    }
}
