//! Cursors: where a page ends, as an opaque text. A cursor is bound to what was listed, so that it cannot be used to
//! read another partition.

use std::collections::BTreeMap;

use app::Error;
use app::ports::Cursor;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Item, text};

#[derive(Serialize, Deserialize)]
struct Position {
    /// What was listed.
    of: String,
    /// The last key, all texts.
    key: BTreeMap<String, String>,
}

/// The cursor after a page of `of`.
pub(crate) fn write_cursor(of: &str, last: Option<Item>) -> Option<Cursor> {
    let key = last?
        .into_iter()
        .map(|(name, value)| Some((name, value.as_s().ok()?.clone())))
        .collect::<Option<BTreeMap<_, _>>>()?;
    let position = serde_json::to_vec(&Position { of: of.to_owned(), key }).ok()?;
    Some(Cursor(URL_SAFE_NO_PAD.encode(position)))
}

/// The key after which a page of `of` begins.
pub(crate) fn read_cursor(of: &str, cursor: Option<&Cursor>) -> Result<Option<Item>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| Error::ForeignCursor)?;
    let position: Position = serde_json::from_slice(&bytes).map_err(|_| Error::ForeignCursor)?;
    if position.of != of {
        return Err(Error::ForeignCursor);
    }
    Ok(Some(position.key.into_iter().map(|(name, value)| (name, text(value))).collect()))
}
