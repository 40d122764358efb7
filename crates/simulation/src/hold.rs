//! What is known of holds, whatever the product made of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The seller's hold on a subscription, as whoever asks for it sees it.
#[derive(Debug, Default)]
pub(crate) struct SellersHold {
    /// Whether it is on hold; `None` when nobody knows.
    held: Option<bool>,
    /// What is asked for and has no answer yet, by work.
    asked: BTreeMap<String, bool>,
    /// Whether some of it was asked for at the same time.
    contended: bool,
}

/// How a wish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It was granted.
    Granted,
    /// It was refused, and changed nothing.
    Refused,
    /// No answer came.
    Unanswered,
}

impl SellersHold {
    /// One of a subscription that nobody has held yet.
    pub(crate) fn none() -> Self {
        Self { held: Some(false), ..Self::default() }
    }

    pub(crate) fn ask(&mut self, work: String, value: bool) {
        self.contended |= !self.asked.is_empty();
        self.asked.insert(work, value);
    }

    /// Takes the end of a wish; another piece of work is none of it.
    pub(crate) fn end(&mut self, work: &str, how: Wish) {
        let Some(value) = self.asked.remove(work) else { return };
        match how {
            _ if self.contended => self.held = None,
            Wish::Granted => self.held = Some(value),
            Wish::Refused => {}
            Wish::Unanswered => self.held = None,
        }
        self.contended &= !self.asked.is_empty();
    }

    pub(crate) fn held(&self) -> Option<bool> {
        self.held.filter(|_| self.asked.is_empty())
    }
}

/// AWS's newest word about the account of an agreement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Advisory {
    at: Timestamp,
    /// Whether it warns; `None` when it said both in one second.
    warns: Option<bool>,
}

impl Advisory {
    /// After one more word; `before` is the one until then.
    pub(crate) fn told(before: Option<Self>, warns: bool, at: Timestamp) -> Self {
        let second = |at: Timestamp| at.as_second();
        let differs = |it: Self| second(it.at) == second(at) && it.warns != Some(warns);
        Self { at, warns: (!before.is_some_and(differs)).then_some(warns) }
    }

    pub(crate) fn warns(self) -> Option<bool> {
        self.warns
    }
}
