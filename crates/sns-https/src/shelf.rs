//! Certificates by their URL: what was good is kept for a day, what was not is left alone for a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::certificate::Chain;

const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_mins(1);

/// SNS has a handful; whoever makes up URLs must not fill the memory.
const MOST: usize = 64;

/// What is known of a URL.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Good(Arc<Chain>),
    Bad,
}

#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<HashMap<String, (Timestamp, Known)>>);

impl Shelf {
    pub(crate) fn get(&self, url: &str, now: Timestamp) -> Option<Known> {
        let held = self.held();
        let (until, known) = held.get(url)?;
        (now < *until).then(|| known.clone())
    }

    pub(crate) fn put(&self, url: &str, known: Known, now: Timestamp) {
        let kept = match known {
            Known::Good(_) => GOOD_FOR,
            Known::Bad => LEFT_ALONE_FOR,
        };
        let mut held = self.held();
        if held.len() >= MOST {
            held.retain(|_, (until, _)| now < *until);
        }
        if held.len() >= MOST {
            // Bad ones make room first; they are the cheap ones to make.
            held.retain(|_, (_, known)| matches!(known, Known::Good(_)));
        }
        if held.len() >= MOST {
            held.clear();
        }
        let until = now.checked_add(kept).unwrap_or(now);
        held.insert(url.to_owned(), (until, known));
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, Known)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_urls_neither_fill_it_nor_drive_out_what_is_good() {
        let shelf = Shelf::default();
        let now = Timestamp::UNIX_EPOCH;
        let pem = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap().cert.pem();
        let good = Known::Good(Arc::new(Chain::read(pem.as_bytes()).unwrap()));
        shelf.put("good", good, now);
        for n in 0..1_000 {
            shelf.put(&format!("bad-{n}"), Known::Bad, now);
        }
        assert!(matches!(shelf.get("good", now), Some(Known::Good(_))));
        assert!(shelf.held().len() <= MOST);
        assert!(matches!(shelf.get("bad-999", now), Some(Known::Bad)));
        let later = now + SignedDuration::from_mins(1);
        assert!(shelf.get("bad-999", later).is_none());
    }
}
