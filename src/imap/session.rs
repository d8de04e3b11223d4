//! A logged-in connection and what it reads of mailboxes. Part of `imap`.
//!
//! Invariant: mailboxes are only examined; what changes one is in `write`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response, ResponseCode, StatusAttribute};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use super::command::{Part, astring, quoted, unquoted};
use super::connection::{Connection, Status as Ended};
use super::fetch::Fetch;
use super::{
    Capabilities, Error, Examined, Items, Listed, MailboxName, News, SpecialUse, Status, Transport, Uid, UidSet, words,
};
use crate::evidence::Level;
use crate::limits;

/// One logged-in connection. A future of it that is dropped before its end leaves the connection in
/// the middle of an answer: every later command is [`Error::Lost`].
pub struct Session<S: Transport> {
    pub(super) connection: Connection<S>,
}

impl<S: Transport> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.connection.host)
    }
}

impl<S: Transport> Session<S> {
    pub(super) fn new(connection: Connection<S>) -> Session<S> {
        Session { connection }
    }

    /// What the server can do, as of the login.
    pub fn capabilities(&self) -> &Capabilities {
        &self.connection.capabilities
    }

    /// Every mailbox, by name. With `status`, and where the server can (LIST-STATUS, RFC 5819), each
    /// with its [`Status`] in the same answer; where it cannot, [`Listed::status`] is `None`: see
    /// [`statuses`](Self::statuses).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(&mut self, status: bool) -> Result<Vec<Listed>, Error> {
        let offers = |capability| self.connection.capabilities.has(capability);
        let mut wanted = Vec::new();
        if offers("SPECIAL-USE") && offers("LIST-EXTENDED") {
            wanted.push("SPECIAL-USE".to_string());
        }
        if status && offers("LIST-STATUS") {
            wanted.push(format!("STATUS {}", self.status_items()));
        }
        if !wanted.is_empty() {
            match self.list_with(&format!(" RETURN ({})", wanted.join(" "))).await {
                // offered, and not understood
                Err(Error::Refused(_)) => {}
                other => return other,
            }
        }
        self.list_with("").await
    }

    async fn list_with(&mut self, options: &str) -> Result<Vec<Listed>, Error> {
        let mut found: BTreeMap<MailboxName, Listed> = BTreeMap::new();
        let mut statuses = Vec::new();
        let mut too_many = false;
        let command = [Part::Text(format!("LIST \"\" \"*\"{options}"))];
        self.connection
            .exec("list the mailboxes", &command, &mut |response| match response {
                Response::MailboxData(MailboxDatum::List(data)) => {
                    let listed = listed(&data.name_attributes, data.delimiter.as_deref(), &data.name);
                    too_many |= found.len() >= limits::IMAP_MAILBOXES;
                    if !too_many {
                        found.entry(listed.name.clone()).or_insert(listed);
                    }
                }
                Response::MailboxData(MailboxDatum::Status { mailbox, status })
                    if statuses.len() < limits::IMAP_MAILBOXES =>
                {
                    statuses.push((MailboxName::from_raw(&unquoted(mailbox)), said(status)));
                }
                _ => {}
            })
            .await?;
        if too_many {
            let what = format!("lists more than {} mailboxes", limits::IMAP_MAILBOXES);
            return Err(self.connection.lost(Level::Wait, &what));
        }
        for (name, status) in statuses {
            if let Some(listed) = found.get_mut(&name) {
                listed.status = Some(status);
            }
        }
        Ok(found.into_values().collect())
    }

    fn status_items(&self) -> &'static str {
        if self.connection.capabilities.has_condstore() {
            "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
        } else {
            "(MESSAGES UIDNEXT UIDVALIDITY)"
        }
    }

    /// STATUS of many mailboxes, pipelined; in their order. `None` where it was refused.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub async fn statuses(&mut self, names: &[MailboxName]) -> Result<Vec<Option<Status>>, Error> {
        let items = self.status_items();
        let mut found = vec![None; names.len()];
        let mut later = Vec::new();
        let mut waiting = names.iter().zip(&mut found);
        let mut running: VecDeque<Asked<'_>> = VecDeque::new();
        self.connection.begin()?;
        loop {
            while running.len() < limits::IMAP_STATUS_WINDOW {
                let Some((name, slot)) = waiting.next() else { break };
                match quoted(name.raw()) {
                    Some(quoted) => {
                        let tag = self.connection.post(&format!("STATUS {quoted} {items}")).await?;
                        running.push_back(Asked { tag, name, said: None, slot });
                    }
                    // its literal would wait for a `+` among the answers of others
                    None => later.push((name, slot)),
                }
            }
            if running.is_empty() {
                break;
            }
            self.one_status(&mut running).await?;
        }
        self.connection.finish();
        for (name, slot) in later {
            let parts = [Part::Text("STATUS ".to_string()), astring(name.raw()), Part::Text(format!(" {items}"))];
            let mut answer = None;
            let mut each = |response: &Response<'_>| {
                if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
                    answer = Some(said(status));
                }
            };
            let done = self.connection.run(&parts, &mut each).await?;
            *slot = answer.filter(|_| done.status == Ended::Ok);
        }
        Ok(found)
    }

    /// Reads up to the end of one of these.
    async fn one_status(&mut self, running: &mut VecDeque<Asked<'_>>) -> Result<(), Error> {
        let wait = self.connection.read_until(|connection, response| match response {
            Response::MailboxData(MailboxDatum::Status { mailbox, status }) => {
                let name = MailboxName::from_raw(&unquoted(mailbox));
                // a server may write the name in another way: then the order tells
                let by_name = running.iter().position(|asked| *asked.name == name && asked.said.is_none());
                if let Some(asked) = running.get_mut(by_name.unwrap_or(0)) {
                    asked.said = Some(said(status));
                }
                Ok(None)
            }
            Response::Done { .. } => {
                let tags: Vec<&str> = running.iter().map(|asked| asked.tag.as_str()).collect();
                connection.done(response, &tags).map(Some)
            }
            _ => Ok(None),
        });
        let done = wait.await?;
        let at = running.iter().position(|asked| asked.tag == done.tag);
        if let Some(asked) = at.and_then(|at| running.remove(at)) {
            *asked.slot = asked.said.filter(|_| done.status == Ended::Ok);
        }
        Ok(())
    }

    /// Opens a mailbox read-only; (CONDSTORE) where the server has it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn examine(&mut self, name: &MailboxName) -> Result<Examined, Error> {
        self.open("EXAMINE", name).await
    }

    pub(super) async fn open(&mut self, verb: &str, name: &MailboxName) -> Result<Examined, Error> {
        let condstore = if self.connection.capabilities.has_condstore() { " (CONDSTORE)" } else { "" };
        let parts = [Part::Text(format!("{verb} ")), astring(name.raw()), Part::Text(condstore.to_string())];
        self.connection.uid_validity = None;
        self.connection.made_anew = false;
        let mut found = Examined::default();
        let mut each = |response: &Response<'_>| match response {
            Response::MailboxData(MailboxDatum::Exists(exists)) => found.exists = *exists,
            Response::Data { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(value)) => found.uid_validity = Some(*value).filter(|v| *v > 0),
                Some(ResponseCode::UidNext(value)) => found.uid_next = Some(*value).filter(|v| *v > 0),
                Some(ResponseCode::HighestModSeq(value)) => found.highest_mod_seq = Some(*value).filter(|v| *v > 0),
                Some(ResponseCode::UidNotSticky) => found.uid_not_sticky = true,
                _ => {}
            },
            _ => {}
        };
        let doing = format!("open {}", words::cut(&name.text()));
        let mut done = self.connection.run(&parts, &mut each).await?;
        // 163.com, 126.com (2024): who does not say who it is opens nothing
        if done.status != Ended::Ok && done.text.contains("Unsafe Login") && self.connection.capabilities.has("ID") {
            let id = format!("ID (\"name\" \"kithd\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
            self.connection.exec("take our name (ID)", &[Part::Text(id)], &mut |_| {}).await?;
            done = self.connection.run(&parts, &mut each).await?;
        }
        self.connection.checked(&doing, done)?;
        self.connection.uid_validity = found.uid_validity;
        self.connection.news = News::default();
        Ok(found)
    }

    /// UIDs that meet `criteria` (RFC 3501 6.4.4) in the open mailbox, ascending. Values from
    /// elsewhere go through [`quoted`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn uid_search(&mut self, criteria: &str) -> Result<Vec<Uid>, Error> {
        if !criteria.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            let what = "cannot search for this: it is not ASCII";
            return Err(Error::Refused(self.connection.lost(Level::Wait, what).into()));
        }
        let mut found: Vec<Uid> = Vec::new();
        let command = [Part::Text(format!("UID SEARCH {criteria}"))];
        self.connection
            .exec("search", &command, &mut |response| {
                if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                    let room = limits::IMAP_SEARCH_UIDS.saturating_sub(found.len());
                    found.extend(uids.iter().take(room).filter(|uid| **uid > 0));
                }
            })
            .await?;
        if found.len() >= limits::IMAP_SEARCH_UIDS {
            let what = format!("finds {} messages or more", limits::IMAP_SEARCH_UIDS);
            return Err(Error::Refused(self.connection.lost(Level::Wait, &what).into()));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Messages of the open mailbox, set after set, several commands on their way at a time. Empty
    /// sets are through at once.
    pub fn uid_fetch(&mut self, sets: Vec<UidSet>, items: Items) -> Fetch<'_, S> {
        Fetch::new(&mut self.connection, sets, &items)
    }

    /// What came unasked since the mailbox was opened, or since it was last taken.
    pub fn news(&mut self) -> News {
        std::mem::take(&mut self.connection.news)
    }

    /// NOOP: keeps the connection open, and brings news.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn noop(&mut self) -> Result<News, Error> {
        self.connection.exec("go on (NOOP)", &[Part::Text("NOOP".to_string())], &mut |_| {}).await?;
        Ok(self.news())
    }

    /// Waits for news of the open mailbox (IDLE, RFC 2177) until there is some or `stop` is ready;
    /// then [`News::is_none`]. The command is renewed every `renew_after`, at most 29 minutes.
    /// What came before, and was not taken, is news at once.
    ///
    /// # Errors
    /// [`Error::Refused`] where the server does not offer it.
    pub async fn idle(&mut self, renew_after: Duration, stop: impl Future<Output = ()> + Send) -> Result<News, Error> {
        if !self.connection.capabilities.has("IDLE") {
            return Err(Error::Refused(self.connection.lost(Level::Wait, "offers no IDLE").into()));
        }
        let renew_after = renew_after.min(Duration::from_secs(limits::IMAP_IDLE_SECS));
        let mut stop = std::pin::pin!(stop);
        let mut stopped = false;
        while self.connection.news.is_none() && !stopped {
            self.connection.begin()?;
            let tag = self.connection.post("IDLE").await?;
            if let Err(done) = self.connection.go_ahead(&tag).await? {
                self.connection.finish();
                self.connection.checked("wait for news (IDLE)", done)?;
                return Err(self.connection.lost(Level::Wait, "ends IDLE before it began"));
            }
            // the silence of a server that has no news is no fault
            self.connection.wire().put_up_with(renew_after + Duration::from_secs(limits::IMAP_QUIET_SECS));
            let mut renew = std::pin::pin!(sleep(renew_after));
            while self.connection.news.is_none() {
                // by turns: a server that never stops talking must not keep `stop` from being seen
                tokio::select! {
                    read = self.connection.read(|connection, response| match response {
                        Response::Done { .. } => Err(connection.lost(Level::Wait, "ends IDLE by itself")),
                        _ => {
                            connection.news.flags |= matches!(response, Response::Fetch(..));
                            Ok(())
                        }
                    }) => read?,
                    () = &mut stop => { stopped = true; break }
                    () = &mut renew => break,
                }
            }
            self.connection.wire().put_up_with(Duration::from_secs(limits::IMAP_QUIET_SECS));
            self.connection.write(b"DONE\r\n").await?;
            self.connection.flush().await?;
            let done = self.connection.finished(&tag, &mut |_| {}).await?;
            self.connection.finish();
            self.connection.checked("wait for news (IDLE)", done)?;
        }
        Ok(self.news())
    }

    /// Says good-bye; whatever comes of it, the connection is closed.
    pub async fn logout(mut self) {
        let bye = async {
            if self.connection.begin().is_ok()
                && let Ok(tag) = self.connection.post("LOGOUT").await
            {
                // it ends with BYE, which is an error anywhere else
                let _ = self.connection.finished(&tag, &mut |_| {}).await;
            }
            let _ = self.connection.into_wire().shutdown().await;
        };
        let _ = timeout(Duration::from_secs(limits::IMAP_LOGOUT_SECS), bye).await;
    }
}

/// A STATUS on its way.
struct Asked<'a> {
    tag: String,
    name: &'a MailboxName,
    said: Option<Status>,
    slot: &'a mut Option<Status>,
}

fn said(items: &[StatusAttribute]) -> Status {
    let mut status = Status::default();
    for item in items {
        match item {
            StatusAttribute::Messages(n) => status.messages = Some(*n),
            StatusAttribute::UidNext(n) => status.uid_next = Some(*n).filter(|n| *n > 0),
            StatusAttribute::UidValidity(n) => status.uid_validity = Some(*n).filter(|n| *n > 0),
            StatusAttribute::HighestModSeq(n) => status.highest_mod_seq = Some(*n).filter(|n| *n > 0),
            _ => {}
        }
    }
    status
}

fn listed(attributes: &[NameAttribute<'_>], delimiter: Option<&str>, name: &str) -> Listed {
    let mut listed = Listed {
        name: MailboxName::from_raw(&unquoted(name)),
        delimiter: delimiter.and_then(|text| unquoted(text).chars().next()),
        selectable: true,
        special_use: Vec::new(),
        status: None,
    };
    for attribute in attributes {
        let special_use = match attribute {
            NameAttribute::NoSelect => {
                listed.selectable = false;
                continue;
            }
            NameAttribute::All => SpecialUse::All,
            NameAttribute::Archive => SpecialUse::Archive,
            NameAttribute::Drafts => SpecialUse::Drafts,
            NameAttribute::Flagged => SpecialUse::Flagged,
            NameAttribute::Junk => SpecialUse::Junk,
            NameAttribute::Sent => SpecialUse::Sent,
            NameAttribute::Trash => SpecialUse::Trash,
            NameAttribute::Extension(name) => match name.to_ascii_lowercase().as_str() {
                "\\nonexistent" => {
                    listed.selectable = false;
                    continue;
                }
                "\\important" => SpecialUse::Important,
                // XLIST, which Gmail and its followers gave before RFC 6154
                "\\allmail" => SpecialUse::All,
                "\\spam" => SpecialUse::Junk,
                "\\starred" => SpecialUse::Flagged,
                _ => continue,
            },
            _ => continue,
        };
        listed.special_use.push(special_use);
    }
    listed
}
