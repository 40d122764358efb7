//! What was just done, in a sentence: named in the address after a form, never text from there.

use std::fmt;

use pages::component::Tone;
use serde::Deserialize;

/// `?note=`, and counts where there are some.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Noted {
    note: String,
    accepted: u32,
    duplicate: u32,
    refused: u32,
}

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Bought,
    Time,
    Changed,
    Cancelled,
    Reported { accepted: u32, duplicate: u32, refused: u32 },
    Faults,
    NoFaults,
    Stopped,
    Runs,
    Redriven,
}

impl Noted {
    pub(super) fn note(&self) -> Option<Note> {
        Some(match self.note.as_str() {
            "bought" => Note::Bought,
            "time" => Note::Time,
            "changed" => Note::Changed,
            "cancelled" => Note::Cancelled,
            "reported" => Note::Reported {
                accepted: self.accepted,
                duplicate: self.duplicate,
                refused: self.refused,
            },
            "faults" => Note::Faults,
            "no-faults" => Note::NoFaults,
            "stopped" => Note::Stopped,
            "runs" => Note::Runs,
            "redriven" => Note::Redriven,
            _ => return None,
        })
    }
}

impl Note {
    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Reported { refused: 1.., .. } | Self::Faults | Self::Stopped => Tone::Warn,
            _ => Tone::Good,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bought => "The buyer accepted the offer. AWS activates the license about a minute later; meanwhile the buyer can set up the account.",
            Self::Time => "Time has passed, and everything that was due in between has happened.",
            Self::Changed => "The agreement was changed. AWS tells the seller within about a minute: let two minutes pass.",
            Self::Cancelled => "The agreement has ended. For one hour AWS still takes final usage: let it pass and see.",
            Self::Reported { accepted, duplicate, refused } => {
                return write!(
                    f,
                    "The platform reported usage: {accepted} counted, {duplicate} known already, {refused} refused."
                );
            }
            Self::Faults => "The faults are set. They strike when the next calls and notifications come.",
            Self::NoFaults => "Nothing goes wrong on purpose any more.",
            Self::Stopped => "The hourly schedule stands still, as in an outage. Usage waits.",
            Self::Runs => "The hourly schedule runs again, and makes up for what waited.",
            Self::Redriven => "The dead letters are on their queues again and were delivered.",
        })
    }
}
