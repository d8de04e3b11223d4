//! What changes a mailbox: a reminder is appended, and taken away again. Part of `imap`.
//!
//! Invariant: nothing else in kithd sends a command that changes anything at an IMAP server.

use super::command::{Part, astring};
use super::connection::Done;
use super::{AppendUid, Error, Examined, MailboxName, Session, Transport, Uid};
use crate::evidence::Level;
use crate::fail;

/// Why a message was not appended, as far as is known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{error}")]
pub struct AppendError {
    /// The whole message was handed over and no answer came: it may be there or not.
    pub unknown: bool,
    /// What happened.
    pub error: Error,
}

impl<S: Transport> Session<S> {
    /// Puts a message into a mailbox; its lines end in CRLF. `flags` as in `\Seen`.
    ///
    /// # Errors
    /// [`AppendError`] says whether the message may be there all the same.
    pub async fn append(
        &mut self,
        name: &MailboxName,
        flags: &[&str],
        message: &[u8],
    ) -> Result<Option<AppendUid>, AppendError> {
        let mut handed_over = false;
        match self.put(name, flags, message, &mut handed_over).await {
            Ok(done) => match self.connection.checked("take a message", done) {
                Ok(done) => Ok(done.append_uid),
                Err(error) => Err(AppendError { unknown: false, error }),
            },
            Err(error) => Err(AppendError { unknown: handed_over, error }),
        }
    }

    async fn put(
        &mut self,
        name: &MailboxName,
        flags: &[&str],
        message: &[u8],
        handed_over: &mut bool,
    ) -> Result<Done, Error> {
        let Some((last, rest)) = message.split_last() else {
            return Err(Error::Refused(self.connection.lost(Level::Stop, "takes no empty message").into()));
        };
        self.connection.begin()?;
        let tag = self.connection.next_tag();
        let mut line = format!("{tag} APPEND ").into_bytes();
        match astring(name.raw()) {
            Part::Literal(bytes) => {
                if let Err(done) = self.connection.announce(&tag, &mut line, bytes.len()).await? {
                    self.connection.finish();
                    return Ok(done);
                }
                line.extend_from_slice(&bytes);
            }
            quoted => line.extend_from_slice(quoted.plain().unwrap_or_default()),
        }
        line.extend_from_slice(format!(" ({}) ", flags.join(" ")).as_bytes());
        if let Err(done) = self.connection.announce(&tag, &mut line, message.len()).await? {
            self.connection.finish();
            return Ok(done);
        }
        // all but the last byte: until that leaves, the server cannot have the message
        line.extend_from_slice(rest);
        self.connection.write(&line).await?;
        self.connection.flush().await?;
        fail::point("imap.append.end");
        *handed_over = true;
        self.connection.write(&[*last, b'\r', b'\n']).await?;
        self.connection.flush().await?;
        fail::point("imap.append.sent");
        let done = self.connection.finished(&tag, &mut |_| {}).await?;
        fail::point("imap.append.answer");
        self.connection.finish();
        Ok(done)
    }

    /// Opens a mailbox for writing. For `retire` alone: everything else uses
    /// [`examine`](Self::examine).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn select(&mut self, name: &MailboxName) -> Result<Examined, Error> {
        self.open("SELECT", name).await
    }

    /// Marks one message of the selected mailbox as `\Deleted`. For `retire` alone.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn uid_store_deleted(&mut self, uid: Uid) -> Result<(), Error> {
        fail::point("imap.retire.mark");
        let command = [Part::Text(format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"))];
        self.connection.exec("mark a message as deleted", &command, &mut |_| {}).await.map(|_| ())
    }

    /// Removes one message that is marked, and no other (UIDPLUS, RFC 4315). For `retire` alone.
    ///
    /// # Errors
    /// [`Error::Refused`] where the server does not offer it.
    pub async fn uid_expunge(&mut self, uid: Uid) -> Result<(), Error> {
        if !self.connection.capabilities.has("UIDPLUS") {
            return Err(Error::Refused(self.connection.lost(Level::Wait, "offers no UID EXPUNGE").into()));
        }
        fail::point("imap.retire.remove");
        let command = [Part::Text(format!("UID EXPUNGE {uid}"))];
        let removed = self.connection.exec("remove a message", &command, &mut |_| {}).await.map(|_| ());
        fail::point("imap.retire.removed");
        removed
    }
}
