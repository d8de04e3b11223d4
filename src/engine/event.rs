//! What happens to the engine, and what it wants done. Part of `engine`.
//!
//! Invariant: every event is plain data with its `now` beside it; a recorded trace replays exactly.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::AddrSpec;
use crate::evidence::{Batch, Choice, Delivery, Envelope, Folder, Level, MessageId, Showing, SourceName};
use crate::identity::Me;
use crate::outbox::compose::Letterhead;
use crate::outbox::queue::Caps;
use crate::policy::{Interval, Rule, RuleSetting};
use crate::time::{Hours, Span, Timestamp};

/// Something happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A door read something.
    Observed(Batch),
    /// A complete good reading ended, also one that found nothing new.
    ReadThrough {
        /// Whose.
        source: SourceName,
        /// What happened there until then is known now.
        until: Timestamp,
        /// Its folders.
        folders: Vec<Folder>,
        /// A mailbox with a Sent folder.
        sent_found: bool,
    },
    /// A reading failed.
    SourceFailed {
        /// Whose.
        source: SourceName,
        /// What is done about it.
        level: Level,
        /// In plain words.
        what: String,
    },
    /// Time has passed.
    Woke,
    /// An attempt to deliver ended.
    Settled {
        /// Which.
        showing: Showing,
        /// How.
        delivery: Delivery,
    },
    /// A search for a showing ended.
    Found {
        /// Which.
        showing: Showing,
        /// Whether it is there.
        answer: Found,
    },
    /// The user said something.
    Chose(Choice),
}

/// The outcome of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It is there.
    Yes,
    /// It is not, and it will not come any more.
    No,
    /// It is not there yet: a server may still hold it.
    NotYet,
    /// Nobody can tell now.
    CannotSearch,
}

/// Something is to be done outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Deliver this; the attempt is already counted and durable.
    Deliver(Box<Envelope>),
    /// Is this in the inbox?
    Find {
        /// Which showing.
        showing: Showing,
        /// Its Message-ID.
        message_id: MessageId,
    },
    /// The reason of a mail that was delivered is gone: take it out of the inbox if it is unread.
    Retire(MessageId),
}

/// A configured source, as far as the engine must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceSpec {
    /// Its name.
    pub name: SourceName,
    /// What it is.
    pub kind: SourceKind,
    /// Calendars: the user's own. Others are always own.
    pub own: bool,
    /// Calendars: its all-day events are no working days.
    pub holidays: bool,
    /// How old its coverage may be at a delivery, in seconds.
    pub grace: i64,
}

/// What a source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// `[[mailbox]]`.
    Mailbox,
    /// `[[calendar]]`.
    Calendar,
    /// `[[address_book]]`.
    AddressBook,
}

/// `[[contact]]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContactSetting {
    /// One person's addresses.
    pub addresses: Vec<AddrSpec>,
    /// What they are called.
    pub name: Option<String>,
    /// What they are to the user.
    pub relationship: Option<String>,
    /// An interval of the user's own.
    pub every: Option<Span>,
    /// No reminders.
    pub mute: bool,
}

/// Everything the config says that the engine goes by.
#[derive(Clone, PartialEq, Debug)]
pub struct Setup {
    /// The user.
    pub me: Me,
    /// Working hours; holidays are added by the engine.
    pub hours: Hours,
    /// Caps.
    pub caps: Caps,
    /// Day (Monday 0) and minute of the weekly summary; `None`: never.
    pub summary: Option<(u8, u16)>,
    /// Settings that differ from the default.
    pub rules: BTreeMap<Rule, RuleSetting>,
    /// By name.
    pub relationships: BTreeMap<String, Interval>,
    /// `[[contact]]`.
    pub contacts: Vec<ContactSetting>,
    /// From, to, language.
    pub letterhead: Letterhead,
    /// Take an unread reminder out of the inbox when its reason goes.
    pub retire: bool,
    /// The sources.
    pub sources: Vec<SourceSpec>,
}

impl Setup {
    /// The user's own calendars.
    pub fn own_calendars(&self) -> BTreeSet<SourceName> {
        let own = self.sources.iter().filter(|s| s.kind == SourceKind::Calendar && s.own);
        own.map(|s| s.name.clone()).collect()
    }

    /// Names that an answer may use as a relationship.
    pub fn relationship_names(&self) -> Vec<&str> {
        self.relationships.keys().map(String::as_str).chain([crate::policy::FAMILY]).collect()
    }
}
