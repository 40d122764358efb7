//! The client: what is reported goes to the spool, and from there to the API.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tokio::sync::Notify;

use crate::answer::{Fate, Trouble, Verdict, read};
use crate::event::OnTheWire;
use crate::pause::pause;
use crate::spool::{Spool, SpoolError};
use crate::{Event, Options, Refused};

/// Most events in one request.
const LARGEST_BATCH: usize = 100;

/// Reports usage so that nothing is lost on the way. Clones share one spool.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    http: reqwest::Client,
    spool: Mutex<Spool>,
    reported: Notify,
    /// One delivery at a time, so that nothing is sent twice at once.
    delivering: tokio::sync::Mutex<()>,
}

/// What one round of delivery came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Events that are now counted.
    pub accepted: u64,
    /// Events that were counted before.
    pub duplicate: u64,
    /// Events that will never be counted; each was told.
    pub refused: u64,
    /// Events that still wait.
    pub waiting: usize,
    /// Why they do.
    pub trouble: Option<Trouble>,
}

/// Events of one subscription, and their numbers in the spool.
type Batch = Vec<(u64, Event)>;

impl Client {
    /// Opens the spool; what waits in it is delivered with the rest. TLS is that of the HTTP client.
    ///
    /// # Errors
    /// When the spool cannot be opened, or another process has it.
    pub fn open(options: Options, http: reqwest::Client) -> Result<Self, SpoolError> {
        let spool = Mutex::new(Spool::open(&options.spool, options.spool_limit)?);
        let delivering = tokio::sync::Mutex::new(());
        let shared = Shared { options, http, spool, reported: Notify::new(), delivering };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Takes events, all or none. They are on disk when this returns.
    ///
    /// # Errors
    /// When the spool is full or the disk fails: nothing was taken.
    pub async fn report(&self, events: &[Event]) -> Result<(), SpoolError> {
        let (shared, events) = (self.shared.clone(), events.to_vec());
        let taken = tokio::task::spawn_blocking(move || shared.spool().take(&events)).await;
        taken.map_err(|error| SpoolError::Io(error.into()))??;
        self.shared.reported.notify_one();
        Ok(())
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.shared.spool().waiting().len()
    }

    /// How many lines of the spool were damaged when it was opened: events that are lost.
    pub fn damaged(&self) -> u64 {
        self.shared.spool().damaged()
    }

    /// Delivers what waits until nothing does or there is trouble. Each event that will never be counted is told, and
    /// only then forgotten: after a crash in between it is told again.
    pub async fn deliver(&self, mut refused: impl FnMut(Refused)) -> Round {
        let _one = self.shared.delivering.lock().await;
        let mut round = Round::default();
        while let Some(batch) = self.next_batch() {
            let mut parts = vec![batch];
            while let Some(part) = parts.pop() {
                let verdict = self.send(&part).await;
                match self.settle(part, verdict, &mut round, &mut refused) {
                    Ok(again) => parts.extend(again),
                    Err(trouble) => {
                        round.trouble = Some(trouble);
                        round.waiting = self.waiting();
                        return round;
                    }
                }
            }
        }
        round
    }

    /// Delivers for ever: at once what is reported, after a pause what could not be delivered.
    pub async fn run(&self, mut refused: impl FnMut(Refused)) {
        let options = &self.shared.options;
        let mut failures = 0_u32;
        loop {
            let round = self.deliver(&mut refused).await;
            let Some(trouble) = round.trouble else {
                failures = 0;
                self.shared.reported.notified().await;
                continue;
            };
            failures = if round.accepted > 0 { 1 } else { failures.saturating_add(1) };
            let asked = match &trouble {
                Trouble::Later { after, .. } => *after,
                Trouble::NoAnswer(_) | Trouble::Token { .. } => None,
            };
            let wait = pause(failures, options.first_pause, options.longest_pause, asked);
            let seconds = wait.as_secs();
            tracing::warn!(%trouble, waiting = round.waiting, seconds, "usage waits in the spool");
            tokio::time::sleep(wait).await;
        }
    }

    /// The oldest event and others of its subscription.
    fn next_batch(&self) -> Option<Batch> {
        let spool = self.shared.spool();
        let (_, first) = spool.waiting().first_key_value()?;
        let same = spool.waiting().iter().filter(|(_, it)| it.subscription == first.subscription);
        Some(same.take(LARGEST_BATCH).map(|(number, event)| (*number, event.clone())).collect())
    }

    async fn send(&self, batch: &Batch) -> Verdict {
        let Some((_, first)) = batch.first() else { return Verdict::Each(Vec::new(), None) };
        let options = &self.shared.options;
        // A subscription's id is a part of the path and must stay one.
        let subscription = path_part(&first.subscription);
        let url = format!("{}/marketplace/subscriptions/{subscription}/meter", options.url);
        let events: Vec<OnTheWire<'_>> = batch.iter().map(|(_, event)| event.into()).collect();
        let keys: Vec<&str> = batch.iter().map(|(_, event)| event.key.as_str()).collect();
        let request = self.shared.http.post(url).timeout(options.timeout);
        let request = request.bearer_auth((options.token)()).json(&json!({ "events": events }));
        match answer(request).await {
            Ok((status, headers, body)) => read(status, &headers, &body, &keys),
            Err(error) => Verdict::Later(Trouble::NoAnswer(error.without_url().to_string())),
        }
    }

    /// Books what became of a batch, and answers what is to be sent again at once, in smaller parts.
    fn settle(
        &self,
        batch: Batch,
        verdict: Verdict,
        round: &mut Round,
        tell: &mut impl FnMut(Refused),
    ) -> Result<Vec<Batch>, Trouble> {
        let (fates, trouble) = match verdict {
            Verdict::Later(trouble) => return Err(trouble),
            // Nothing of this subscription will be taken, so there is no event to be found.
            Verdict::Whole { code, detail } if code == "unknown_subscription" => {
                (vec![Fate::Refused { code, detail }; batch.len()], None)
            }
            Verdict::Whole { .. } if batch.len() > 1 => {
                let mut first = batch;
                let second = first.split_off(first.len().div_ceil(2));
                return Ok(vec![second, first]);
            }
            Verdict::Whole { code, detail } => (vec![Fate::Refused { code, detail }], None),
            Verdict::Each(fates, trouble) => (fates, trouble),
        };
        let mut done = BTreeSet::new();
        let mut again = false;
        for ((number, event), fate) in batch.into_iter().zip(fates) {
            let counter = match fate {
                Fate::Accepted => &mut round.accepted,
                Fate::Duplicate => &mut round.duplicate,
                Fate::Refused { code, detail } => {
                    tell(Refused { event, code, detail });
                    &mut round.refused
                }
                Fate::Again => {
                    again = true;
                    continue;
                }
            };
            *counter = counter.saturating_add(1);
            done.insert(number);
        }
        if let Err(error) = self.shared.spool().done(&done) {
            // They are sent again and found to be duplicates.
            tracing::error!(%error, "the spool did not take what is done");
            return Err(Trouble::NoAnswer(error.to_string()));
        }
        match trouble {
            Some(trouble) => Err(trouble),
            None if again => {
                Err(Trouble::NoAnswer("some events were not answered for good".to_owned()))
            }
            None => Ok(Vec::new()),
        }
    }
}

impl Shared {
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(
    request: reqwest::RequestBuilder,
) -> Result<(reqwest::StatusCode, reqwest::header::HeaderMap, Vec<u8>), reqwest::Error> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok((status, headers, answer.bytes().await?.to_vec()))
}

/// Whatever is not plainly a part of a path is percent-encoded.
fn path_part(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
