//! What is asked of the engine and what it answers: the JSON of the contract. Part of `engine`.
//!
//! Invariant: field names here are the contract's (PRODUCT 4); more may be added, none renamed.

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;
use crate::evidence::{Complaint, Folder, ReminderId, Word};
use crate::identity::{ContactId, Merge};
use crate::time::{Span, Timestamp};

/// A question or an order from the user.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// `status`.
    Status,
    /// `contacts`; `all`: also those who are none.
    Contacts {
        /// Also those who are no contacts.
        all: bool,
    },
    /// `contact WHO`.
    Contact(String),
    /// `reminders`; `all`: closed ones too.
    Reminders {
        /// Closed ones too.
        all: bool,
    },
    /// `explain REMINDER|WHO`.
    Explain(String),
    /// `plan`, until then.
    Plan(Timestamp),
    /// What is due and waits for hours or caps, each with the time it would go.
    Waiting,
    /// `done`, `snooze`, `dismiss`.
    Act(ReminderId, Act),
    /// `pause`.
    Pause(Timestamp),
    /// `without NAME`, or with it again.
    Without(String, bool),
    /// `set WHO`.
    Set(String, Vec<Setting>),
    /// `merge WHO WHO`.
    Merge(String, String),
    /// `split WHO ADDRESS`.
    Split(String, AddrSpec),
    /// `forget WHO`.
    Forget(String),
    /// `export`.
    Export,
    /// `backup FILE`.
    Backup(std::path::PathBuf),
    /// The store's part of `check`.
    Check,
}

/// What is done to a reminder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It is done.
    Done,
    /// Not before then.
    Snooze(Timestamp),
    /// Refused.
    Dismiss,
}

/// One `--option` of `set`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `--relationship`.
    Relationship(String),
    /// `--every`; `None`: `never`.
    Every(Option<Span>),
    /// `--mute`, `--unmute`.
    Mute(bool),
    /// `--person`.
    Person,
    /// `--ignore`.
    Ignore,
    /// `--name`.
    Name(String),
}

impl Setting {
    /// The user's word about the owner of `address`.
    pub fn word(self, address: AddrSpec) -> Word {
        match self {
            Setting::Relationship(name) => Word::Relationship(address, name),
            Setting::Every(span) => Word::Every(address, span),
            Setting::Mute(mute) => Word::Mute(address, mute),
            Setting::Person => Word::Person(address),
            Setting::Ignore => Word::Ignore(address),
            Setting::Name(name) => Word::Name(address, name),
        }
    }
}

/// An answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// `status`.
    Status(Box<Status>),
    /// `contacts`.
    Contacts(Vec<ContactRow>),
    /// `contact`.
    Contact(Box<ContactSheet>),
    /// `reminders`, `plan`.
    Reminders(Vec<ReminderRow>),
    /// `explain`.
    Explained(Vec<Explanation>),
    /// Something was done; in plain words what.
    Done(String),
    /// `export`.
    Exported(Box<Export>),
    /// `check`.
    Checked(Vec<Finding>),
    /// Not done: in plain words why. `several`: whom the word could mean.
    Refused {
        /// Why.
        why: String,
        /// Whom the word could mean.
        several: Vec<ContactRow>,
    },
}

/// One contact of `contacts`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ContactRow {
    pub id: ContactId,
    pub name: String,
    pub addresses: Vec<AddrSpec>,
    pub relationship: Option<String>,
    pub every_days: Option<i64>,
    /// `user`, `relationship`, `rhythm` or null.
    pub every_from: Option<String>,
    pub muted: bool,
    pub is_contact: bool,
    pub first_contact_at: Option<Timestamp>,
    pub last_contact_at: Option<Timestamp>,
    pub last_sent_at: Option<Timestamp>,
    pub last_received_at: Option<Timestamp>,
    pub last_met_at: Option<Timestamp>,
    pub next_meeting_at: Option<Timestamp>,
    pub counts: Tally,
    pub strength: u8,
}

/// Interactions by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Tally {
    pub sent: u64,
    pub received: u64,
    pub meetings: u64,
}

/// `contact`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ContactSheet {
    #[serde(flatten)]
    pub row: ContactRow,
    pub interactions: Vec<InteractionRow>,
    pub merges: Vec<Merge>,
    pub reminders: Vec<ReminderRow>,
}

/// One interaction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct InteractionRow {
    pub at: Timestamp,
    pub kind: String,
    pub subject: String,
    pub source: String,
    pub evidence: String,
    pub weight: f64,
}

/// One reminder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ReminderRow {
    pub id: ReminderId,
    pub rule: String,
    pub occasion: String,
    pub channel: String,
    pub state: String,
    pub closed_by: Option<String>,
    pub contact: Option<WhomRow>,
    pub due_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub score: f64,
    pub reason: String,
    pub evidence: Vec<String>,
    pub message_id: Option<String>,
    /// Subject of its mail.
    pub subject: String,
    /// What went wrong last, or why it is held.
    pub trouble: Option<String>,
    /// `plan` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_send_at: Option<Timestamp>,
}

/// Whom a reminder is about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct WhomRow {
    pub id: ContactId,
    pub name: String,
    pub address: Option<AddrSpec>,
}

/// One verdict, for `explain`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Explanation {
    pub id: ReminderId,
    pub rule: String,
    pub occasion: String,
    pub contact: WhomRow,
    /// What holds of it: waiting, due, closed, vetoed, low, expired; or the state of its reminder.
    pub standing: String,
    pub due_at: Timestamp,
    pub expires_at: Timestamp,
    pub score: f64,
    pub points: Vec<String>,
    pub vetoes: Vec<String>,
    pub closed_by: Option<String>,
    pub reason: String,
    pub evidence: Vec<EvidenceRow>,
    /// What the absence rests on, and how far that has been read.
    pub coverage: Vec<String>,
    pub reminder: Option<ReminderRow>,
}

/// One piece of evidence, for `explain`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct EvidenceRow {
    pub evidence: String,
    pub at: Option<Timestamp>,
    pub subject: String,
    pub sentence: Option<String>,
}

/// `status`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Status {
    pub version: String,
    pub ready: bool,
    pub now: Timestamp,
    pub sources: Vec<SourceRow>,
    pub held: Vec<HeldRow>,
    pub complaints: Vec<Complaint>,
    pub counts: StatusCounts,
    pub next_wake_at: Option<Timestamp>,
    /// Quiet until then, because the user said so or is away.
    pub quiet_until: Option<Timestamp>,
}

/// One source.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SourceRow {
    pub name: String,
    pub kind: String,
    pub state: String,
    pub last_success_at: Option<Timestamp>,
    pub covered_until: Option<Timestamp>,
    pub last_error: Option<String>,
    pub read: u64,
    pub folders: Vec<Folder>,
}

/// One reminder held back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HeldRow {
    pub reminder: ReminderId,
    pub source: String,
    pub since: Timestamp,
    pub why: String,
}

/// Counts of `status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct StatusCounts {
    pub contacts: u64,
    pub interactions: u64,
    pub reminders: u64,
}

/// Everything.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Export {
    pub exported_at: Timestamp,
    pub contacts: Vec<ContactSheet>,
    pub reminders: Vec<ReminderRow>,
}

/// One line of `check`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Finding {
    /// `ok`, `note` or `fail`.
    pub level: String,
    pub what: String,
}
