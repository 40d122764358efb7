//! The secret that proves webhook senders and seals registration sessions.

use secrecy::{ExposeSecret, SecretString};

use super::{Configuration, Reader};

const SHORTEST: usize = 32;

/// `MARKETPLACE_SECRET_TOKEN`: one secret, or several while they are rotated. The first one signs, all of them verify.
/// There is no default, and `Debug` shows none.
#[derive(Debug, Clone)]
pub struct Secrets {
    first: SecretString,
    others: Vec<SecretString>,
}

impl Secrets {
    /// Reads a comma-separated list; `None` when it is empty or any of them is shorter than 32 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let mut secrets = text
            .split(',')
            .map(str::trim)
            .map(|secret| (secret.len() >= SHORTEST).then(|| SecretString::from(secret)));
        let first = secrets.next().flatten()?;
        let others = secrets.collect::<Option<_>>()?;
        Some(Self { first, others })
    }

    /// The one to sign with.
    pub(crate) fn signing(&self) -> &[u8] {
        self.first.expose_secret().as_bytes()
    }

    /// All that verify, the signing one first.
    pub(crate) fn verifying(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .map(|secret| secret.expose_secret().as_bytes())
    }
}

impl Configuration for Secrets {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        vars.required(
            "MARKETPLACE_SECRET_TOKEN",
            "a secret of at least 32 characters, or several of them separated by commas",
            Self::parse,
        )
    }
}
