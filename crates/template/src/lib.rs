#![doc = include_str!("../README.md")]

mod linked;
mod needs;
mod policy;
mod read;
mod variables;
mod wiring;

pub use linked::{Linked, linked};
pub use needs::{Need, Target, needs, table_needs};
pub use policy::policy_problems;
pub use read::{Alarm, MetricRef, Route, Template};
pub use variables::variable_problems;
pub use wiring::{hop_problems, limit_problems, name_problems, patience_problems, watch_problems};

/// Panics with every problem, a sentence each.
///
/// # Panics
/// When there is one.
#[track_caller]
pub fn expect_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
