#![doc = include_str!("../README.md")]

pub mod assets;
pub mod brand;
pub mod chart;
pub mod component;
pub mod format;
mod headers;
mod layout;

pub use brand::Brand;
pub use headers::secured;
pub use layout::{Link, MARKETPLACE_CONSOLE, Page, Width};
