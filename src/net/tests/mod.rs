//! The wire against servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod http;
pub mod servers;
mod tls;
mod token;
