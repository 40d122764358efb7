//! Where variables come from, and the reader that collects what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A source of variables: the process environment, or a map in tests and in the local system.
#[derive(Clone)]
pub struct Vars(Arc<Get>);

type Get = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Vars {
    /// A source that asks `get`.
    pub fn new(get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(get))
    }

    /// The process environment.
    pub fn from_env() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// These variables and no others.
    pub fn of<'a>(vars: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let vars: BTreeMap<String, String> =
            vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::new(move |name| vars.get(name).cloned())
    }

    /// One variable; an empty one counts as absent, as templates pass unset parameters as empty text.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vars")
    }
}

/// Reads variables and notes what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    vars: &'a Vars,
    asked: BTreeSet<&'static str>,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(vars: &'a Vars) -> Self {
        Self { vars, asked: BTreeSet::new(), problems: Vec::new() }
    }

    pub(super) fn finish<T>(self, config: Option<T>) -> Result<T, InvalidConfig> {
        config.filter(|_| self.problems.is_empty()).ok_or(InvalidConfig { problems: self.problems })
    }

    pub(super) fn asked(self) -> Vec<&'static str> {
        self.asked.into_iter().collect()
    }

    /// A variable that must be set. `rule` completes "must be …"; `parse` answers `None` when the value breaks it.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if let Some(text) = self.text(name) {
            self.parsed(name, rule, parse(&text))
        } else {
            self.problem(name, &format!("is not set and must be {rule}"));
            None
        }
    }

    /// A variable that may be absent. The outer `None` is a noted problem.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.text(name) {
            Some(text) => self.parsed(name, rule, parse(&text)).map(Some),
            None => Some(None),
        }
    }

    /// A variable with a value for when it is absent.
    pub fn or<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        absent: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.optional(name, rule, parse).map(|value| value.unwrap_or(absent))
    }

    /// Notes what is wrong with a variable; `what` continues its name and must not repeat its value.
    pub fn problem(&mut self, name: &'static str, what: &str) {
        let problem = format!("{name} {what}");
        // Groups may share a variable.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked.insert(name);
        self.vars.get(name)
    }

    fn parsed<T>(&mut self, name: &'static str, rule: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.problem(name, &format!("must be {rule}"));
        }
        value
    }
}

/// Variables that are missing or malformed, one sentence each.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not right: {}", problems.join("; "))]
pub struct InvalidConfig {
    problems: Vec<String>,
}

impl InvalidConfig {
    /// The problems, each beginning with the variable's name.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// The sentences themselves: a failing `main` prints its error with `Debug`.
impl fmt::Debug for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
