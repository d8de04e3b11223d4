//! Dialogues with servers as they are, and as they should never be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

mod login;
mod quirks;
mod reading;
pub(crate) mod script;
mod watching;
mod wire;
mod writing;
