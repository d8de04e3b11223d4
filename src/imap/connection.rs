//! One connection: commands out, responses in, each command with its checked end. Part of `imap`.
//!
//! Invariant: a connection that was left in the middle of an answer answers no command any more.

use std::io;
use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{self, MailboxDatum, Response, ResponseCode};
use secrecy::SecretString;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::command::Part;
use super::wire::Wire;
use super::{AppendUid, Capabilities, Error, News, Transport, UidValidity, words};
use crate::address::veil;
use crate::evidence::Level;
use crate::net::Trouble;
use crate::net::token::hidden;
use crate::{fail, limits};

/// Tagged OK, NO or BAD.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
}

/// How a command ended: its tagged response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Done {
    pub(super) tag: String,
    pub(super) status: Status,
    /// The code in brackets, whatever it is, and the text after it; of a stranger.
    pub(super) code: String,
    pub(super) text: String,
    /// CAPABILITY, where it is the code.
    pub(super) capabilities: Option<Capabilities>,
    /// APPENDUID, where it is the code.
    pub(super) append_uid: Option<AppendUid>,
}

/// A connection, greeted or not, logged in or not.
pub(super) struct Connection<S: Transport> {
    client: Client<Wire<S>>,
    /// For messages.
    pub(super) host: String,
    pub(super) capabilities: Capabilities,
    /// What came unasked.
    pub(super) news: News,
    /// UIDVALIDITY of the open mailbox, and whether another one was said since.
    pub(super) uid_validity: Option<UidValidity>,
    pub(super) made_anew: bool,
    /// What was shown to log in, in every form that left: a server may hand it back.
    pub(super) secrets: Vec<SecretString>,
    tags: u32,
    /// A command has begun and not ended.
    unfinished: bool,
}

impl<S: Transport> Connection<S> {
    pub(super) fn new(host: &str, stream: S) -> Connection<S> {
        Connection {
            client: Client::new(Wire::new(stream)),
            host: host.to_string(),
            capabilities: Capabilities::default(),
            news: News::default(),
            uid_validity: None,
            made_anew: false,
            secrets: Vec::new(),
            tags: 0,
            unfinished: false,
        }
    }

    pub(super) fn wire(&mut self) -> &mut Wire<S> {
        self.client.get_mut()
    }

    /// The connection is of no more use.
    pub(super) fn lost(&self, level: Level, what: &str) -> Error {
        Error::Lost(Trouble { level, what: format!("{} {}", self.host, hidden(what, &self.secrets)) })
    }

    /// Lets `each` see the next response. BYE, silence, the end of the stream and what is no IMAP are
    /// errors; what came unasked is noted first.
    pub(super) async fn read<T>(
        &mut self,
        each: impl FnOnce(&mut Self, &Response<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let response = match self.client.read_response().await {
            Ok(Some(response)) => response,
            Ok(None) => return Err(self.lost(Level::Retry, "closed the connection")),
            Err(error) => return Err(self.broken(&error)),
        };
        match response.parsed() {
            Response::Data { status: imap_proto::Status::Bye, outcome } => {
                let (code, text) = words::split(outcome);
                return Err(Error::Lost(words::bye(&self.host, &code, &hidden(&text, &self.secrets))));
            }
            Response::Data { outcome, .. } => self.note(outcome.code.as_ref(), outcome.information.as_deref()),
            Response::MailboxData(MailboxDatum::Exists(exists)) => self.news.exists = Some(*exists),
            Response::Expunge(_) => self.news.expunged = true,
            _ => {}
        }
        each(self, response.parsed())
    }

    /// Reads until `each` has what is waited for.
    pub(super) async fn read_until<T>(
        &mut self,
        mut each: impl FnMut(&mut Self, &Response<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let wait = async {
            loop {
                if let Some(found) = self.read(&mut each).await? {
                    return Ok(found);
                }
            }
        };
        let found = timeout(Duration::from_secs(limits::IMAP_COMMAND_SECS), wait).await;
        found.unwrap_or_else(|_| {
            let what = format!("does not come to an end within {} s", limits::IMAP_COMMAND_SECS);
            Err(self.lost(Level::Wait, &what))
        })
    }

    fn note(&mut self, code: Option<&ResponseCode<'_>>, text: Option<&str>) {
        match code {
            Some(ResponseCode::UidValidity(now)) => {
                self.made_anew |= self.uid_validity.is_some_and(|before| before != *now);
            }
            Some(ResponseCode::Alert) => {
                let text = hidden(text.unwrap_or_default(), &self.secrets);
                tracing::warn!(server = self.host, "{}", veil(&words::cut(&text)));
            }
            _ => {}
        }
    }

    pub(super) fn broken(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::TimedOut => {
                self.lost(Level::Wait, &format!("says nothing for {} s", limits::IMAP_QUIET_SECS))
            }
            io::ErrorKind::InvalidData => match error.get_ref().and_then(|e| e.downcast_ref::<super::check::Bad>()) {
                Some(bad) => self.lost(Level::Wait, &format!("sends {bad}")),
                // what rustls says
                None => self.lost(Level::Wait, &format!("breaks TLS: {}", words::cut(&error.to_string()))),
            },
            io::ErrorKind::UnexpectedEof => self.lost(Level::Retry, "closed the connection in the middle of an answer"),
            // of async-imap, with all that was read in it
            io::ErrorKind::Other => self.lost(Level::Wait, "sends something that is no IMAP"),
            _ => self.lost(Level::Retry, &format!("closed the connection ({})", words::cut(&error.to_string()))),
        }
    }

    /// Begins a command, if the last one has ended.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        if self.unfinished {
            return Err(self.lost(Level::Retry, "was left in the middle of an answer"));
        }
        self.unfinished = true;
        Ok(())
    }

    /// Every command has ended.
    pub(super) fn finish(&mut self) {
        self.unfinished = false;
    }

    pub(super) fn next_tag(&mut self) -> String {
        self.tags = self.tags.wrapping_add(1);
        format!("k{}", self.tags)
    }

    /// Writes, with a deadline.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(limits::IMAP_READ_BYTES) {
            let written = timeout(Duration::from_secs(limits::IMAP_QUIET_SECS), self.wire().write_all(piece)).await;
            self.written(written)?;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let flushed = timeout(Duration::from_secs(limits::IMAP_QUIET_SECS), self.wire().flush()).await;
        self.written(flushed)
    }

    fn written(&self, result: Result<io::Result<()>, tokio::time::error::Elapsed>) -> Result<(), Error> {
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_) => Err(self.broken(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Sends a command and gives its tag. Literals wait for their `+`, unless the server does without.
    /// `Err` holds the end of the command, where the server would not have a literal.
    pub(super) async fn send(&mut self, parts: &[Part]) -> Result<Result<String, Done>, Error> {
        fail::point("imap.command");
        let tag = self.next_tag();
        let mut line = format!("{tag} ").into_bytes();
        for part in parts {
            if let Some(plain) = part.plain() {
                line.extend_from_slice(plain);
            } else if let Some(bytes) = part.literal() {
                if let Err(done) = self.announce(&tag, &mut line, bytes.len()).await? {
                    return Ok(Err(done));
                }
                line.extend_from_slice(bytes);
            }
        }
        line.extend_from_slice(b"\r\n");
        self.write(&line).await?;
        self.flush().await?;
        Ok(Ok(tag))
    }

    /// Sends a command that is text alone, and gives its tag.
    pub(super) async fn post(&mut self, text: &str) -> Result<String, Error> {
        let tag = self.next_tag();
        self.write(format!("{tag} {text}\r\n").as_bytes()).await?;
        self.flush().await?;
        Ok(tag)
    }

    /// Writes `line` and the length of a literal, and waits until the server wants it.
    pub(super) async fn announce(
        &mut self,
        tag: &str,
        line: &mut Vec<u8>,
        length: usize,
    ) -> Result<Result<(), Done>, Error> {
        let at_once = self.capabilities.has("LITERAL+") || (self.capabilities.has("LITERAL-") && length <= 4096);
        line.extend_from_slice(format!("{{{length}{}}}\r\n", if at_once { "+" } else { "" }).as_bytes());
        if at_once {
            return Ok(Ok(()));
        }
        self.write(line).await?;
        self.flush().await?;
        line.clear();
        self.go_ahead(tag).await
    }

    /// Waits for `+`; `Err` holds the end of the command, where that came instead.
    pub(super) async fn go_ahead(&mut self, tag: &str) -> Result<Result<(), Done>, Error> {
        self.read_until(|connection, response| match response {
            Response::Continue(_) => Ok(Some(Ok(()))),
            Response::Done { .. } => Ok(Some(Err(connection.done(response, &[tag])?))),
            _ => {
                connection.news.flags |= matches!(response, Response::Fetch(..));
                Ok(None)
            }
        })
        .await
    }

    /// The end of one of these commands.
    pub(super) fn done(&self, response: &Response<'_>, tags: &[&str]) -> Result<Done, Error> {
        let Response::Done { tag, status, outcome } = response else {
            return Err(self.lost(Level::Wait, "sends something that is no IMAP"));
        };
        if !tags.contains(&tag.0.as_str()) {
            return Err(self.lost(Level::Wait, "answers a command that was not sent"));
        }
        let status = match status {
            imap_proto::Status::Ok => Status::Ok,
            imap_proto::Status::No => Status::No,
            _ => Status::Bad,
        };
        let capabilities = match &outcome.code {
            Some(ResponseCode::Capabilities(list)) => Some(capabilities(list)),
            _ => None,
        };
        let append_uid = match &outcome.code {
            Some(ResponseCode::AppendUid(uid_validity, uids)) => match uids.first() {
                Some(UidSetMember::Uid(uid)) => Some(AppendUid { uid_validity: *uid_validity, uid: *uid }),
                _ => None,
            },
            _ => None,
        };
        let (code, text) = words::split(outcome);
        let text = hidden(&text, &self.secrets);
        Ok(Done { tag: tag.0.clone(), status, code, text, capabilities, append_uid })
    }

    /// Reads until the command with this tag ends; `each` sees every other response.
    pub(super) async fn finished(
        &mut self,
        tag: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, Error> {
        self.read_until(|connection, response| {
            match response {
                Response::Done { .. } => return connection.done(response, &[tag]).map(Some),
                Response::Fetch(..) => connection.news.flags = true,
                _ => {}
            }
            each(response);
            Ok(None)
        })
        .await
    }

    /// A whole command, whatever its end.
    pub(super) async fn run(
        &mut self,
        parts: &[Part],
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, Error> {
        self.begin()?;
        let done = match self.send(parts).await? {
            Ok(tag) => self.finished(&tag, each).await?,
            Err(done) => done,
        };
        self.finish();
        Ok(done)
    }

    /// A whole command that must end with OK. `doing` is what it does, for the message.
    pub(super) async fn exec(
        &mut self,
        doing: &str,
        parts: &[Part],
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, Error> {
        let done = self.run(parts, each).await?;
        self.checked(doing, done)
    }

    /// OK, or an error.
    pub(super) fn checked(&self, doing: &str, done: Done) -> Result<Done, Error> {
        match done.status {
            Status::Ok => Ok(done),
            _ => Err(Error::Refused(words::refused(&self.host, doing, &done))),
        }
    }

    /// Asks for the capabilities anew.
    pub(super) async fn ask_capabilities(&mut self) -> Result<(), Error> {
        let mut found = Capabilities::default();
        let command = [Part::Text("CAPABILITY".to_string())];
        self.exec("say what it can do", &command, &mut |response| {
            if let Response::Capabilities(list) = response {
                found = capabilities(list);
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    /// Gives the stream back, and whatever was not read is lost.
    pub(super) fn into_wire(self) -> Wire<S> {
        self.client.into_inner()
    }
}

pub(super) fn capabilities(list: &[imap_proto::Capability<'_>]) -> Capabilities {
    let names = list.iter().map(|capability| match capability {
        imap_proto::Capability::Imap4rev1 => "IMAP4REV1".to_string(),
        imap_proto::Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        imap_proto::Capability::Atom(name) => name.to_ascii_uppercase(),
    });
    Capabilities(names.collect())
}
