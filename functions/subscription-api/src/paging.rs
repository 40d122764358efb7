//! `?cursor=&limit=` and `nextCursor`.

use std::borrow::Cow;

use app::ports::{Cursor, Page};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_shell::problem::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use sha2::{Digest, Sha256};

const LARGEST: u16 = 100;
const USUAL: u16 = 50;
const MARK: usize = 8;

/// Which list a cursor goes on in: what the list is of, and how it is filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListName(String);

impl ListName {
    pub(crate) fn of(parts: &[&str]) -> Self {
        Self(parts.join("\0"))
    }

    /// Ties a cursor to its list, so that a damaged or misplaced one is refused before the store sees it. No secret is
    /// needed: a cursor only says where to go on in what its bearer may read anyway.
    fn mark(&self, cursor: &str) -> Vec<u8> {
        let digest = Sha256::new().chain_update(&self.0).chain_update([0]).chain_update(cursor);
        digest.finalize().into_iter().take(MARK).collect()
    }

    pub(crate) fn wrap(&self, cursor: &Cursor) -> String {
        let mut bytes = self.mark(&cursor.0);
        bytes.extend_from_slice(cursor.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn unwrap(&self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (mark, cursor) = bytes.split_at_checked(MARK)?;
        let cursor = std::str::from_utf8(cursor).ok()?;
        (self.mark(cursor) == mark).then(|| Cursor(cursor.to_owned()))
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: u16,
}

impl Asked {
    /// Reads the two parameters.
    ///
    /// # Errors
    /// 400 `invalid_cursor` or `invalid_limit`.
    pub(crate) fn read(
        list: &ListName,
        cursor: Option<&str>,
        limit: Option<&str>,
    ) -> Result<Self, Problem> {
        let limit = match limit {
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=LARGEST).contains(limit)).ok_or_else(
                    || Problem::bad_request("invalid_limit", "A limit is a number from 1 to 100."),
                )?
            }
            None => USUAL,
        };
        let after = match cursor {
            Some(text) => Some(list.unwrap(text).ok_or_else(|| {
                let detail = "The cursor is not one that this list has given.";
                Problem::bad_request("invalid_cursor", detail)
            })?),
            None => None,
        };
        Ok(Self { after, limit })
    }
}

/// The shape of `limit`.
#[derive(Debug)]
pub(crate) enum Limit {}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": LARGEST })
    }
}

/// One page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    /// Absent on the last page. A page may be empty although more follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<T> Listed<T> {
    pub(crate) fn of<U>(list: &ListName, page: Page<U>, item: impl FnMut(U) -> T) -> Self {
        let next_cursor = page.next.as_ref().map(|cursor| list.wrap(cursor));
        Self { items: page.items.into_iter().map(item).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_in_its_own_list_only() {
        let audit = ListName::of(&["audit", "sub_1"]);
        let given = audit.wrap(&Cursor("{\"sk\":7}".into()));
        let asked = Asked::read(&audit, Some(&given), None).unwrap();
        assert_eq!(asked, Asked { after: Some(Cursor("{\"sk\":7}".into())), limit: 50 });
        let other = ListName::of(&["audit", "sub_2"]);
        assert_eq!(Asked::read(&other, Some(&given), None).unwrap_err().code, "invalid_cursor");
        for noise in ["", "x", "!!", &given[1..]] {
            assert_eq!(Asked::read(&audit, Some(noise), None).unwrap_err().code, "invalid_cursor");
        }
    }

    #[test]
    fn a_limit_is_a_number_from_1_to_100() {
        let list = ListName::of(&["all"]);
        assert_eq!(Asked::read(&list, None, Some("100")).unwrap().limit, 100);
        for wrong in ["0", "101", "-1", "ten", ""] {
            assert_eq!(Asked::read(&list, None, Some(wrong)).unwrap_err().code, "invalid_limit");
        }
    }
}
