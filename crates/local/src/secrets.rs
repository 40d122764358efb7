//! The secrets of one local system: made up once per data directory, so that a printed command line goes on working
//! after a restart. They protect nothing but a laptop.

use std::fmt;
use std::io;
use std::path::Path;

use rand::RngExt;
use serde::{Deserialize, Serialize};

/// What a deployment would keep in Secrets Manager.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Secrets {
    /// Opens the HTTP API to a developer: `Authorization: Bearer <key>`.
    pub api_key: String,
    /// Signs webhook deliveries and registration sessions: `MARKETPLACE_SECRET_TOKEN`.
    pub marketplace: String,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

impl Secrets {
    /// New ones.
    pub fn random() -> Self {
        Self { api_key: random("dev_"), marketplace: random("local_") }
    }

    /// Those of a file, which is made when it is not there.
    ///
    /// # Errors
    /// When the file cannot be read, written or understood.
    pub fn of(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secrets = Self::random();
                super::data_dir::write_whole(path, &serde_json::to_vec_pretty(&secrets)?)?;
                Ok(secrets)
            }
            Err(error) => Err(error),
        }
    }
}

/// 256 bits of the operating system's randomness.
fn random(prefix: &str) -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().fold(prefix.to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_file_stay_the_same_and_are_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.json");
        let made = Secrets::of(&path).unwrap();
        assert_eq!(Secrets::of(&path).unwrap(), made);
        assert_ne!(Secrets::random(), made);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(format!("{made:?}"), "Secrets(redacted)");
    }
}
