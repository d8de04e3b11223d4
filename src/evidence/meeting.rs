//! One instance of a calendar event (RFC 5545) and what each speaker says of it. Floor 1.
//!
//! Invariant: a meeting is its EventUid and RECURRENCE-ID. Everything else is a revision said by
//! somebody; who is to be believed is decided by the ledger, not here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EvidenceId, SourceName};
use crate::address::{AddrSpec, Address};
use crate::limits;
use crate::time::{Date, Timestamp};

/// `UID` (RFC 5545 3.8.4.7).
pub type EventUid = String;

/// Which instance of a series.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Recurrence {
    /// An event that does not recur.
    Main,
    /// The instance that was to begin at this point.
    At(Timestamp),
    /// The all-day instance of this date.
    On(Date),
}

/// What makes an instance itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct MeetingKey {
    /// The event.
    pub uid: EventUid,
    /// The instance.
    pub recurrence: Recurrence,
}

impl MeetingKey {
    /// Its id.
    pub fn id(&self) -> EvidenceId {
        EvidenceId::of("meeting", &[self.to_string().as_bytes()])
    }

    /// The id all instances of its event share: that of the event as if it did not recur.
    pub fn event(&self) -> EvidenceId {
        EvidenceId::of("meeting", &[self.uid.as_bytes()])
    }
}

/// As the contract writes it: `UID` or `UID;RECURRENCE-ID=20260512T090000Z`.
impl fmt::Display for MeetingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recurrence {
            Recurrence::Main => f.write_str(&self.uid),
            Recurrence::At(at) => {
                let compact: String = at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
                write!(f, "{};RECURRENCE-ID={compact}", self.uid)
            }
            Recurrence::On(date) => {
                let compact: String = date.to_string().chars().filter(|c| *c != '-').collect();
                write!(f, "{};RECURRENCE-ID={compact}", self.uid)
            }
        }
    }
}

/// `STATUS` (RFC 5545 3.8.1.11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// Also where nothing is said.
    Confirmed,
    /// Not fixed yet.
    Tentative,
    /// Will not, or did not, take place.
    Cancelled,
}

/// `PARTSTAT` (RFC 5545 3.2.12).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartStat {
    /// Not answered; also where nothing is said.
    NeedsAction,
    /// Will come.
    Accepted,
    /// Will not.
    Declined,
    /// May.
    Tentative,
    /// Sends somebody else.
    Delegated,
}

/// `ATTENDEE` (RFC 5545 3.8.4.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Attendee {
    /// Address, and CN as its name.
    pub who: Address,
    /// The answer.
    pub partstat: PartStat,
    /// Neither room nor resource nor group, by CUTYPE, resource domain or a room-like name; nor only told
    /// of it (`ROLE=NON-PARTICIPANT`).
    pub human: bool,
}

/// `METHOD` of an iTIP message (RFC 5546).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Invites or changes.
    Request,
    /// Answers.
    Reply,
    /// Calls off.
    Cancel,
    /// Proposes another time, or anything else that changes nothing.
    Other,
}

/// Who says so.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Speaker {
    /// A calendar of the config.
    Feed(SourceName),
    /// A calendar part of a mail.
    Mail {
        /// Its one From; `None` where there is none or several: then it is nobody's word.
        from: Option<AddrSpec>,
        /// What it wants.
        method: Method,
        /// Lies in a Sent mailbox: it is the user's own word.
        in_sent: bool,
    },
}

/// What one speaker says of one instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Revision {
    /// Who says so.
    pub said_by: Speaker,
    /// `DTSTART`; of an all-day event the local midnight.
    pub start: Timestamp,
    /// `DTEND`, or DTSTART + DURATION; never before `start`.
    pub end: Timestamp,
    /// `DTSTART` is a date.
    pub all_day: bool,
    /// `STATUS`; a CANCEL says cancelled.
    pub status: EventStatus,
    /// Was there and is missing from a later good full reading.
    pub gone: bool,
    /// `SUMMARY`, cut.
    pub summary: String,
    /// `ORGANIZER`.
    pub organizer: Option<Address>,
    /// Humans first, at most [`limits::ATTENDEES`].
    pub attendees: Vec<Attendee>,
    /// Humans among organizer and attendees before anything was cut, each once.
    pub humans: u32,
    /// Addresses of other people named in summary, location or description, at most 4.
    pub names: Vec<AddrSpec>,
    /// `SEQUENCE`.
    pub sequence: u32,
    /// `LAST-MODIFIED`. (DTSTAMP is often the time of download and says nothing.)
    pub last_modified: Option<Timestamp>,
    /// When this was first read in this form.
    pub read_at: Timestamp,
    /// What the words say.
    pub marks: MeetingMarks,
}

/// Flags by words and properties of one event.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MeetingMarks {
    /// The interview act (INFERENCE 3).
    pub interview: bool,
    /// Vacation, out of office (words, or `X-MICROSOFT-CDO-BUSYSTATUS:OOF`).
    pub absence: bool,
    /// A working location, no event.
    pub working_location: bool,
    /// `TRANSP:TRANSPARENT`: blocks no time.
    pub transparent: bool,
    /// A birthday or anniversary.
    pub birthday: bool,
    /// Asks for advice, mentoring, a coffee chat.
    pub advice: bool,
    /// A sales demo or pitch.
    pub sales: bool,
    /// Webinar, all-hands, conference: nobody is met by it.
    pub broadcast: bool,
}

impl Revision {
    /// Is `other` the later word? By SEQUENCE, then LAST-MODIFIED, then the later reading; what is
    /// equal in all is ordered by its content, so that joining does not depend on order.
    pub fn is_newer_than(&self, other: &Revision) -> bool {
        let rank = |r: &Revision| (r.sequence, r.last_modified, r.read_at);
        match rank(self).cmp(&rank(other)) {
            std::cmp::Ordering::Equal => format!("{self:?}") > format!("{other:?}"),
            order => order.is_gt(),
        }
    }

    /// Same words, whenever they were read?
    pub fn says_the_same_as(&self, other: &Revision) -> bool {
        let mut twin = other.clone();
        twin.read_at = self.read_at;
        twin == *self
    }
}

/// One instance, with the latest revision of each speaker.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meeting {
    /// What it is.
    pub key: MeetingKey,
    /// Sorted by speaker, one each, at most [`limits::REVISIONS`]; never empty.
    pub revisions: Vec<Revision>,
}

impl Meeting {
    /// Start by the newest revision; feeds count before mail.
    pub fn start(&self) -> Timestamp {
        self.main().map_or(Timestamp::MIN, |r| r.start)
    }

    /// The newest revision of a feed, or without one the newest of all.
    pub fn main(&self) -> Option<&Revision> {
        let feeds = self.revisions.iter().filter(|r| matches!(r.said_by, Speaker::Feed(_)));
        newest(feeds).or_else(|| newest(self.revisions.iter()))
    }

    /// Organizer, attendees and named people of all revisions.
    pub fn addresses(&self) -> impl Iterator<Item = &AddrSpec> {
        self.revisions.iter().flat_map(|r| {
            let organizer = r.organizer.iter().map(|o| &o.address);
            organizer.chain(r.attendees.iter().map(|a| &a.who.address)).chain(&r.names)
        })
    }

    pub(super) fn join(&mut self, other: &Meeting) -> bool {
        let mut changed = false;
        for theirs in &other.revisions {
            match self.revisions.iter_mut().find(|r| r.said_by == theirs.said_by) {
                Some(mine) if mine.says_the_same_as(theirs) => {}
                Some(mine) if theirs.is_newer_than(mine) => {
                    mine.clone_from(theirs);
                    changed = true;
                }
                Some(_) => {}
                None => {
                    self.revisions.push(theirs.clone());
                    changed = true;
                }
            }
        }
        if changed {
            self.revisions.sort_by(|a, b| a.said_by.cmp(&b.said_by));
            self.revisions.truncate(limits::REVISIONS);
        }
        changed
    }
}

fn newest<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Option<&'a Revision> {
    revisions.fold(None, |best: Option<&Revision>, r| match best {
        Some(b) if !r.is_newer_than(b) => Some(b),
        _ => Some(r),
    })
}
