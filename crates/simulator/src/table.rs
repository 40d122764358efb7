//! Entities of one kind in memory, with a list of those not yet written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::storage::{Change, Storage, StorageError};

#[derive(Debug)]
pub(crate) struct Table<T> {
    kind: &'static str,
    rows: BTreeMap<String, T>,
    unwritten: BTreeSet<String>,
}

impl<T: Serialize + DeserializeOwned> Table<T> {
    pub(crate) fn load(
        kind: &'static str,
        storage: Option<&Storage>,
    ) -> Result<Self, StorageError> {
        let rows = match storage {
            Some(storage) => storage.load(kind)?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        Ok(Self { kind, rows, unwritten: BTreeSet::new() })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn insert(&mut self, key: String, row: T) {
        self.unwritten.insert(key.clone());
        self.rows.insert(key, row);
    }

    pub(crate) fn update(&mut self, key: &str, change: impl FnOnce(&mut T)) {
        if let Some(row) = self.rows.get_mut(key) {
            change(row);
            self.unwritten.insert(key.to_owned());
        }
    }

    /// Removes every row for which `gone` holds.
    pub(crate) fn remove_where(&mut self, gone: impl Fn(&T) -> bool) -> usize {
        let keys: Vec<String> =
            self.rows.iter().filter(|(_, row)| gone(row)).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            self.remove(key);
        }
        keys.len()
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let row = self.rows.remove(key)?;
        self.unwritten.insert(key.to_owned());
        Some(row)
    }

    pub(crate) fn collect(&self, changes: &mut Vec<Change>) -> Result<(), StorageError> {
        for key in &self.unwritten {
            let json = self.rows.get(key).map(serde_json::to_string).transpose()?;
            changes.push(Change { kind: self.kind, key: key.clone(), json });
        }
        Ok(())
    }

    pub(crate) fn settle(&mut self) {
        self.unwritten.clear();
    }
}
