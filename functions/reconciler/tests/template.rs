//! The template gives this function what it can use, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use lambda_shell::config::Configuration;
use template::{expect_none, policy_problems, variable_problems};

#[test]
fn its_policy_allows_exactly_what_it_can_call() {
    let binary = Path::new(env!("CARGO_BIN_EXE_reconciler"));
    expect_none(&policy_problems("reconciler", binary).unwrap());
}

#[test]
fn its_variables_are_exactly_those_it_reads() {
    expect_none(&variable_problems("reconciler", &reconciler::Config::variables()).unwrap());
}
