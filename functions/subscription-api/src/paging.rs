//! `?cursor=&limit=` and `nextCursor`.

use std::borrow::Cow;

use app::ports::{Cursor, Page};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda_shell::config::Secrets;
use lambda_shell::problem::Problem;
use lambda_shell::session::{STAMP, is_stamped, stamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::caller::Caller;

const LARGEST: u16 = 100;
const USUAL: u16 = 50;
const PURPOSE: &str = "cursor";

/// Which list a cursor goes on in: whose, what it is of, and how it is filtered.
#[derive(Debug)]
pub(crate) struct ListName<'a> {
    secrets: &'a Secrets,
    name: String,
}

impl<'a> ListName<'a> {
    pub(crate) fn of(secrets: &'a Secrets, caller: &Caller, parts: &[&str]) -> Self {
        let Caller { subject, role } = caller;
        Self { secrets, name: format!("{role}\0{subject}\0{}", parts.join("\0")) }
    }

    fn stamped(&self, cursor: &str) -> String {
        format!("{}\0{cursor}", self.name)
    }

    /// Ties a cursor to its list: what was not given here, to this caller and for this list never reaches the store,
    /// which would take it for damage of its own.
    pub(crate) fn wrap(&self, cursor: &Cursor) -> String {
        let mut bytes = stamp(self.secrets, PURPOSE, &self.stamped(&cursor.0)).to_vec();
        bytes.extend_from_slice(cursor.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn unwrap(&self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (stamp, cursor) = bytes.split_first_chunk::<STAMP>()?;
        let cursor = std::str::from_utf8(cursor).ok()?;
        let ours = is_stamped(self.secrets, PURPOSE, &self.stamped(cursor), *stamp);
        ours.then(|| Cursor(cursor.to_owned()))
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
        list: &ListName<'_>,
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
            Some(text) => Some(list.unwrap(text).ok_or_else(Problem::foreign_cursor)?),
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
    pub(crate) fn of<U>(list: &ListName<'_>, page: Page<U>, item: impl FnMut(U) -> T) -> Self {
        let next_cursor = page.next.as_ref().map(|cursor| list.wrap(cursor));
        Self { items: page.items.into_iter().map(item).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Role;

    fn secrets(text: &str) -> Secrets {
        Secrets::parse(text).unwrap()
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_list_only() {
        let caller = |subject: &str, role| Caller { subject: subject.to_owned(), role };
        let operator = caller("jo", Role::Operator);
        let ours = secrets("a-secret-that-has-32-characters!");
        let others = secrets("another-secret-of-32-characters!");
        let audit = ListName::of(&ours, &operator, &["audit", "sub_1"]);
        let given = audit.wrap(&Cursor("{\"sk\":7}".into()));
        let asked = Asked::read(&audit, Some(&given), None).unwrap();
        assert_eq!(asked, Asked { after: Some(Cursor("{\"sk\":7}".into())), limit: 50 });
        for other in [
            ListName::of(&ours, &operator, &["audit", "sub_2"]),
            ListName::of(&ours, &caller("al", Role::Operator), &["audit", "sub_1"]),
            ListName::of(&ours, &caller("jo", Role::Admin), &["audit", "sub_1"]),
            ListName::of(&others, &operator, &["audit", "sub_1"]),
        ] {
            assert_eq!(Asked::read(&other, Some(&given), None).unwrap_err().code, "invalid_cursor");
        }
        for noise in ["", "x", "!!", &given[1..]] {
            assert_eq!(Asked::read(&audit, Some(noise), None).unwrap_err().code, "invalid_cursor");
        }
    }

    #[test]
    fn a_limit_is_a_number_from_1_to_100() {
        let caller = Caller { subject: "jo".to_owned(), role: Role::Operator };
        let secrets = secrets("a-secret-that-has-32-characters!");
        let list = ListName::of(&secrets, &caller, &["all"]);
        assert_eq!(Asked::read(&list, None, Some("100")).unwrap().limit, 100);
        for wrong in ["0", "101", "-1", "ten", ""] {
            assert_eq!(Asked::read(&list, None, Some(wrong)).unwrap_err().code, "invalid_limit");
        }
    }
}
