//! The plain data that travels through the house: what was read, what the user said, what is to be
//! delivered. Floor 1.
//!
//! Invariant: an [`Observation`] holds facts and never a conclusion, and its [`EvidenceId`] depends
//! only on what it is, so that reading it again adds nothing.

mod card;
mod choice;
mod mail;
mod meeting;
mod post;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{AddrSpec, safe_text};
use crate::limits;
use crate::time::Timestamp;

pub use card::{AnnualDay, Card};
pub use choice::{Choice, ReminderId, Word};
pub use mail::{
    Act, ActKind, Announcement, Bounce, Class, Due, Mail, Marks, MessageId, OutOfOffice, Place, Role, Signals,
    TextFacts,
};
pub use meeting::{
    Attendee, EventStatus, EventUid, Meeting, MeetingKey, MeetingMarks, Method, PartStat, Recurrence, Revision, Speaker,
};
pub use post::{Delivery, Envelope, Showing};

/// Sixteen bytes of BLAKE3 over what a fact *is*: stable across mailboxes, runs and machines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EvidenceId([u8; 16]);

impl EvidenceId {
    /// Digest of the named parts; parts are length-prefixed, so `("ab","c")` differs from `("a","bc")`.
    pub fn of(kind: &str, parts: &[&[u8]]) -> EvidenceId {
        EvidenceId(digest16(kind, parts))
    }

    /// The bytes, as used in keys.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// From the bytes of a key.
    pub const fn from_bytes(bytes: [u8; 16]) -> EvidenceId {
        EvidenceId(bytes)
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn digest16(kind: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    let mut out = [0; 16];
    hasher.finalize_xof().fill(&mut out);
    out
}

/// Name of a `[[mailbox]]`, `[[calendar]]` or `[[address_book]]`; unique over all three.
pub type SourceName = String;

/// One fact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // nearly all of them are mail: a box would cost more than it saves
pub enum Observation {
    /// A message.
    Mail(Mail),
    /// What somebody says of one instance of an event.
    Meeting(Meeting),
    /// A card of an address book.
    Card(Card),
    /// The user's word.
    Choice(Choice),
}

impl Observation {
    /// Its id.
    pub fn id(&self) -> EvidenceId {
        match self {
            Observation::Mail(mail) => mail.id,
            Observation::Meeting(meeting) => meeting.key.id(),
            Observation::Card(card) => card.id,
            Observation::Choice(choice) => choice.id,
        }
    }

    /// Its time, the first part of its key. Cards have none and lie at the beginning.
    pub fn at(&self) -> Timestamp {
        match self {
            Observation::Mail(mail) => mail.at,
            Observation::Meeting(meeting) => meeting.start(),
            Observation::Card(_) => Timestamp::MIN,
            Observation::Choice(choice) => choice.at,
        }
    }

    /// Takes in what `other`, an observation of the same id, knows beyond this one. The result is
    /// the same in whatever order observations are joined. `true` if this one changed.
    pub fn join(&mut self, other: &Observation) -> bool {
        match (self, other) {
            (Observation::Mail(mine), Observation::Mail(theirs)) => mine.join(theirs),
            (Observation::Meeting(mine), Observation::Meeting(theirs)) => mine.join(theirs),
            (Observation::Card(mine), Observation::Card(theirs)) if mine != theirs => {
                mine.clone_from(theirs);
                true
            }
            _ => false,
        }
    }

    /// Every address this fact speaks of, each once.
    pub fn addresses(&self) -> Vec<AddrSpec> {
        let mut all: Vec<AddrSpec> = match self {
            Observation::Mail(mail) => mail.addresses().cloned().collect(),
            Observation::Meeting(meeting) => meeting.addresses().cloned().collect(),
            Observation::Card(card) => card.addresses.clone(),
            Observation::Choice(choice) => choice.what.addresses(),
        };
        all.sort();
        all.dedup();
        all
    }
}

/// What a door hands to the engine in one go: observations and the cursor that says they were read.
/// The two are committed together or not at all.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Whose reading this is.
    pub source: SourceName,
    /// At most [`limits::BATCH`].
    pub observations: Vec<Observation>,
    /// What could not be read.
    pub complaints: Vec<Complaint>,
    /// How far the reading has come, after this batch.
    pub cursors: Vec<Cursor>,
    /// Things looked at (messages, events, cards), including those that gave no observation.
    pub read: u64,
    /// Set on the last batch of a good reading of a calendar or address book: whatever this source
    /// said before of what was read and is not in it is gone (a future instance is cancelled, a past
    /// one stays).
    pub full: Option<FullReading>,
    /// Things still to be read by this reading, as far as the door knows; for progress.
    pub left: Option<u64>,
}

/// A complete reading of a calendar or an address book, or of some of its events or cards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FullReading {
    /// `read_at` of every revision of this reading.
    pub began_at: Timestamp,
    /// Until when instances were expanded; later ones were not looked for.
    pub until: Timestamp,
    /// Cards, and instances that begin at `began_at` or later, that the reading held; sorted.
    pub seen: Vec<EvidenceId>,
    /// What it was a reading of: everything of the source, or only these cards and events (each by
    /// [`MeetingKey::event`]); sorted.
    pub of: Option<Vec<EvidenceId>>,
}

impl FullReading {
    /// Should it have held this meeting, and does it not?
    pub fn lacks_meeting(&self, key: &MeetingKey) -> bool {
        self.is_of(key.event()) && self.seen.binary_search(&key.id()).is_err()
    }

    /// Should it have held this card, and does it not?
    pub fn lacks_card(&self, id: EvidenceId) -> bool {
        self.is_of(id) && self.seen.binary_search(&id).is_err()
    }

    fn is_of(&self, id: EvidenceId) -> bool {
        self.of.as_ref().is_none_or(|of| of.binary_search(&id).is_ok())
    }
}

/// One opaque piece of a source's reading position; what it holds is the door's own business.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cursor {
    /// The mailbox, collection or file it speaks of.
    pub place: String,
    /// Which part of it, where one value would be too long for the store.
    pub part: u16,
    /// Versioned bytes, at most [`limits::VALUE_BYTES`] long where that can be helped. Empty: forget it.
    pub value: Vec<u8>,
}

/// Something that could not be read, for `status`. It stops nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Complaint {
    /// The source, or the path given to `read`.
    pub source: SourceName,
    /// The file, message or event.
    #[serde(rename = "where")]
    pub place: String,
    /// What is wrong with it, in plain words.
    pub what: String,
    /// When it was met.
    pub at: Timestamp,
}

impl Complaint {
    /// A complaint with its text made safe to print.
    pub fn new(source: &str, place: &str, what: &str, at: Timestamp) -> Complaint {
        Complaint {
            source: source.to_string(),
            place: safe_text(place, 4 * limits::ERROR_BYTES),
            what: safe_text(what, limits::ERROR_BYTES),
            at,
        }
    }
}

/// How bad a failure of a source is, named by what is done about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Level {
    /// Try again at once.
    Retry,
    /// Wait, longer each time.
    Wait,
    /// Nothing helps but a changed config.
    Stop,
}

/// One folder or collection of a source, for `status`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Folder {
    /// As the source names it.
    pub name: String,
    /// Things read from it so far.
    pub read: u64,
    /// What it is for.
    pub role: Role,
}
