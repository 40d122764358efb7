//! Every parser of outside bytes, fed with mutated examples: none may panic, and none may blame us (a 500) for what a
//! caller sent.
//!
//! This runs on the stable toolchain and without instrumentation: examples are broken in the ways in which they break
//! (see `mutate`), seeded anew at each run unless `FUZZ_SEED` says otherwise. `FUZZ_SECONDS` is the time for each target;
//! as part of the tests it is a fraction of a second. A finding prints its input, which then belongs to `tests/corpus/`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::large_futures,
    clippy::indexing_slicing,
    reason = "a test may panic, and tells its figures"
)]

mod corpus;
mod http;
mod mutate;
mod parsers;
mod run;
