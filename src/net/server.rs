//! Servers, logins and where secrets are found, as the config describes them. Part of `net`.
//!
//! Invariant: a secret is only described here, never read.

use std::path::PathBuf;

use super::Url;

/// Where a secret is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Secret {
    /// The first line a program prints; program and arguments, no shell.
    Command(Vec<String>),
    /// The first line of a file, which others must not be able to read.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
    /// A file in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`).
    Credential(String),
}

/// How an access token is had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OAuth2 {
    /// The first line a program prints.
    TokenCommand(Vec<String>),
    /// A refresh token, exchanged (RFC 6749 6).
    Refresh {
        /// Token endpoint; https.
        token_url: Url,
        /// Client.
        client_id: String,
        /// Public clients have none.
        client_secret: Option<Secret>,
        /// Refresh token.
        refresh_token: Secret,
    },
}

/// What proves who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// A password.
    Password(Secret),
    /// An access token.
    OAuth2(OAuth2),
}

/// Who we are, and the proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// User name.
    pub username: String,
    /// The proof.
    pub proof: Proof,
}

/// How a connection is kept private.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, and nothing before it.
    StartTls,
    /// Plain; to this machine only.
    None,
}

/// An IMAP or SMTP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS.
    pub security: Security,
    /// A CA to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}
