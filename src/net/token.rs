//! Proof of who the user is: passwords, and OAuth2 tokens that are renewed. Part of `net`.
//!
//! Invariant: tokens live in memory only; a refused token is renewed once, and not again and again.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use super::{Login, Trouble};

/// What is shown to a server.
#[derive(Debug)]
pub enum Shown {
    /// A password.
    Password(SecretString),
    /// An OAuth2 access token (RFC 6750).
    Token(SecretString),
}

/// One login, with the token it holds; clones share it.
#[derive(Clone)]
pub struct Credentials(Arc<Login>);

impl Credentials {
    /// Nothing is read or fetched yet.
    pub fn new(login: &Login) -> Credentials {
        Credentials(Arc::new(login.clone()))
    }

    /// User name.
    pub fn username(&self) -> &str {
        &self.0.username
    }

    /// A proof to show now: the password read anew, or a token that is thought to be good.
    ///
    /// # Errors
    /// [`Level::Wait`](crate::evidence::Level::Wait), or `Stop` where only a new login helps.
    pub async fn proof(&self) -> Result<Shown, Trouble> {
        todo!()
    }

    /// The server refused it: the next [`proof`](Self::proof) of a token is a fresh one.
    pub fn refused(&self) {}
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.username())
    }
}
