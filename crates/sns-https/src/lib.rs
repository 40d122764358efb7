#![doc = include_str!("../README.md")]

mod certificate;
mod envelope;
mod error;
mod shelf;
mod urls;
mod verifier;

pub use certificate::{InvalidRoots, Roots};
pub use envelope::{Delivery, Kind};
pub use error::SnsError;
pub use urls::Hosts;
pub use verifier::{OLDEST, Rules, Verifier};
