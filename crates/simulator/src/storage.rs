//! Keeps every entity as one row of JSON, so that the simulator survives `kill -9`.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One row to write, or to remove when it has no text.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) key: String,
    pub(crate) json: Option<String>,
}

/// Why the storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// `SQLite` refused.
    #[error("the simulator's storage failed")]
    Sqlite(#[from] rusqlite::Error),
    /// A row is not what this version writes.
    #[error("a row of the simulator's storage cannot be read or written")]
    Row(#[from] serde_json::Error),
}

pub(crate) struct Storage {
    connection: Mutex<Connection>,
}

impl Storage {
    pub(crate) fn open(path: &Path) -> Result<Self, StorageError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A committed write-ahead log survives the death of the process. FULL would also survive
        // the loss of power, at the price of one disk flush per call, which a laptop test tool
        // need not pay.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS entity (
                kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,
                PRIMARY KEY (kind, key)
            ) WITHOUT ROWID",
        )?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    pub(crate) fn load<T: DeserializeOwned>(
        &self,
        kind: &str,
    ) -> Result<Vec<(String, T)>, StorageError> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT key, json FROM entity WHERE kind = ?1")?;
        let rows = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut entities = Vec::new();
        for row in rows {
            let (key, json): (String, String) = row?;
            entities.push((key, serde_json::from_str(&json)?));
        }
        Ok(entities)
    }

    /// Writes all of `changes` or none.
    pub(crate) fn write(&self, changes: &[Change]) -> Result<(), StorageError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for Change { kind, key, json } in changes {
            match json {
                Some(json) => transaction
                    .prepare_cached("INSERT OR REPLACE INTO entity VALUES (?1, ?2, ?3)")?
                    .execute([kind, key.as_str(), json.as_str()])?,
                None => transaction
                    .prepare_cached("DELETE FROM entity WHERE kind = ?1 AND key = ?2")?
                    .execute([kind, key.as_str()])?,
            };
        }
        transaction.commit()?;
        Ok(())
    }

    pub(crate) fn write_one<T: Serialize>(
        &self,
        kind: &'static str,
        value: &T,
    ) -> Result<(), StorageError> {
        let json = Some(serde_json::to_string(value)?);
        self.write(&[Change { kind, key: String::new(), json }])
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
