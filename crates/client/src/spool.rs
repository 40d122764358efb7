//! Events that are not delivered yet, in a file that is only appended to.
//!
//! A line is `<CRC-32 of the rest, 8 hexadecimal digits> <JSON>`: an event under the next number, or the numbers of events
//! that are done. An event is synced to disk before it counts as taken. That events are done is not synced: if that line
//! is lost, they are sent again, and their keys make that harmless. When everything is done the file is emptied; when
//! most of it is done and room is needed, what is left is written to a new file that takes its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Event;

/// Why the spool did not take something.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// No room: deliver first, or drop usage knowingly.
    #[error("the spool is full: {limit} bytes")]
    Full {
        /// How large it may be.
        limit: u64,
    },
    /// Another process has it.
    #[error("another process uses the spool {0}")]
    InUse(PathBuf),
    /// The disk.
    #[error("the spool could not be read or written")]
    Io(#[from] io::Error),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Event(u64, Box<Event>),
    Done(BTreeSet<u64>),
}

/// The spool of one process.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
    next: u64,
    waiting: BTreeMap<u64, Event>,
    damaged: u64,
    /// Held for as long as the spool is.
    _lock: File,
}

impl Spool {
    /// Opens a spool, makes it when it is not there, and cuts off a torn end.
    pub(crate) fn open(path: &Path, limit: u64) -> Result<Self, SpoolError> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(path, ".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let read = read(&fs::read(path)?);
        file.set_len(read.whole)?;
        file.sync_all()?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size: read.whole,
            limit,
            next: read.next,
            waiting: read.waiting,
            damaged: read.damaged,
            _lock: lock,
        })
    }

    /// Takes events, all or none. They are on disk when this returns.
    pub(crate) fn take(&mut self, events: &[Event]) -> Result<(), SpoolError> {
        let numbered: Vec<(u64, Event)> = (self.next..).zip(events.iter().cloned()).collect();
        let mut lines = Vec::new();
        for (number, event) in &numbered {
            lines.extend(line(&Line::Event(*number, Box::new(event.clone())))?);
        }
        let more = length(&lines);
        if self.size.saturating_add(more) > self.limit {
            self.compact()?;
        }
        if self.size.saturating_add(more) > self.limit {
            return Err(SpoolError::Full { limit: self.limit });
        }
        if let Err(error) = self.append(&lines, true) {
            // What is half written must not stand before what comes next.
            self.file.set_len(self.size)?;
            return Err(error.into());
        }
        self.next = self.next.saturating_add(length(&numbered));
        self.waiting.extend(numbered);
        Ok(())
    }

    /// Forgets events that are done.
    pub(crate) fn done(&mut self, numbers: &BTreeSet<u64>) -> Result<(), SpoolError> {
        if numbers.is_empty() {
            return Ok(());
        }
        self.waiting.retain(|number, _| !numbers.contains(number));
        if self.waiting.is_empty() {
            self.file.set_len(0)?;
            self.size = 0;
            return Ok(());
        }
        self.append(&line(&Line::Done(numbers.clone()))?, false)?;
        Ok(())
    }

    /// Events that wait, oldest first, by number.
    pub(crate) fn waiting(&self) -> &BTreeMap<u64, Event> {
        &self.waiting
    }

    /// Lines that could not be read although something came after them.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    fn append(&mut self, lines: &[u8], sync: bool) -> io::Result<()> {
        self.file.write_all(lines)?;
        if sync {
            self.file.sync_data()?;
        }
        self.size = self.size.saturating_add(length(lines));
        Ok(())
    }

    /// Writes what waits into a new file, which then takes the place of the old one.
    fn compact(&mut self) -> Result<(), SpoolError> {
        let mut lines = Vec::new();
        for (number, event) in &self.waiting {
            lines.extend(line(&Line::Event(*number, Box::new(event.clone())))?);
        }
        let fresh = beside(&self.path, ".new");
        let mut file = File::create(&fresh)?;
        file.write_all(&lines)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        sync_folder(&self.path)?;
        self.file = OpenOptions::new().append(true).read(true).open(&self.path)?;
        self.size = length(&lines);
        Ok(())
    }
}

struct Read {
    waiting: BTreeMap<u64, Event>,
    next: u64,
    damaged: u64,
    /// How much of the file is whole lines.
    whole: u64,
}

fn read(bytes: &[u8]) -> Read {
    let mut read = Read { waiting: BTreeMap::new(), next: 0, damaged: 0, whole: 0 };
    let mut unreadable = 0_u64;
    let mut place = 0_u64;
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        place = place.saturating_add(length(piece));
        let Some(line) = piece.strip_suffix(b"\n").and_then(parse) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        // Only what something whole comes after is damage; the rest is a torn end.
        read.damaged = read.damaged.saturating_add(std::mem::take(&mut unreadable));
        read.whole = place;
        match line {
            Line::Event(number, event) => {
                read.next = read.next.max(number.saturating_add(1));
                read.waiting.insert(number, *event);
            }
            Line::Done(numbers) => {
                // Numbers that are done stay used: a number never stands for two events.
                let last = numbers.last().map_or(0, |last| last.saturating_add(1));
                read.next = read.next.max(last);
                read.waiting.retain(|number, _| !numbers.contains(number));
            }
        }
    }
    read
}

fn line(line: &Line) -> Result<Vec<u8>, SpoolError> {
    let json = serde_json::to_string(line).map_err(io::Error::from)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes())
}

fn parse(line: &[u8]) -> Option<Line> {
    let (sum, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (crc32fast::hash(json) == sum).then(|| serde_json::from_slice(json).ok())?
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A new name in a folder is on disk when the folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
