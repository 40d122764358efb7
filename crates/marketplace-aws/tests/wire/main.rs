//! What goes over the wire, byte for byte where it matters, and how each answer of AWS's is read.

mod agreements;
mod entitlements;
mod failures;
mod harness;
mod messages;
mod metering;
mod registration;
