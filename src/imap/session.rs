//! A logged-in connection. Part of `imap`.

use std::future::Future;
use std::time::Duration;

use super::{
    AppendUid, Capabilities, Error, Examined, Items, Listed, MailboxName, News, Row, Status, Transport, Uid, UidSet,
};
use crate::net::token::Credentials;
use crate::net::{Server, Trouble, tls};

/// One logged-in connection. A future of it that is dropped before its end leaves the connection in
/// the middle of an answer: every later command is [`Error::Lost`].
pub struct Session<S> {
    stream: S,
    capabilities: Capabilities,
}

/// Connects and logs in; a refused token is renewed and shown once more.
///
/// # Errors
/// `Stop` where the login was refused, `Wait` otherwise; with what to do about it.
pub async fn connect(server: &Server, credentials: &Credentials) -> Result<Session<tls::Stream>, Trouble> {
    let _ = (server, credentials);
    todo!()
}

/// A string as a criterion of SEARCH takes it. `None` where it cannot be one: not ASCII, or control
/// characters.
pub fn quoted(text: &str) -> Option<String> {
    let _ = text;
    todo!()
}

impl<S: Transport> Session<S> {
    /// What the server can do, as of the login.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Every mailbox. With `status`, and where the server can (LIST-STATUS, RFC 5819), each with its
    /// [`Status`] in the same answer; where it cannot, [`Listed::status`] is `None`: see
    /// [`statuses`](Self::statuses).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(&mut self, status: bool) -> Result<Vec<Listed>, Error> {
        let _ = status;
        todo!()
    }

    /// STATUS of many mailboxes, pipelined; in their order. `None` where it was refused.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn statuses(&mut self, names: &[MailboxName]) -> Result<Vec<Option<Status>>, Error> {
        let _ = names;
        todo!()
    }

    /// Opens a mailbox read-only; (CONDSTORE) where the server has it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn examine(&mut self, name: &MailboxName) -> Result<Examined, Error> {
        let _ = name;
        todo!()
    }

    /// UIDs that meet `criteria` (RFC 3501 6.4.4) in the open mailbox, ascending. Values from
    /// elsewhere go through [`quoted`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn uid_search(&mut self, criteria: &str) -> Result<Vec<Uid>, Error> {
        let _ = criteria;
        todo!()
    }

    /// Messages of the open mailbox, set after set, several commands on their way at a time.
    pub fn uid_fetch(&mut self, sets: Vec<UidSet>, items: Items) -> Fetch<'_, S> {
        let _ = items;
        Fetch { session: self, sets }
    }

    /// What came unasked since the mailbox was opened, or since it was last taken.
    pub fn news(&mut self) -> News {
        todo!()
    }

    /// NOOP: keeps the connection open, and brings news.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn noop(&mut self) -> Result<News, Error> {
        todo!()
    }

    /// Waits for news of the open mailbox (IDLE, RFC 2177) until there is some or `stop` is ready;
    /// then [`News::is_none`]. The command is renewed every `renew_after`, at most 29 minutes.
    /// What came before, and was not taken, is news at once.
    ///
    /// # Errors
    /// [`Error::Refused`] where the server does not offer it.
    pub async fn idle(&mut self, renew_after: Duration, stop: impl Future<Output = ()> + Send) -> Result<News, Error> {
        let _ = (renew_after, stop);
        todo!()
    }

    /// Puts a message into a mailbox; lines end in CRLF. `flags` as in `\Seen`.
    ///
    /// # Errors
    /// [`AppendError`] says whether the message may be there all the same.
    pub async fn append(
        &mut self,
        name: &MailboxName,
        flags: &[&str],
        message: &[u8],
    ) -> Result<Option<AppendUid>, AppendError> {
        let _ = (name, flags, message);
        todo!()
    }

    /// Opens a mailbox for writing. For `retire` alone: everything else uses
    /// [`examine`](Self::examine).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn select(&mut self, name: &MailboxName) -> Result<Examined, Error> {
        let _ = name;
        todo!()
    }

    /// Marks one message of the selected mailbox as `\Deleted`. For `retire` alone.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn uid_store_deleted(&mut self, uid: Uid) -> Result<(), Error> {
        let _ = uid;
        todo!()
    }

    /// Removes one message that is marked, and no other (UIDPLUS, RFC 4315). For `retire` alone.
    ///
    /// # Errors
    /// [`Error::Refused`] where the server does not offer it.
    pub async fn uid_expunge(&mut self, uid: Uid) -> Result<(), Error> {
        let _ = uid;
        todo!()
    }

    /// Says good-bye; whatever comes of it, the connection is closed.
    pub async fn logout(self) {
        todo!()
    }
}

/// A running FETCH; see [`Session::uid_fetch`].
pub struct Fetch<'a, S> {
    session: &'a mut Session<S>,
    sets: Vec<UidSet>,
}

impl<S: Transport> Fetch<'_, S> {
    /// The next row; `None` after the last set is through. A NO to one of the sets, a changed
    /// UIDVALIDITY and whatever ends the connection are errors, after which there is nothing more.
    ///
    /// # Errors
    /// See [`Error`]. Rows of the set that failed may have come before.
    pub async fn next(&mut self) -> Result<Option<Row>, Error> {
        let _ = (&self.session.stream, &self.sets);
        todo!()
    }
}

/// Why a message was not appended, as far as is known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{error}")]
pub struct AppendError {
    /// The whole message was handed over and no answer came: it may be there or not.
    pub unknown: bool,
    /// What happened.
    pub error: Error,
}
