//! The data directory: which file is whose, what the directory was made for, and that one process at a time uses it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::catalog::PricingModel;
use serde::{Deserialize, Serialize};

use crate::secrets::Secrets;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made, read or written.
    #[error("the data directory {path} cannot be used")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "another process uses the data directory {path}: stop it, or pass --data with another directory"
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// It holds the subscriptions of another kind of listing.
    #[error(
        "the data directory {path} was made for --pricing {made_for}: leave out --pricing {asked}, or pass --data with another directory"
    )]
    OtherPricing {
        /// Which.
        path: PathBuf,
        /// Its pricing model.
        made_for: PricingModel,
        /// The one that was asked for.
        asked: PricingModel,
    },
}

/// What a data directory was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MadeFor {
    pricing: PricingModel,
}

/// An open data directory. It stays locked until it is dropped or the process dies.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    pricing: PricingModel,
    _lock: File,
}

impl DataDir {
    /// Opens or makes a directory; without a pricing model, the one it was made for, or the default, is taken.
    ///
    /// # Errors
    /// When it is in use, was made for another pricing model, or cannot be used at all.
    pub fn open(path: &Path, pricing: Option<PricingModel>) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let made_for = made_for(&path.join("made-for.json"), pricing).map_err(failed)?;
        match pricing {
            Some(asked) if asked != made_for.pricing => Err(DataDirError::OtherPricing {
                path: path.to_owned(),
                made_for: made_for.pricing,
                asked,
            }),
            Some(_) | None => {
                Ok(Self { path: path.to_owned(), pricing: made_for.pricing, _lock: lock })
            }
        }
    }

    /// The pricing model it was made for.
    pub fn pricing(&self) -> PricingModel {
        self.pricing
    }

    /// Its secrets.
    ///
    /// # Errors
    /// When they can neither be read nor made.
    pub fn secrets(&self) -> Result<Secrets, DataDirError> {
        let path = self.path.join("secrets.json");
        Secrets::of(&path).map_err(|source| DataDirError::Io { path, source })
    }

    /// The tables of the seller's side.
    pub fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    /// The messages under way.
    pub fn bus(&self) -> PathBuf {
        self.path.join("bus.sqlite")
    }

    /// AWS's side, the clock included.
    pub fn marketplace(&self) -> PathBuf {
        self.path.join("marketplace.sqlite")
    }
}

fn made_for(path: &Path, pricing: Option<PricingModel>) -> io::Result<MadeFor> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made_for = MadeFor { pricing: pricing.unwrap_or_default() };
            write_whole(path, &serde_json::to_vec_pretty(&made_for)?)?;
            Ok(made_for)
        }
        Err(error) => Err(error),
    }
}

/// Writes a file for its owner only, all of it or nothing.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let draft = path.with_extension("draft");
    options.open(&draft)?.write_all(content)?;
    std::fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_use_is_refused_until_it_is_let_go() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataDir::open(&path, None).unwrap();
        let refused = DataDir::open(&path, None).unwrap_err();
        assert!(matches!(refused, DataDirError::InUse { .. }), "{refused}");
        drop(first);
        assert!(DataDir::open(&path, None).is_ok());
    }

    #[test]
    fn a_directory_keeps_the_pricing_model_it_was_made_for() {
        let parent = tempfile::tempdir().unwrap();
        drop(DataDir::open(parent.path(), Some(PricingModel::Usage)).unwrap());
        assert_eq!(DataDir::open(parent.path(), None).unwrap().pricing(), PricingModel::Usage);
        let refused = DataDir::open(parent.path(), Some(PricingModel::Contract)).unwrap_err();
        assert!(refused.to_string().contains("made for --pricing usage"), "{refused}");
    }
}
