//! The user's word: by command, by answering a reminder, or by the config. Floor 1.
//!
//! Invariant: a choice is never rewritten; the latest one about a thing holds.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EvidenceId, SourceName, digest16};
use crate::address::AddrSpec;
use crate::time::{Span, Timestamp};

/// Eight bytes, written as sixteen hexadecimal digits: one cause, one reminder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReminderId([u8; 8]);

impl ReminderId {
    /// `hash(rule, occasion, cause, step)`. The cause is the mail's id, the meeting's key (with the
    /// attendee where several are owed), or contact and last interaction: never a revision.
    pub fn of(rule: &str, occasion: &str, cause: &str, step: u32) -> ReminderId {
        let parts = [rule.as_bytes(), occasion.as_bytes(), cause.as_bytes(), &step.to_le_bytes()];
        let [a, b, c, d, e, f, g, h, ..] = digest16("reminder", &parts);
        ReminderId([a, b, c, d, e, f, g, h])
    }

    /// The bytes, as used in keys.
    pub const fn bytes(self) -> [u8; 8] {
        self.0
    }

    /// From the bytes of a key.
    pub const fn from_bytes(bytes: [u8; 8]) -> ReminderId {
        ReminderId(bytes)
    }

    /// Reads sixteen hexadecimal digits.
    pub fn parse(text: &str) -> Option<ReminderId> {
        let text = text.trim();
        let sound = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(|n| ReminderId(n.to_be_bytes()))
    }
}

impl fmt::Display for ReminderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for ReminderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ReminderId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReminderId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ReminderId::parse(&text).ok_or_else(|| serde::de::Error::custom("not a reminder id"))
    }
}

/// One thing the user said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// Digest of what was said, by what, and when; of an answer by mail, of that mail.
    pub id: EvidenceId,
    /// When it was said.
    pub at: Timestamp,
    /// What.
    pub what: Word,
    /// The mail that said so; `None` for a command.
    pub by_mail: Option<EvidenceId>,
}

impl Choice {
    /// A choice made by a command at `at`.
    pub fn by_command(what: Word, at: Timestamp) -> Choice {
        let id = EvidenceId::of("choice", &[format!("{what:?}").as_bytes(), &at.second().to_be_bytes()]);
        Choice { id, at, what, by_mail: None }
    }

    /// A choice made by answering; `item` tells several verbs of one mail apart.
    pub fn by_answer(what: Word, mail: EvidenceId, item: u32, at: Timestamp) -> Choice {
        let id = EvidenceId::of("answer", &[&mail.bytes(), &item.to_be_bytes()]);
        Choice { id, at, what, by_mail: Some(mail) }
    }
}

/// The verbs. A person is named by one of their addresses, so that merging people rewrites nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It is done, on the day this was said.
    Done(ReminderId),
    /// Not before this point.
    Snooze(ReminderId, Timestamp),
    /// Refused.
    Dismiss(ReminderId),
    /// No reminders about this person, or again.
    Mute(AddrSpec, bool),
    /// An interval of the user's own; `None` takes it back.
    Every(AddrSpec, Option<Span>),
    /// What this person is to the user.
    Relationship(AddrSpec, String),
    /// This is a person, whatever the headers say.
    Person(AddrSpec),
    /// This is no person.
    Ignore(AddrSpec),
    /// What this person is called.
    Name(AddrSpec, String),
    /// These two are one.
    Merge(AddrSpec, AddrSpec),
    /// The second address is not the first one's.
    Split(AddrSpec, AddrSpec),
    /// Be quiet until then.
    Pause(Timestamp),
    /// Leave a source out of coverage, or take it in again (`true`: out).
    Without(SourceName, bool),
}

impl Word {
    /// The addresses it speaks of.
    pub fn addresses(&self) -> Vec<AddrSpec> {
        match self {
            Word::Mute(a, _)
            | Word::Every(a, _)
            | Word::Relationship(a, _)
            | Word::Person(a)
            | Word::Ignore(a)
            | Word::Name(a, _) => {
                vec![a.clone()]
            }
            Word::Merge(a, b) | Word::Split(a, b) => vec![a.clone(), b.clone()],
            Word::Done(_) | Word::Snooze(..) | Word::Dismiss(_) | Word::Pause(_) | Word::Without(..) => Vec::new(),
        }
    }

    /// The reminder it speaks of.
    pub const fn reminder(&self) -> Option<ReminderId> {
        match self {
            Word::Done(id) | Word::Snooze(id, _) | Word::Dismiss(id) => Some(*id),
            _ => None,
        }
    }
}
