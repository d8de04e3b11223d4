//! What was owed when: written by the stories as they are told, before anything is read.
//!
//! Invariant: nothing here comes from kithd.

use std::collections::BTreeMap;

use kithd::time::Timestamp;

use super::cast::Id;

/// What is owed; one row of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Interview,
    Introduction,
    Promise,
    Milestone,
    Unanswered,
    ReplyOwed,
    FirstMeeting,
    Favour,
    KeepInTouch,
}

pub const KINDS: [Kind; 9] = [
    Kind::Interview,
    Kind::Introduction,
    Kind::Promise,
    Kind::Milestone,
    Kind::Unanswered,
    Kind::ReplyOwed,
    Kind::FirstMeeting,
    Kind::Favour,
    Kind::KeepInTouch,
];

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Interview => "interview",
            Kind::Introduction => "introduction",
            Kind::Promise => "promise",
            Kind::Milestone => "milestone",
            Kind::Unanswered => "unanswered",
            Kind::ReplyOwed => "reply_owed",
            Kind::FirstMeeting => "first_meeting",
            Kind::Favour => "favour",
            Kind::KeepInTouch => "keep_in_touch",
        }
    }

    /// The row a reminder's occasion belongs to.
    pub fn of(occasion: &str) -> Kind {
        match occasion {
            "interview" => Kind::Interview,
            "introduction" => Kind::Introduction,
            "promise" => Kind::Promise,
            "unanswered" => Kind::Unanswered,
            "reply_owed" => Kind::ReplyOwed,
            "first_meeting" | "after_meeting" => Kind::FirstMeeting,
            "favour" => Kind::Favour,
            "keep_in_touch" => Kind::KeepInTouch,
            _ => Kind::Milestone,
        }
    }

    /// Working days a debt must stand open, from when it is ripe, before missing it counts.
    pub fn patience(self) -> i64 {
        match self {
            Kind::Milestone => 0,
            Kind::Interview => 2,
            Kind::Promise => 3,
            Kind::Introduction | Kind::ReplyOwed => 4,
            Kind::FirstMeeting | Kind::Favour | Kind::Unanswered => 6,
            Kind::KeepInTouch => 10,
        }
    }
}

/// Something the user owes.
#[derive(Clone, Debug)]
pub struct Debt {
    pub kind: Kind,
    /// Any of them may be named.
    pub who: Vec<Id>,
    /// Message-ID or EventUid; empty where it rests on no single one.
    pub cause: String,
    /// A reminder before is early.
    pub from: Timestamp,
    /// When a good secretary would speak of it.
    pub ripe: Timestamp,
    /// A reminder after is late: it was done, or has lost its sense.
    pub until: Timestamp,
    /// From then on a reminder is neither wanted nor wrong.
    pub fades: Timestamp,
    /// Neither wanted nor wrong at any time.
    pub optional: bool,
}

/// A letter as it was meant.
#[derive(Clone, Debug)]
pub struct Letter {
    pub at: Timestamp,
    /// When the copy kithd reads lies there.
    pub arrives: Timestamp,
    pub from: Id,
    pub to: Vec<Id>,
    pub cc: Vec<Id>,
    pub subject: String,
    pub said: String,
    /// With a file.
    pub file: bool,
    /// Thanks, in its text or its sign-off.
    pub thanks: bool,
    /// Written by a machine: no contact.
    pub machine: bool,
    pub story: &'static str,
}

/// A meeting as it came to be.
#[derive(Clone, Debug)]
pub struct Meeting {
    pub start: Timestamp,
    pub minutes: i64,
    pub title: String,
    pub with: Vec<Id>,
    /// It took place, and the user was there.
    pub took_place: bool,
    pub story: &'static str,
}

#[derive(Clone, Debug, Default)]
pub struct Gold {
    pub debts: Vec<Debt>,
    /// By Message-ID.
    pub letters: BTreeMap<String, Letter>,
    /// By EventUid.
    pub meetings: BTreeMap<String, Meeting>,
    /// Written by nobody who is waiting for anything: newsletters, machines, sales.
    pub noise: BTreeMap<String, &'static str>,
}
