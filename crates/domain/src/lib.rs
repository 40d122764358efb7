#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod audit;
pub mod catalog;
pub mod delivery;
pub mod entitlement;
pub mod ids;
pub mod metering;
pub mod notice;
pub mod quantity;
pub mod subscription;
pub mod time;
