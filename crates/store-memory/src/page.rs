//! Pages and cursors.

use app::Error;
use app::ports::{Cursor, Page};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Between a list's name and a place in it; no name or place holds it.
const BETWEEN: char = '\u{1f}';

/// One page of `list`, whose rows come with their place in it, in any order.
pub(crate) fn page<T>(
    list: &str,
    mut rows: Vec<(String, T)>,
    after: Option<&Cursor>,
    limit: u16,
) -> Result<Page<T>, Error> {
    let after = after.map(|cursor| read(list, cursor)).transpose()?;
    rows.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    rows.truncate(limit.max(1).into());
    let full = rows.len() == usize::from(limit.max(1));
    let next = rows.last().filter(|_| full).map(|(place, _)| write(list, place));
    Ok(Page { items: rows.into_iter().map(|(_, row)| row).collect(), next })
}

fn write(list: &str, place: &str) -> Cursor {
    Cursor(URL_SAFE_NO_PAD.encode(format!("{list}{BETWEEN}{place}")))
}

fn read(list: &str, cursor: &Cursor) -> Result<String, Error> {
    let text =
        URL_SAFE_NO_PAD.decode(&cursor.0).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once(BETWEEN))
        .filter(|(of, _)| *of == list)
        .map(|(_, place)| place.to_owned())
        .ok_or(Error::ForeignCursor)
}
