//! The IMAP client: one logged-in connection with checked commands and typed answers. Floor 7.5,
//! between the wire and the doors; it knows nothing of batches, cursors or evidence.
//!
//! Invariant: an answer counts only with its tagged OK. NO, BAD, BYE, silence and the end of the
//! stream are errors; there is no partial success.

mod answers;
mod check;
mod command;
mod connection;
mod fetch;
mod login;
mod name;
mod session;
mod wire;
mod words;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use answers::{
    AppendUid, Capabilities, Examined, Fetched, Flags, Items, Listed, ModSeq, News, Row, SpecialUse, Status, Uid,
    UidSet, UidValidity,
};
pub use command::quoted;
pub use fetch::Fetch;
pub use login::connect;
pub use name::{MailboxName, decode_utf7, encode_utf7};
pub use session::Session;
pub use write::AppendError;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::net::Trouble;

/// What a session runs over: `net::tls::Stream`, or a script.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Why a command gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The server said NO or BAD to this command; the session is good for the next one. A mailbox
    /// that is gone or closed to us is refused like this.
    #[error(transparent)]
    Refused(Trouble),
    /// The connection is of no more use: BYE, silence, the end of the stream, or no IMAP.
    #[error(transparent)]
    Lost(Trouble),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error {
            Error::Refused(trouble) | Error::Lost(trouble) => trouble,
        }
    }
}
