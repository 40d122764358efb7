//! Which tags AWS takes, and how they are read and written.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use domain::metering::{InvalidTags, MOST_TAGS, Tags};

fn tags(pairs: &[(&str, &str)]) -> Result<Tags, InvalidTags> {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    pairs.collect::<BTreeMap<_, _>>().try_into()
}

#[test]
fn as_many_as_aws_takes_and_no_more() {
    let named = |count: usize| {
        let names = (0..count).map(|number| (format!("key {number}"), "value".to_owned()));
        Tags::try_from(names.collect::<BTreeMap<_, _>>())
    };
    assert!(named(MOST_TAGS).is_ok());
    assert_eq!(named(MOST_TAGS + 1), Err(InvalidTags::TooMany));
}

#[test]
fn as_long_as_aws_takes_and_no_longer() {
    let (key, value) = ("k".repeat(100), "v".repeat(256));
    assert!(tags(&[(&key, &value)]).is_ok());
    assert_eq!(tags(&[(&format!("{key}k"), "v")]), Err(InvalidTags::Key));
    assert_eq!(tags(&[("k", &format!("{value}v"))]), Err(InvalidTags::Value));
    assert_eq!(tags(&[("", "v")]), Err(InvalidTags::Key));
    assert_eq!(tags(&[("k", "")]), Err(InvalidTags::Value));
}

#[test]
fn only_characters_that_aws_takes() {
    for value in ["Blue 7", "a=b", "x_y@z", "!\"#$%&'()*+,-./:;<="] {
        assert!(tags(&[("team", value)]).is_ok(), "{value}");
    }
    for value in ["blüe", "a>b", "a?b", "tab\there", "[x]", "~"] {
        assert_eq!(tags(&[("team", value)]), Err(InvalidTags::Value), "{value}");
    }
}

#[test]
fn they_are_read_and_written_by_key() {
    let both = tags(&[("team", "blue"), ("cost centre", "7")]).unwrap();
    assert!(!both.is_empty() && Tags::default().is_empty());
    assert_eq!(both.iter().collect::<Vec<_>>(), [("cost centre", "7"), ("team", "blue")]);
    let written = serde_json::to_string(&both).unwrap();
    assert_eq!(written, r#"{"cost centre":"7","team":"blue"}"#);
    assert_eq!(serde_json::from_str::<Tags>(&written).unwrap(), both);
}
