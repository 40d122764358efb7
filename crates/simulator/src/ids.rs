//! Ids drawn from the seed: two runs that do the same get the same ids.
//!
//! Each kind of id has its own counter, so metering does not change the ids of later agreements.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const LOWER_ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const LOWER_HEX: &[u8] = b"0123456789abcdef";
const UPPER_ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The account that issues Marketplace licenses (F§1).
const LICENSE_ISSUER: &str = "294406891311";

/// A source of ids.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ids {
    #[serde(skip)]
    seed: u64,
    counters: BTreeMap<String, u64>,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, counters: BTreeMap::new() }
    }

    /// Goes on with stored counters under this run's seed.
    pub(crate) fn resume(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    pub(crate) fn agreement(&mut self) -> String {
        format!("agmt-{}", self.text("agreement", LOWER_ALPHANUMERIC, 25))
    }

    pub(crate) fn license_arn(&mut self) -> String {
        let tail = self.text("license", LOWER_HEX, 32);
        format!("arn:aws:license-manager::{LICENSE_ISSUER}:license:l-{tail}")
    }

    pub(crate) fn offer(&mut self) -> String {
        format!("offer-{}", self.text("offer", LOWER_ALPHANUMERIC, 13))
    }

    pub(crate) fn resale_authorization(&mut self) -> String {
        format!("resaleauthz-{}", self.text("resale", LOWER_ALPHANUMERIC, 13))
    }

    pub(crate) fn cancellation_request(&mut self) -> String {
        format!("acr-{}", self.text("cancellation", LOWER_ALPHANUMERIC, 13))
    }

    pub(crate) fn customer_identifier(&mut self) -> String {
        self.text("customer", UPPER_ALPHANUMERIC, 11)
    }

    /// An opaque token that always holds `+`, `/` and `=`, so that a second form-decoding or a
    /// missing one breaks it (F§2.3).
    pub(crate) fn registration_token(&mut self) -> String {
        let (head, tail) =
            (self.text("token", TOKEN, 40), self.text("token", UPPER_ALPHANUMERIC, 41));
        format!("{head}+/{tail}=")
    }

    pub(crate) fn uuid(&mut self, kind: &str) -> String {
        let bits = self.random(kind).random::<u128>();
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }

    /// The next number of its kind, from 1.
    pub(crate) fn number(&mut self, kind: &str) -> u64 {
        let counter = self.counters.entry(kind.to_owned()).or_default();
        *counter += 1;
        *counter
    }

    /// Numbers for whatever else must be repeatable.
    pub(crate) fn random(&mut self, kind: &str) -> StdRng {
        let counter = self.number(kind);
        let name = format!("{}/{kind}/{counter}", self.seed);
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let (high, low) = digest.as_u64_pair();
        StdRng::seed_from_u64(high ^ low)
    }

    fn text(&mut self, kind: &str, alphabet: &[u8], length: usize) -> String {
        let mut random = self.random(kind);
        (0..length)
            .filter_map(|_| alphabet.get(random.random_range(0..alphabet.len())))
            .map(|byte| char::from(*byte))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.agreement(), ids.license_arn(), ids.registration_token(), ids.uuid("record"))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn one_kind_of_id_does_not_disturb_another() {
        let (mut busy, mut idle) = (Ids::new(1), Ids::new(1));
        for _ in 0..10 {
            busy.uuid("record");
        }
        assert_eq!(busy.agreement(), idle.agreement());
    }

    #[test]
    fn a_registration_token_needs_exactly_one_form_decoding() {
        let token = Ids::new(1).registration_token();
        for needed in ['+', '/', '='] {
            assert!(token.contains(needed), "{token}");
        }
    }
}
