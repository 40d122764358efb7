//! The Agreement service, as far as a seller uses it (F§5).

mod access;
mod cancel;
mod describe;
mod entitled;
mod filter;
mod search;
mod terms;
