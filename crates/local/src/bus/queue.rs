//! The queues: SQS's promises on `SQLite`. A message is delivered at least once, hidden while it is worked on, delivered
//! again when nobody deleted it, and set aside after five vain deliveries.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// Deliveries after which a message is set aside.
pub const MOST_RECEIVES: u32 = 5;

/// How long a message that was delivered and not deleted stays hidden.
pub const VISIBILITY: SignedDuration = SignedDuration::from_secs(60);

/// Messages of one delivery.
pub const BATCH: usize = 10;

/// Where messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// Marketplace notifications on their way to `entitlement-listener`.
    Notices,
    /// Events of the hourly schedule on their way to `metering-scheduler`.
    Schedule,
    /// Settlement requests on their way to `metering-scheduler`.
    Settlements,
    /// Events of the reconciler's schedules on their way to it.
    Reconcile,
    /// Stream records of new outbox items on their way to `tenant-notifier`.
    Outbox,
    /// Tenant notices on their way to the platform.
    Platform,
    /// Tenant notices on their way to `webhook-sender`, and its calls to itself.
    Webhooks,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Notices,
        Self::Schedule,
        Self::Reconcile,
        Self::Settlements,
        Self::Outbox,
        Self::Platform,
        Self::Webhooks,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notices => "notices",
            Self::Schedule => "schedule",
            Self::Settlements => "settlements",
            Self::Reconcile => "reconcile",
            Self::Outbox => "outbox",
            Self::Platform => "platform",
            Self::Webhooks => "webhooks",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A queue that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a queue is notices, schedule, reconcile, settlements, outbox, platform or webhooks")]
pub struct UnknownQueue;

impl FromStr for Queue {
    type Err = UnknownQueue;

    fn from_str(text: &str) -> Result<Self, UnknownQueue> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == text).ok_or(UnknownQueue)
    }
}

/// Why the bus failed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// `SQLite` refused.
    #[error("the bus's storage failed")]
    Sqlite(#[from] rusqlite::Error),
    /// A row is not what this version writes.
    #[error("a row of the bus's storage cannot be read or written")]
    Row(#[from] serde_json::Error),
}

/// A message as it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Identifies it on the bus.
    pub id: i64,
    /// What it says, as JSON.
    pub body: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How often it has been delivered, this time included.
    pub receives: u32,
}

/// A message that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Identifies it on the bus.
    pub id: i64,
    /// Where it waited.
    pub queue: Queue,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How often it was delivered in vain.
    pub receives: u32,
    /// Why the last delivery failed, where the function said.
    pub failure: Option<String>,
    /// What it says.
    pub body: serde_json::Value,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Depth {
    /// Can be delivered now.
    pub visible: u64,
    /// Delayed, or delivered and not deleted.
    pub hidden: u64,
    /// Set aside.
    pub dead: u64,
}

/// The queues. Clones share them. Whatever a method wrote is committed when it returns.
#[derive(Clone)]
pub struct Bus {
    connection: Arc<Mutex<Connection>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS letter (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        source TEXT UNIQUE,
        body TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        dead INTEGER NOT NULL DEFAULT 0,
        failure TEXT
    );
    CREATE INDEX IF NOT EXISTS letter_by_time ON letter (dead, queue, visible_at);
    CREATE TABLE IF NOT EXISTS published (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

impl Bus {
    /// Opens the queues of a file, or new ones in memory.
    ///
    /// # Errors
    /// When `SQLite` cannot open the file.
    pub fn open(path: Option<&Path>) -> Result<Self, BusError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Enough to survive the death of the process; the loss of power may cost the last messages, which their
        // sources then send again or which the next schedule makes up for.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Puts a message on a queue, to be delivered from `visible_at`. With a source that is on the bus already, nothing
    /// happens and the answer is false.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn send(
        &self,
        queue: Queue,
        source: Option<&str>,
        body: &str,
        now: Timestamp,
        visible_at: Timestamp,
    ) -> Result<bool, BusError> {
        let written = self
            .lock()
            .prepare_cached(
                "INSERT INTO letter (queue, source, body, sent_at, visible_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (source) DO NOTHING",
            )?
            .execute(params![queue.as_str(), source, body, micros(now), micros(visible_at)])?;
        Ok(written > 0)
    }

    /// Takes the next messages of a queue, oldest first, and hides them. Messages that were delivered too often are set
    /// aside instead.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn receive(
        &self,
        queue: Queue,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Letter>, BusError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let letters = {
            let (name, now_micros) = (queue.as_str(), micros(now));
            transaction
                .prepare_cached(
                    "UPDATE letter SET dead = 1
                     WHERE dead = 0 AND queue = ?1 AND visible_at <= ?2 AND receives >= ?3",
                )?
                .execute(params![name, now_micros, MOST_RECEIVES])?;
            let mut taken = transaction.prepare_cached(
                "SELECT id, body, sent_at, receives + 1 FROM letter
                 WHERE dead = 0 AND queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let letters = taken
                .query_map(params![name, now_micros, most], letter)?
                .collect::<Result<Vec<_>, _>>()?;
            let hidden_until = micros(later(now, VISIBILITY));
            let mut hide = transaction.prepare_cached(
                "UPDATE letter SET receives = receives + 1, visible_at = ?2 WHERE id = ?1",
            )?;
            for letter in &letters {
                hide.execute(params![letter.id, hidden_until])?;
            }
            letters
        };
        transaction.commit()?;
        Ok(letters)
    }

    /// Deletes messages whose delivery succeeded.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn delete(&self, ids: &[i64]) -> Result<(), BusError> {
        self.each("DELETE FROM letter WHERE id = ?1", ids)
    }

    /// Notes why a delivery failed; the messages come again when they are visible.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn note_failure(&self, ids: &[i64], failure: &str) -> Result<(), BusError> {
        let connection = self.lock();
        let mut note = connection.prepare_cached("UPDATE letter SET failure = ?2 WHERE id = ?1")?;
        for id in ids {
            note.execute(params![id, failure])?;
        }
        Ok(())
    }

    /// When the next message can be delivered; it may be in the past.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn next_visible(&self) -> Result<Option<Timestamp>, BusError> {
        let connection = self.lock();
        let mut next =
            connection.prepare_cached("SELECT MIN(visible_at) FROM letter WHERE dead = 0")?;
        let at: Option<i64> = next.query_row([], |row| row.get(0))?;
        Ok(at.map(instant))
    }

    /// How full a queue is.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn depth(&self, queue: Queue, now: Timestamp) -> Result<Depth, BusError> {
        let connection = self.lock();
        let mut count = connection.prepare_cached(
            "SELECT COALESCE(SUM(dead = 0 AND visible_at <= ?2), 0),
                    COALESCE(SUM(dead = 0 AND visible_at > ?2), 0),
                    COALESCE(SUM(dead), 0) FROM letter WHERE queue = ?1",
        )?;
        Ok(count.query_row(params![queue.as_str(), micros(now)], |row| {
            Ok(Depth { visible: row.get(0)?, hidden: row.get(1)?, dead: row.get(2)? })
        })?)
    }

    /// The messages that were set aside, oldest first.
    ///
    /// # Errors
    /// When the storage fails or holds what this version does not write.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, BusError> {
        let connection = self.lock();
        let mut dead = connection.prepare_cached(
            "SELECT id, body, sent_at, receives, queue, failure FROM letter WHERE dead = 1 ORDER BY id",
        )?;
        let rows = dead.query_map([], |row| {
            Ok((letter(row)?, row.get::<_, String>(4)?, row.get::<_, Option<String>>(5)?))
        })?;
        let mut letters = Vec::new();
        for row in rows {
            let (Letter { id, body, sent_at, receives }, queue, failure) = row?;
            let Ok(queue) = queue.parse() else { continue };
            let body = serde_json::from_str(&body).unwrap_or(serde_json::Value::String(body));
            letters.push(DeadLetter { id, queue, sent_at, receives, failure, body });
        }
        Ok(letters)
    }

    /// Puts messages that were set aside back on their queues, those of one queue or all, and answers how many.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn redrive(&self, queue: Option<Queue>, now: Timestamp) -> Result<usize, BusError> {
        Ok(self
            .lock()
            .prepare_cached(
                "UPDATE letter SET dead = 0, receives = 0, visible_at = ?2
                 WHERE dead = 1 AND (?1 IS NULL OR queue = ?1)",
            )?
            .execute(params![queue.map(Queue::as_str), micros(now)])?)
    }

    /// Keeps what was published and queues it for the subscribers, together.
    pub(super) fn publish(
        &self,
        body: &str,
        subscribers: &[Queue],
        now: Timestamp,
    ) -> Result<(), BusError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        transaction.execute("INSERT INTO published (body) VALUES (?1)", [body])?;
        for queue in subscribers {
            transaction.execute(
                "INSERT INTO letter (queue, body, sent_at, visible_at) VALUES (?1, ?2, ?3, ?3)",
                params![queue.as_str(), body, micros(now)],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// The bodies of everything published, oldest first.
    pub(super) fn published(&self) -> Result<Vec<String>, BusError> {
        let connection = self.lock();
        let mut all = connection.prepare_cached("SELECT body FROM published ORDER BY id")?;
        let rows = all.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A value kept by name.
    pub(crate) fn note(&self, name: &str) -> Result<Option<String>, BusError> {
        let connection = self.lock();
        let mut note = connection.prepare_cached("SELECT value FROM note WHERE name = ?1")?;
        Ok(note.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Keeps a value by name.
    pub(crate) fn set_note(&self, name: &str, value: &str) -> Result<(), BusError> {
        self.lock()
            .prepare_cached("INSERT OR REPLACE INTO note (name, value) VALUES (?1, ?2)")?
            .execute([name, value])?;
        Ok(())
    }

    fn each(&self, statement: &str, ids: &[i64]) -> Result<(), BusError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        for id in ids {
            transaction.prepare_cached(statement)?.execute([id])?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn letter(row: &Row<'_>) -> Result<Letter, rusqlite::Error> {
    Ok(Letter {
        id: row.get(0)?,
        body: row.get(1)?,
        sent_at: instant(row.get(2)?),
        receives: row.get(3)?,
    })
}

fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// `at` moved by `by`, held at the end of time.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
