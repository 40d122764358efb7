#![doc = include_str!("../README.md")]

mod linked;
mod needs;
mod policy;
mod read;
mod variables;

pub use linked::{Linked, linked};
pub use needs::{Need, Target, needs, table_needs};
pub use policy::policy_problems;
pub use read::{Alarm, MetricRef, Route, Template};
pub use variables::variable_problems;

/// Panics with every problem, a sentence each.
///
/// # Panics
/// When there is one.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub fn expect_none(problems: &[String]) {
    if !problems.is_empty() {
        panic!("\n{}\n", problems.join("\n"));
    }
}
