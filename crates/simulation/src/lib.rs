#![doc = include_str!("../README.md")]

mod access;
mod aws_side;
mod bug;
mod core;
mod dice;
mod hold;
mod laws;
mod line;
mod loss;
mod order;
mod outside;
mod own;
mod people;
mod plan;
mod platform;
mod run;
mod setup;
mod shrink;
mod store;
mod table;
mod task;
mod truth;
mod usage;
mod verdict;
mod world;

pub use bug::{Bug, UnknownBug};
pub use core::Broken;
pub use plan::Weather;
pub use run::{Life, Many, Summary, fingerprint, live, live_over, many};
pub use shrink::{Story, story, trace};
pub use table::{Caught, caught};
