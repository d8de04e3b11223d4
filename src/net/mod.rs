//! The wire: how a server is reached and how kithd proves who its user is. Floor 7.
//!
//! Invariant: a secret is held only as long as it is used, and no `Debug`, message or log shows one,
//! nor a URL beyond its host.

pub mod dns;
pub mod http;
mod reach;
pub mod secret;
mod server;
mod throttle;
pub mod tls;
pub mod token;
mod url;
mod words;

pub use server::{Login, OAuth2, Proof, Secret, Security, Server};
pub use url::{Url, Web, is_loopback};

use crate::evidence::Level;

/// Why something on the wire did not come about.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct Trouble {
    /// What is done about it.
    pub level: Level,
    /// In plain words, with what the user can do; never a secret.
    pub what: String,
}

#[cfg(test)]
pub(crate) mod tests;
