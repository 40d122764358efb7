//! The secret that proves webhook senders and seals registration sessions.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{Configuration, Reader};

const SHORTEST: usize = 32;
const TOKEN: &str = "MARKETPLACE_SECRET_TOKEN";

/// One secret, or several while they are rotated. The first one signs, all of them verify. Clones share what they hold,
/// so that a refresh reaches all of them. There is no default, and `Debug` shows none.
#[derive(Debug, Clone)]
pub struct Secrets(Arc<RwLock<Vec<SecretString>>>);

impl Secrets {
    /// Reads a comma-separated list; `None` when it is empty or any of them is shorter than 32 characters.
    pub fn parse(text: &str) -> Option<Self> {
        list(text).map(Self::of)
    }

    pub(crate) fn of(secrets: Vec<SecretString>) -> Self {
        Self(Arc::new(RwLock::new(secrets)))
    }

    /// The one to sign with; the list is never empty.
    pub(crate) fn signing(&self) -> SecretString {
        self.verifying().into_iter().next().unwrap_or_default()
    }

    /// All that verify, the signing one first.
    pub(crate) fn verifying(&self) -> Vec<SecretString> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn replace(&self, secrets: Vec<SecretString>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secrets;
    }
}

pub(crate) fn list(text: &str) -> Option<Vec<SecretString>> {
    text.split(',')
        .map(str::trim)
        .map(|secret| (secret.len() >= SHORTEST).then(|| SecretString::from(secret)))
        .collect()
}

impl Configuration for Secrets {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.required(TOKEN, RULE, Self::parse)
    }
}

const RULE: &str = "a secret of at least 32 characters, or several of them separated by commas";

/// Where the secret is: `MARKETPLACE_SECRET_TOKEN` is the secret itself, for a laptop; `MARKETPLACE_SECRET_ID` is the
/// name or ARN of a secret that Secrets Manager keeps. Exactly one of them is set.
#[derive(Debug, Clone)]
pub enum SecretsConfig {
    /// Here.
    Given(Secrets),
    /// In Secrets Manager; [`crate::secrets::open`] reads it.
    Kept(KeptSecret),
}

/// A secret that Secrets Manager keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// Its name or ARN.
    pub id: String,
    /// `SECRET_ROTATION_HOURS`: how long the former secret is believed after a new one was put.
    pub rotation: SignedDuration,
}

impl Configuration for SecretsConfig {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let given = vars.optional(TOKEN, RULE, Secrets::parse);
        let id = vars.optional("MARKETPLACE_SECRET_ID", "a secret's name or ARN", |text| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c);
            (text.len() <= 2048 && text.chars().all(plain)).then(|| text.to_owned())
        });
        let hours =
            vars.or("SECRET_ROTATION_HOURS", "a number of hours from 1 to 168", 24, |text| {
                text.parse::<i64>().ok().filter(|hours| (1..=168).contains(hours))
            });
        let (given, id, hours) = (given?, id?, hours?);
        match (given, id) {
            (Some(given), None) => Some(Self::Given(given)),
            (None, Some(id)) => {
                Some(Self::Kept(KeptSecret { id, rotation: SignedDuration::from_hours(hours) }))
            }
            (None, None) => {
                vars.problem(TOKEN, "is not set, nor is MARKETPLACE_SECRET_ID: set one of them");
                None
            }
            (Some(_), Some(_)) => {
                vars.problem(TOKEN, "and MARKETPLACE_SECRET_ID are both set: set one of them");
                None
            }
        }
    }
}
