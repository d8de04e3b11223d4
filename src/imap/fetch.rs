//! Messages of a mailbox, as a stream of rows. Part of `imap`.
//!
//! Invariant: a row is a message that was asked for, and a set is through only with its tagged OK.

use std::collections::VecDeque;
use std::fmt::Write;

use async_imap::imap_proto::{AttributeValue, MessageSection, Response, SectionPath};

use super::command::unquoted;
use super::connection::{Connection, Done, Status};
use super::{Error, Fetched, Flags, Items, Row, Transport, UidSet, name};
use crate::evidence::Level;
use crate::time::Timestamp;
use crate::{fail, limits};

/// A running FETCH; see [`Session::uid_fetch`](super::Session::uid_fetch). Dropped before its end it
/// leaves the connection in the middle of an answer.
pub struct Fetch<'a, S: Transport> {
    connection: &'a mut Connection<S>,
    /// What every command asks for, behind its set.
    wanted: String,
    /// A part of the message is among it.
    wants_parts: bool,
    /// Not sent yet.
    waiting: VecDeque<(usize, UidSet)>,
    /// On their way, or answered while an earlier one is not.
    running: VecDeque<Running>,
    state: State,
}

struct Running {
    index: usize,
    set: UidSet,
    tag: String,
    through: bool,
    /// So many more rows are believed: each message twice, for flags that change meanwhile.
    left: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Begun,
    Over,
}

impl<'a, S: Transport> Fetch<'a, S> {
    pub(super) fn new(connection: &'a mut Connection<S>, sets: Vec<UidSet>, items: &Items) -> Fetch<'a, S> {
        Fetch {
            connection,
            wanted: wanted(items),
            wants_parts: !items.header_fields.is_empty()
                || [items.header, items.text, items.message].iter().any(Option::is_some),
            waiting: sets.into_iter().enumerate().collect(),
            running: VecDeque::new(),
            state: State::New,
        }
    }

    /// The next row; `None` after the last set is through. A NO to one of the sets, a changed
    /// UIDVALIDITY and whatever ends the connection are errors, after which there is nothing more.
    ///
    /// # Errors
    /// See [`Error`]. Rows of the set that failed may have come before.
    pub async fn next(&mut self) -> Result<Option<Row>, Error> {
        if self.state == State::Over {
            return Ok(None);
        }
        let row = self.row().await;
        if !matches!(row, Ok(Some(_))) {
            self.state = State::Over;
        }
        row
    }

    async fn row(&mut self) -> Result<Option<Row>, Error> {
        if self.state == State::New {
            self.connection.begin()?;
            self.state = State::Begun;
        }
        loop {
            if let Some(through) = self.running.pop_front_if(|first| first.through) {
                fail::point("imap.fetched");
                return Ok(Some(Row::Through(through.index)));
            }
            self.send().await?;
            if self.running.is_empty() {
                self.connection.finish();
                return Ok(None);
            }
            if self.running.front().is_some_and(|first| first.through) {
                continue;
            }
            match self.read().await? {
                Read::Message(message) => return Ok(Some(Row::Message(message))),
                Read::Done(done) => self.ended(done).await?,
            }
        }
    }

    /// Keeps the window full.
    async fn send(&mut self) -> Result<(), Error> {
        let mut lines = String::new();
        while self.running.len() < limits::IMAP_FETCH_WINDOW {
            // `n:*` brings the last message even where it is lower: among others it could not be told
            // from an answer to them (Dovecot 2.3 gives the rows of several commands before their ends)
            let open = |set: &UidSet| set.has_no_end();
            let alone = self.waiting.front().is_some_and(|(_, set)| open(set)) && !self.running.is_empty();
            if alone || self.running.back().is_some_and(|last| open(&last.set)) {
                break;
            }
            let Some((index, set)) = self.waiting.pop_front() else { break };
            let tag = self.connection.next_tag();
            let through = set.is_empty();
            if !through {
                let _ = write!(lines, "{tag} UID FETCH {set} {}\r\n", self.wanted);
            }
            let left = set.len().saturating_mul(2);
            self.running.push_back(Running { index, set, tag, through, left });
        }
        if lines.is_empty() {
            return Ok(());
        }
        fail::point("imap.fetch");
        self.connection.write(lines.as_bytes()).await?;
        self.connection.flush().await
    }

    /// A message that was asked for, or the end of a set.
    async fn read(&mut self) -> Result<Read, Error> {
        let (running, wants_parts) = (&mut self.running, self.wants_parts);
        let wait = self.connection.read_until(|connection, response| {
            if connection.made_anew {
                let what = "made the mailbox anew (UIDVALIDITY) while it was read";
                return Err(connection.lost(Level::Retry, what));
            }
            match response {
                Response::Fetch(_, values) => {
                    let uid = uid_of(values).filter(|_| !(wants_parts && only_flags(values)));
                    let asked = uid.and_then(|uid| running.iter_mut().find(|r| !r.through && r.set.contains(uid)));
                    let (Some(uid), Some(asked)) = (uid, asked) else {
                        // said of its own accord
                        connection.news.flags = true;
                        return Ok(None);
                    };
                    asked.left = asked
                        .left
                        .checked_sub(1)
                        .ok_or_else(|| connection.lost(Level::Wait, "sends the same messages over and over"))?;
                    return Ok(Some(Read::Message(Box::new(fetched(uid, values)))));
                }
                Response::Done { .. } => return Ok(Some(Read::Done(one_of(running, connection, response)?))),
                _ => {}
            }
            Ok(None)
        });
        wait.await
    }

    async fn ended(&mut self, done: Done) -> Result<(), Error> {
        if let Some(ended) = self.running.iter_mut().find(|r| r.tag == done.tag) {
            ended.through = true;
        }
        if done.status == Status::Ok {
            return Ok(());
        }
        // what is on its way has to arrive before the connection is good for anything else
        while self.running.iter().any(|r| !r.through) {
            let running = &self.running;
            let wait = self.connection.read_until(|connection, response| match response {
                Response::Done { .. } => one_of(running, connection, response).map(Some),
                _ => Ok(None),
            });
            let other = wait.await?;
            self.running.retain(|r| r.tag != other.tag);
        }
        self.connection.finish();
        self.connection.checked("read messages", done).map(|_| ())
    }
}

enum Read {
    Message(Box<Fetched>),
    Done(Done),
}

/// The end of one of these.
fn one_of<S: Transport>(
    running: &VecDeque<Running>,
    connection: &Connection<S>,
    response: &Response<'_>,
) -> Result<Done, Error> {
    let tags: Vec<&str> = running.iter().filter(|r| !r.through).map(|r| r.tag.as_str()).collect();
    connection.done(response, &tags)
}

/// What a FETCH asks for, behind its set.
fn wanted(items: &Items) -> String {
    let mut all = vec!["UID".to_string()];
    let named = [
        (items.flags, "FLAGS"),
        (items.internal_date, "INTERNALDATE"),
        (items.size, "RFC822.SIZE"),
        (items.mod_seq, "MODSEQ"),
        (items.gmail, "X-GM-MSGID X-GM-LABELS"),
    ];
    all.extend(named.iter().filter(|(asked, _)| *asked).map(|(_, name)| (*name).to_string()));
    if !items.header_fields.is_empty() {
        all.push(format!("BODY.PEEK[HEADER.FIELDS ({})]", items.header_fields.join(" ")));
    }
    for (bytes, section) in [(items.header, "HEADER"), (items.text, "TEXT"), (items.message, "")] {
        all.extend(bytes.map(|bytes| format!("BODY.PEEK[{section}]<0.{}>", bytes.max(1))));
    }
    let changed = items.changed_since.map(|since| format!(" (CHANGEDSINCE {since})"));
    format!("({}){}", all.join(" "), changed.unwrap_or_default())
}

fn uid_of(values: &[AttributeValue<'_>]) -> Option<u32> {
    values.iter().find_map(|value| match value {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// Flags that changed while parts of messages are read. (One with neither is an answer that could
/// not be read.)
fn only_flags(values: &[AttributeValue<'_>]) -> bool {
    let has_parts = values.iter().any(|value| matches!(value, AttributeValue::BodySection { .. }));
    !has_parts && values.iter().any(|value| matches!(value, AttributeValue::Flags(_) | AttributeValue::ModSeq(_)))
}

fn fetched(uid: u32, values: &[AttributeValue<'_>]) -> Fetched {
    let mut fetched = Fetched { uid, ..Fetched::default() };
    for value in values {
        match value {
            AttributeValue::Flags(flags) => fetched.flags = Some(flags_of(flags.iter().map(AsRef::as_ref))),
            AttributeValue::InternalDate(date) => fetched.internal_date = internal_date(date),
            AttributeValue::Rfc822Size(size) => fetched.size = Some(*size),
            AttributeValue::ModSeq(mod_seq) => fetched.mod_seq = Some(*mod_seq),
            AttributeValue::GmailMsgId(id) => fetched.gm_msgid = Some(*id),
            AttributeValue::GmailLabels(labels) => {
                fetched.gm_labels = labels.iter().map(|label| name::decode_utf7(&unquoted(label))).collect();
            }
            AttributeValue::BodySection { section, data: Some(data), .. } => match section {
                None => fetched.message = Some(data.to_vec()),
                Some(SectionPath::Full(MessageSection::Header)) => fetched.header = Some(data.to_vec()),
                Some(SectionPath::Full(MessageSection::Text)) => fetched.text = Some(data.to_vec()),
                Some(_) => {}
            },
            _ => {}
        }
    }
    fetched
}

fn flags_of<'a>(all: impl Iterator<Item = &'a str>) -> Flags {
    let mut flags = Flags::default();
    for flag in all {
        let is = |name: &str| flag.eq_ignore_ascii_case(name);
        match flag {
            _ if is("\\Seen") => flags.seen = true,
            _ if is("\\Answered") => flags.answered = true,
            _ if is("\\Flagged") => flags.flagged = true,
            _ if is("\\Deleted") => flags.deleted = true,
            _ if is("\\Draft") => flags.draft = true,
            _ if is("\\Recent") => {}
            keyword => flags.keywords.push(keyword.to_string()),
        }
    }
    flags
}

/// `" 7-Feb-1994 21:52:25 -0800"` (RFC 3501 9, date-time).
fn internal_date(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))? + 1;
    let (hours, minutes) = (zone.get(..3)?, zone.get(3..5)?);
    Timestamp::parse(&format!("{year}-{month:02}-{day:0>2}T{time:0>8}{hours}:{minutes}"))
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_a_server_are_read() {
        for (text, expected) in [
            (" 7-Feb-1994 21:52:25 -0800", Some("1994-02-08T05:52:25Z")),
            ("17-JUL-2026 2:44:25 +0000", Some("2026-07-17T02:44:25Z")),
            ("31-Dec-2026 23:59:60 +0000", Some("2026-12-31T23:59:59Z")),
            (" ", None),
            ("30-Feb-2026 00:00:00 +0000", None),
            ("01-Foo-2026 00:00:00 +0000", None),
            ("1-Jan-2026 00:00:00 é+00", None),
        ] {
            assert_eq!(internal_date(text), expected.and_then(Timestamp::parse), "{text}");
        }
    }

    #[test]
    fn a_fetch_asks_without_marking() {
        let all = Items {
            flags: true,
            internal_date: true,
            size: true,
            mod_seq: true,
            gmail: true,
            header: Some(65_536),
            header_fields: &["From", "Date"],
            text: Some(0),
            message: Some(7),
            changed_since: Some(9),
        };
        let expected = "(UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ X-GM-MSGID X-GM-LABELS \
                        BODY.PEEK[HEADER.FIELDS (From Date)] BODY.PEEK[HEADER]<0.65536> BODY.PEEK[TEXT]<0.1> \
                        BODY.PEEK[]<0.7>) (CHANGEDSINCE 9)";
        assert_eq!(wanted(&all), expected);
        assert_eq!(wanted(&Items::default()), "(UID)");
    }
}
